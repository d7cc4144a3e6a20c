// Writes a file for the app: a reader finds the old one or the new one, whole, whenever it looks.
//
// rename(2) does that. The new file is made beside its target, so that both are on one file system. It cannot replace a
// mount point (EBUSY) or a directory (EISDIR).
import { renameSync } from 'node:fs';
import { dirname } from 'node:path';

import type { Ownership } from '../core/ownership.ts';
import { withHeldParent } from '../held-directory.ts';
import { fileError } from './file-error.ts';
import {
  createFile,
  createVolatileFile,
  isSameFile,
  nameBeside,
  removeFile,
  removeUnfinished,
  retry,
  syncDirectory,
  unfinished,
} from './new-file.ts';

export type FileChange = 'written' | 'unchanged';

/**
 * Where bytes, mode and owner are right already, nothing is done: the file keeps its inode and its times. A symbolic link
 * at `path` is replaced, not followed. Missing directories above are made, mode 0755.
 *
 * @throws {StartError} E_FILE, 73. What was at `path` is still there.
 */
export function writeFile(path: string, bytes: Uint8Array, owner: Ownership): FileChange {
  return change(path, owner, (held) => {
    removeUnfinished(held);
    if (isSameFile(held, bytes, owner)) {
      return 'unchanged';
    }

    replace(held, (temporary) => createFile(temporary, bytes, owner));
    syncDirectory(dirname(held));
    return 'written';
  });
}

/**
 * The same for what each start writes anew: as whole for a reader, but a power failure may leave an empty file, and no start
 * waits for a disk.
 *
 * @throws {StartError} E_FILE, 73.
 */
export function writeVolatileFile(path: string, bytes: Uint8Array, owner: Ownership): FileChange {
  return change(path, owner, (held) => {
    if (isSameFile(held, bytes, owner)) {
      return 'unchanged';
    }

    removeUnfinished(held);
    replace(held, (temporary) => createVolatileFile(temporary, bytes, owner));
    return 'written';
  });
}

function change(path: string, owner: Ownership, work: (held: string) => FileChange): FileChange {
  try {
    return withHeldParent(path, work);
  } catch (error) {
    throw fileError(path, error, owner);
  }
}

function replace(path: string, create: (temporary: string) => void): void {
  retry(() => {
    replaceOnce(path, create);
  });
}

function replaceOnce(path: string, create: (temporary: string) => void): void {
  const temporary = nameBeside(path) + unfinished;
  try {
    create(temporary);
    renameSync(temporary, path);
  } catch (error) {
    removeFile(temporary);
    throw error;
  }
}
