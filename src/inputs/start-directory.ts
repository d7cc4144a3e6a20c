// `init.cwd` before the app is started in it. Whether the app's user may enter it only that user finds out.
import { statSync } from 'node:fs';

import { directoryError } from '../core/directory-error.ts';
import { type StartError, errnoOf } from '../errors.ts';

/** Undefined: it is there. */
export function problemOfDirectory(path: string): StartError | undefined {
  const errno = errnoOfDirectory(path);
  return errno === undefined ? undefined : directoryError(path, errno);
}

function errnoOfDirectory(path: string): string | undefined {
  try {
    return statSync(path).isDirectory() ? undefined : 'ENOTDIR';
  } catch (error) {
    return errnoOf(error) ?? 'unknown error';
  }
}
