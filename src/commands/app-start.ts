// The command that is started, and as whom: what a start and a restart check before anything is changed.
import type { Ids } from '../core/plan.ts';
import { StartError, exitStatus } from '../errors.ts';
import { isCurrentUser } from '../inputs/accounts.ts';
import { findProgram } from '../inputs/find-program.ts';
import type { Prepared } from './prepare.ts';

/** @throws {StartError} there is no command, or none that can be run. */
export function findApp({
  argv: [name],
  resolved,
  config,
}: Pick<Prepared, 'argv' | 'resolved' | 'config'>): string {
  if (name === undefined) {
    throw noCommandError();
  }

  const path = resolved.variables.find((variable) => variable.name === 'PATH')?.value;
  return findProgram(name, path, config.settings.cwd);
}

export function noCommandError(): StartError {
  return new StartError('E_USAGE', 'Cannot start: no command was given', {
    exitCode: exitStatus.usage,
    remedy: {
      where: 'command line',
      fix: 'Name it in CMD, beside ENTRYPOINT ["warp-init", "--"] (without brackets CMD is lost), or in `args` of warp.config.js.',
    },
  });
}

/** Undefined: who we are. */
export function accountOfApp({ account }: Pick<Prepared, 'account'>): Ids | undefined {
  return account !== undefined && isCurrentUser(account) ? undefined : account;
}
