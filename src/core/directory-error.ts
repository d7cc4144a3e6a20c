// Why the app cannot start in `init.cwd`: of check(1) before a start, of chdir(2) at one.
import { StartError, exitStatus } from '../errors.ts';

/** @param path - Undefined where the app stays where init was started. */
export function directoryError(path: string | undefined, errno: string): StartError {
  const rule = words[errno] ?? errno;
  return new StartError(
    'E_DIRECTORY',
    `Cannot start the app in ${path ?? 'the directory of init'}: ${rule} (${errno})`,
    {
      exitCode: exitStatus.config,
      remedy: {
        where: 'init.cwd',
        fix: 'Make it in the image (WORKDIR), or name a directory that the app’s user may enter.',
      },
    },
  );
}

const words: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such directory',
  ENOTDIR: 'it is no directory',
  EACCES: 'its user may not enter it',
};
