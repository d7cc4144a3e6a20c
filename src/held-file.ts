// A file that somebody else may own: whoever does may have put a link, a FIFO or an endless device under its name.
import { type Stats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/**
 * @param path - Held (held-directory.ts).
 * @param isWanted - Of a plain file, before any of it is read. The size is what is read at most.
 * @returns undefined for what is not wanted, or has become shorter meanwhile. All else throws the system.
 */
export function readHeldFile(
  path: string,
  isWanted: (found: Stats) => boolean,
): Buffer | undefined {
  // A FIFO would block for good, and so would a lease: fcntl(2).
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = fstatSync(file);
    return found.isFile() && isWanted(found) ? readBytes(file, found.size) : undefined;
  } finally {
    closeSync(file);
  }
}

/** Not to its end: who owns it may add to it all the time. */
function readBytes(file: number, sizeBytes: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  return readSync(file, bytes) === sizeBytes ? bytes : undefined;
}
