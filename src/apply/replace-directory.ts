// Writes a directory for the app as a whole: it is a symbolic link to a generation beside it, and the link is replaced.
//
// tls -> .tls.warp-init-k3v9, and at the next change -> .tls.warp-init-x71p. rename(2) of the link is atomic, so whoever
// resolves it once (opens the directory, or calls realpath) reads files that belong together, until the change after next:
// the generation before the current one is kept.
//
// The app may own the directory that all this is in. So a generation is built through a descriptor, under a root that nobody else may
// enter: below it paths are safe. It gets its owner last, and through the descriptor.
import {
  chmodSync,
  closeSync,
  fstatSync,
  lchownSync,
  lstatSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

import type { TreeEntry } from '../core/directory-tree.ts';
import { type Ownership, directoryMode } from '../core/ownership.ts';
import {
  UntrustedPathError,
  isOnlyOurs,
  makeDirectory,
  nameIn,
  openDirectory,
  withHeldParent,
} from '../held-directory.ts';
import { fileError, inTheWay } from './file-error.ts';
import {
  ageOf,
  createFile,
  nameBeside,
  namesBeside,
  removeUnfinished,
  retry,
  syncDirectory,
  unfinished,
} from './new-file.ts';
import { listOf, removeTree, treeMark } from './remove-tree.ts';
import { type TreeOwnership, isSameTree, ownershipOf } from './same-tree.ts';
import type { FileChange } from './write-file.ts';

/**
 * Where the current generation has the same names, bytes, modes and owners, nothing is done. An empty directory at `path`
 * gives way to the link, and so does a link to somewhere else.
 *
 * @param owner - Its mode is that of the files; those of directories and programs follow from it.
 * @throws {StartError} E_FILE, 73. What was at `path` is still there.
 */
export function replaceDirectory(
  path: string,
  entries: readonly TreeEntry[],
  owner: Ownership,
): FileChange {
  try {
    return withHeldParent(path, (held) => replaceHeld(held, entries, ofDirectories(held, owner)));
  } catch (error) {
    throw fileError(path, error, owner);
  }
}

/** Where others may write beside them, those of root are marked, so that it knows them again when it is their turn to go. */
function ofDirectories(path: string, owner: Ownership): TreeOwnership {
  const isMarked = owner.uid === 0 && !isOnlyOurs(statSync(dirname(path)));
  return { ...owner, directoryMode: directoryMode(owner.mode) | (isMarked ? treeMark : 0) };
}

function replaceHeld(
  path: string,
  entries: readonly TreeEntry[],
  owner: TreeOwnership,
): FileChange {
  removeUnfinished(path, (left) => {
    removeTree(left, owner);
  });
  const current = readGeneration(path);
  if (current !== undefined && isSameTree(join(dirname(path), current), entries, owner)) {
    return 'unchanged';
  }

  refuseOccupied(path);
  retry(() => {
    replace(path, entries, owner);
  });
  syncDirectory(dirname(path));
  removeOlder(path, current, owner);
  return 'written';
}

/** The name that the link holds, if it is one of ours. */
function readGeneration(path: string): string | undefined {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) {
    return undefined;
  }

  const target = readlinkSync(path);
  return namesBeside(path).find((name) => name === target);
}

function refuseOccupied(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isSymbolicLink()) {
    return;
  }

  if (!found.isDirectory()) {
    throw inTheWay('EEXIST');
  }

  if (readdirSync(path).length > 0) {
    throw inTheWay('ENOTEMPTY');
  }
}

function replace(path: string, entries: readonly TreeEntry[], owner: TreeOwnership): void {
  const generation = nameBeside(path);
  const link = `${generation}-link${unfinished}`;
  try {
    build(generation + unfinished, entries, owner);
    renameSync(generation + unfinished, generation);
    symlinkSync(basename(generation), link);
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
      rmdirSync(path);
    }

    renameSync(link, path);
  } catch (error) {
    for (const left of [generation + unfinished, link, generation]) {
      removeTree(left, owner);
    }

    throw error;
  }
}

function build(path: string, entries: readonly TreeEntry[], owner: TreeOwnership): void {
  makeDirectory(path, 0o700 | treeMark);
  const root = openDirectory(path);
  try {
    refuseAnother(root);
    fill(root, entries, owner);
  } finally {
    closeSync(root);
  }
}

/** Whoever may write beside it can have put another one in its place. An empty one of ours is as good. */
function refuseAnother(root: number): void {
  const { uid, mode } = fstatSync(root);
  if (uid !== process.geteuid?.() || (mode & 0o022) !== 0 || listOf(root).length > 0) {
    throw new UntrustedPathError('somebody else has replaced a directory that init has just made');
  }
}

/** Nobody but init can enter `root` before all of it is there. */
function fill(root: number, entries: readonly TreeEntry[], owner: TreeOwnership): void {
  const directories = ['.'];
  for (const entry of entries) {
    const path = nameIn(root, entry.path);
    switch (entry.kind) {
      case 'directory':
        makeDirectory(path, 0o700 | treeMark);
        directories.push(entry.path);
        break;
      case 'file':
        createFile(path, entry.content.reveal(), ownershipOf(entry, owner));
        break;
      case 'link':
        symlinkSync(entry.target, path);
        give(path, owner);
        break;
    }
  }

  // From the inside out: a directory that is no longer ours may be closed to us, and its owner may change it.
  for (const name of directories.toReversed()) {
    const path = nameIn(root, name);
    syncDirectory(path);
    chmodSync(path, owner.directoryMode);
    give(path, owner);
  }
}

function give(path: string, owner: Ownership): void {
  const { uid, gid } = lstatSync(path);
  if (uid !== owner.uid || gid !== owner.gid) {
    lchownSync(path, owner.uid, owner.gid);
  }
}

/** What an init in another container may just be about to point to is left to the next change. */
const youngMs = 5000;

function removeOlder(path: string, previous: string | undefined, owner: Ownership): void {
  const kept = new Set([readGeneration(path), previous]);
  for (const name of namesBeside(path)) {
    const generation = join(dirname(path), name);
    if (!name.endsWith(unfinished) && !kept.has(name) && ageOf(generation) > youngMs) {
      removeTree(generation, owner);
    }
  }
}
