// `init.cwd` before the app is started in it.
import { directoryError } from '../core/directory-error.ts';
import type { StartError } from '../errors.ts';
import { type Visitor, foreseeChdir } from './foresee-exec.ts';

/** Undefined: it is there, and the visitor may enter it. */
export function problemOfDirectory(path: string, visitor: Visitor): StartError | undefined {
  const errno = foreseeChdir(path, visitor);
  return errno === undefined ? undefined : directoryError(path, errno);
}
