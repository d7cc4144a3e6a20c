// Brings the hosts file up to date: the block of ours changes, nothing else does.
import { replaceBlock, type HostsEntry } from '../core/hosts-file.ts';
import type { Warning } from '../core/warning.ts';
import { errnoOf, exitStatus, StartError } from '../errors.ts';
import { describeErrno } from './describe-errno.ts';
import { editInPlace } from './write-in-place.ts';

export type WriteHostsOptions = {
  /** `init.hosts.onError`. */
  readonly onError: 'warn' | 'fail';
  /** As for `editInPlace`. */
  readonly graceMs?: number;
};

export type HostsResult = {
  readonly change: 'written' | 'unchanged' | 'failed';
  /** Where the file cannot be read or written and that may be. */
  readonly warning: Warning | undefined;
};

/**
 * @throws {StartError} E_HOSTS, 73, where it may not be.
 */
export function writeHosts(
  path: string,
  entries: readonly HostsEntry[],
  { onError, ...pace }: WriteHostsOptions,
): HostsResult {
  try {
    const edit = (text: string) => replaceBlock(text, entries);
    return { change: editInPlace(path, { edit, ...pace }), warning: undefined };
  } catch (error) {
    return { change: 'failed', warning: judgeFailure(path, error, onError) };
  }
}

/**
 * What an error of the system means for a start.
 *
 * @throws {StartError} E_HOSTS, 73, where the file must be written; the error, if it is none of the system's.
 */
export function judgeFailure(
  path: string,
  error: unknown,
  onError: WriteHostsOptions['onError'],
): Warning {
  const errno = errnoOf(error);
  if (errno === undefined) {
    throw error;
  }

  const cause = `Cannot write ${path}: ${describeErrno(errno)}`;
  if (onError === 'fail') {
    throw new StartError('E_HOSTS', cause, {
      exitCode: exitStatus.cannotWrite,
      remedy: {
        where: path,
        fix: 'Make the file writable for init, or set init.hosts.onError to "warn".',
      },
      cause: error,
    });
  }

  return {
    code: 'W_HOSTS',
    message: `${cause}. The .warp hostnames may not resolve; the WARP_IST_ variables work all the same.`,
    where: path,
    fix: 'Start init as root (the app with --user), in a read-only container with a hosts file as a volume; or let the app use the WARP_IST_ variables.',
  };
}
