// Why a file or a directory of the app cannot be written, and what to do about it.
import type { Ownership } from '../core/ownership.ts';
import { StartError, errnoOf, exitStatus } from '../errors.ts';
import { UntrustedPathError } from '../held-directory.ts';
import { describeErrno } from './describe-errno.ts';

/** E_FILE, 73; an error that is none of the system's stays what it is. */
export function fileError(path: string, error: unknown, { uid, gid }: Ownership): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || error instanceof StartError) {
    return error;
  }

  if (error instanceof UntrustedPathError) {
    return new StartError('E_FILE', `Cannot write ${path}: ${error.message}`, {
      exitCode: exitStatus.cannotWrite,
      remedy: {
        where: path,
        fix: 'Name the directory itself, without a link, or one that only root may change.',
      },
      cause: error,
    });
  }

  const isOwner = errno === 'EPERM' && isChown(error);
  const message = isOwner
    ? `Cannot give ${path} to uid ${uid}, gid ${gid}: operation not permitted (EPERM)`
    : `Cannot write ${path}: ${describeErrno(errno)}`;
  return new StartError('E_FILE', message, {
    exitCode: exitStatus.cannotWrite,
    remedy: {
      where: path,
      fix: isOwner
        ? 'Run init as root with the capability CHOWN, or leave out `user` and `group`.'
        : (fixes[errno] ?? 'Name a path that init can write.'),
    },
    cause: error,
  });
}

/** Found before the system had to say it. */
export function inTheWay(errno: 'EEXIST' | 'ENOTEMPTY'): Error {
  return Object.assign(new Error(errno), { code: errno });
}

function isChown(error: unknown): boolean {
  return (
    error instanceof Error &&
    'syscall' in error &&
    typeof error.syscall === 'string' &&
    error.syscall.endsWith('chown')
  );
}

const fixes: Readonly<Record<string, string>> = {
  EBUSY: 'Mount the directory above instead, or name a path inside of it.',
  EEXIST: 'Remove the file, or name another path.',
  EISDIR: 'Name a path inside of it, or remove the directory.',
  ENOSPC: 'Make room there, or name a path on another file system.',
  ENOTEMPTY: 'Name a new directory inside of it, or remove what is in it.',
  EROFS: 'Mount a volume or a tmpfs there, or name another path.',
};
