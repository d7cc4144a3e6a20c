// Writes a directory for the app as a whole: it is a symbolic link to a generation beside it, and the link is replaced.
//
// tls -> .tls.warp-init-k3v9, and at the next change -> .tls.warp-init-x71p. rename(2) of the link is atomic, so whoever
// resolves it once (opens the directory, or calls realpath) reads files that belong together, until the change after next:
// the generation before the current one is kept.
import {
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  rmdirSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

import type { TreeEntry } from '../core/directory-tree.ts';
import { type Ownership, directoryMode, executableMode } from '../core/ownership.ts';
import { errnoOf } from '../errors.ts';
import { fileError, inTheWay } from './file-error.ts';
import {
  ageOf,
  createFile,
  isOwned,
  isSameFile,
  makeParents,
  nameBeside,
  namesBeside,
  removeQuietly,
  removeUnfinished,
  retry,
  syncDirectory,
  unfinished,
} from './new-file.ts';
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
    removeUnfinished(path);
    const current = readGeneration(path);
    if (current !== undefined && isSameTree(join(dirname(path), current), entries, owner)) {
      return 'unchanged';
    }

    refuseOccupied(path);
    makeParents(path);
    retry(() => {
      replace(path, entries, owner);
    });
    syncDirectory(dirname(path));
    removeOlder(path, current);
    return 'written';
  } catch (error) {
    throw fileError(path, error, owner);
  }
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

function replace(path: string, entries: readonly TreeEntry[], owner: Ownership): void {
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
      rmSync(left, { recursive: true, force: true });
    }

    throw error;
  }
}

/** Nobody but init can enter `root` before all of it is there. */
function build(root: string, entries: readonly TreeEntry[], owner: Ownership): void {
  const directories = [root];
  mkdirSync(root, { mode: 0o700 });
  for (const entry of entries) {
    const path = join(root, entry.path);
    switch (entry.kind) {
      case 'directory':
        mkdirSync(path, { mode: 0o700 });
        directories.push(path);
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

  // From the inside out: a directory that is no longer ours may be closed to us.
  for (const path of directories.toReversed()) {
    syncDirectory(path);
    chmodSync(path, directoryMode(owner.mode));
    give(path, owner);
  }
}

function ownershipOf(entry: TreeEntry, owner: Ownership): Ownership {
  const isExecutable = entry.kind === 'file' && entry.isExecutable;
  return isExecutable ? { ...owner, mode: executableMode(owner.mode) } : owner;
}

function give(path: string, owner: Ownership): void {
  const { uid, gid } = lstatSync(path);
  if (uid !== owner.uid || gid !== owner.gid) {
    lchownSync(path, owner.uid, owner.gid);
  }
}

function isSameTree(root: string, entries: readonly TreeEntry[], owner: Ownership): boolean {
  try {
    return (
      isSameDirectory(root, owner) &&
      countEntries(root) === entries.length &&
      entries.every((entry) => isSameEntry(join(root, entry.path), entry, owner))
    );
  } catch (error) {
    if (errnoOf(error) === undefined) {
      throw error;
    }

    // Something is missing, or closed to us.
    return false;
  }
}

function isSameEntry(path: string, entry: TreeEntry, owner: Ownership): boolean {
  switch (entry.kind) {
    case 'directory':
      return isSameDirectory(path, owner);
    case 'file':
      return isSameFile(path, entry.content.reveal(), ownershipOf(entry, owner));
    case 'link': {
      const { uid, gid } = lstatSync(path);
      return uid === owner.uid && gid === owner.gid && readlinkSync(path) === entry.target;
    }
  }
}

function isSameDirectory(path: string, owner: Ownership): boolean {
  const found = lstatSync(path);
  return found.isDirectory() && isOwned(found, { ...owner, mode: directoryMode(owner.mode) });
}

function countEntries(directory: string): number {
  return readdirSync(directory, { withFileTypes: true }).reduce(
    (sum, entry) => sum + 1 + (entry.isDirectory() ? countEntries(join(directory, entry.name)) : 0),
    0,
  );
}

/** What an init in another container may just be about to point to is left to the next change. */
const youngMs = 5000;

function removeOlder(path: string, previous: string | undefined): void {
  const kept = new Set([readGeneration(path), previous]);
  for (const name of namesBeside(path)) {
    const generation = join(dirname(path), name);
    if (!name.endsWith(unfinished) && !kept.has(name) && ageOf(generation) > youngMs) {
      removeQuietly(generation);
    }
  }
}
