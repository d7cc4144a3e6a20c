// The parts that a file and a directory of files have in common when they are replaced: new ones are made beside the old
// ones under names of our own, which a crash leaves behind and the next write removes.
//
// Paths are held ones (held-directory.ts): the directory may belong to the app, which then may put anything under any name in it.
// So names are only made new, renamed and unlinked; what is opened is opened without links, and looked at by descriptor.
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

import type { Ownership } from '../core/ownership.ts';
import { errnoOf } from '../errors.ts';
import { readHeldFile } from '../held-file.ts';

/** `.NAME.warp-init-ID` beside `path`, not yet there: several containers may share the directory. */
export function nameBeside(path: string): string {
  const id = Math.random().toString(36).slice(2, 12);
  return join(dirname(path), `.${basename(path)}${mark}${id}`);
}

const mark = '.warp-init-';

/** The names of this form beside `path`, without their directory. */
export function namesBeside(path: string): string[] {
  const prefix = `.${basename(path)}${mark}`;
  return listNames(dirname(path)).filter((name) => name.startsWith(prefix));
}

/** Ends the name of what is not whole yet. */
export const unfinished = '.new';

/**
 * Longer than anybody takes to make one. An init in another container may be at it right now, for the same change: a
 * directory that is removed under its hands it would finish, and show without what was in it.
 */
const leftoverMs = 60_000;

/** What an earlier init left when it was killed in the middle. A living one beside us that is slower starts over: {@link retry}. */
export function removeUnfinished(path: string, remove = removeFile): void {
  for (const name of namesBeside(path)) {
    const made = join(dirname(path), name);
    if (name.endsWith(unfinished) && ageOf(made) > leftoverMs) {
      remove(made);
    }
  }
}

/** By the clocks of all who share the directory, whichever is ahead. 0 for what is not there any more. */
export function ageOf(path: string): number {
  const madeMs = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return madeMs === undefined ? 0 : Math.abs(Date.now() - madeMs);
}

/** Unless it is a directory: that is none of ours. */
export function removeFile(path: string): void {
  quietly(() => {
    unlinkSync(path);
  });
}

/** What cannot be removed does no harm: the next change tries again. */
export function quietly(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (errnoOf(error) === undefined) {
      throw error;
    }
  }
}

/** As often as others may begin while we write. */
const attempts = 50;

/** Again where what we were making is gone: an init in another container has taken it for a leftover. */
export function retry(work: () => void): void {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    try {
      work();
      return;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || attempt === attempts) {
        throw error;
      }
    }
  }
}

/** A file that nobody else may read before it has its owner and its mode; on the disk when this returns. */
export function createFile(path: string, bytes: Uint8Array, owner: Ownership): void {
  create(path, bytes, { ...owner, isDurable: true });
}

/** Without fsync(2), which takes a disk milliseconds: for what each start writes anew. */
export function createVolatileFile(path: string, bytes: Uint8Array, owner: Ownership): void {
  create(path, bytes, { ...owner, isDurable: false });
}

type NewFile = Ownership & { readonly isDurable: boolean };

function create(path: string, bytes: Uint8Array, owner: NewFile): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    writeFileSync(file, bytes);
    const { uid, gid } = fstatSync(file);
    if (uid !== owner.uid || gid !== owner.gid) {
      fchownSync(file, owner.uid, owner.gid);
    }

    // After the owner: chown(2) may take bits away, and the umask has.
    fchmodSync(file, owner.mode);
    if (owner.isDurable) {
      fsyncSync(file);
    }
  } finally {
    closeSync(file);
  }
}

/** Whether the file is there with just these bytes, mode and owner. One that cannot be read is not. */
export function isSameFile(path: string, bytes: Uint8Array, owner: Ownership): boolean {
  return isThere(
    () =>
      readHeldFile(path, (found) => isOwned(found, owner) && found.size === bytes.length)?.equals(
        bytes,
      ) === true,
  );
}

/** False where the system says that something is missing, of another kind, or closed to us. */
export function isThere(look: () => boolean): boolean {
  try {
    return look();
  } catch (error) {
    if (errnoOf(error) === undefined) {
      throw error;
    }

    return false;
  }
}

export function isOwned(
  found: { readonly mode: number; readonly uid: number; readonly gid: number },
  { mode, uid, gid }: Ownership,
): boolean {
  return (found.mode & 0o7777) === mode && found.uid === uid && found.gid === gid;
}

/** So that a rename in it outlives a power failure. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(directory);
  } catch (error) {
    // EINVAL: fsync(2) of file systems that have no way to do it for a directory.
    if (errnoOf(error) !== 'EINVAL') {
      throw error;
    }
  } finally {
    closeSync(directory);
  }
}

function listNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    // It may be writable and not readable (EACCES); leftovers then stay.
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'EACCES') {
      return [];
    }

    throw error;
  }
}
