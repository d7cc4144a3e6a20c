// Why a file could not be written, in the words of errno(3).

/** `read-only file system (EROFS)`; a name that is not in the table stands alone. */
export function describeErrno(errno: string): string {
  const words = Object.hasOwn(reasons, errno) ? reasons[errno] : undefined;
  return words === undefined ? errno : `${words} (${errno})`;
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBUSY: 'it is a mount point',
  EDQUOT: 'the quota is used up',
  EEXIST: 'a file is in the way',
  EIO: 'the disk failed',
  EISDIR: 'it is a directory',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'a name in it is too long',
  ENOENT: 'its directory does not exist',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'a part of its path is not a directory',
  ENOTEMPTY: 'a directory with files in it is in the way',
  EPERM: 'operation not permitted, it may be immutable',
  EROFS: 'read-only file system',
  ETXTBSY: 'it is in use as a program',
};
