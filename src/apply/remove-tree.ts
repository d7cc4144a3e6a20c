// Removes a generation where the app may write: it may have put another directory in its place, before or while we are at it.
//
// So each directory is opened without following a link and emptied through its descriptor; and only those are that we have made for
// sure. A name of ours is no proof: who may write to a directory may rename those of root in it.
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';

import type { Ownership } from '../core/ownership.ts';
import { errnoOf } from '../errors.ts';
import { isOnlyOurs, nameIn, openDirectory } from '../held-directory.ts';
import { inTheWay } from './file-error.ts';
import { quietly } from './new-file.ts';

/**
 * The sticky bit of a directory that nobody but its owner may write to: it changes nothing, but nobody else can give it to one of root's,
 * and nobody wants it there. All that are unfinished have it.
 */
export const treeMark = 0o1000;

export function listOf(directory: number): string[] {
  return readdirSync(nameIn(directory, '.'));
}

/**
 * @param path - Held. What cannot be removed stays.
 * @param owner - Of the generation, once it is finished.
 */
export function removeTree(path: string, owner: Ownership): void {
  quietly(() => {
    const parent = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      remove(path, { owner, parent, depth: 0 });
    } finally {
      closeSync(parent);
    }
  });
}

type Place = { readonly owner: Ownership; readonly parent: number; readonly depth: number };

/** Archives have 32 levels; one descriptor is open for each. */
const mostLevels = 40;

function remove(path: string, place: Place): void {
  const directory = openIfDirectory(path);
  if (directory === undefined) {
    unlinkSync(path);
    return;
  }

  const { depth } = place;
  try {
    if (!isDisposable(directory, place) || depth > mostLevels) {
      throw inTheWay('ENOTEMPTY');
    }

    const below = { owner: ownerBelow(directory, place), parent: directory, depth: depth + 1 };
    for (const name of listOf(directory)) {
      remove(nameIn(directory, name), below);
    }
  } finally {
    closeSync(directory);
  }

  rmdirSync(path);
}

function openIfDirectory(path: string): number | undefined {
  try {
    return openDirectory(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR' || errnoOf(error) === 'ELOOP') {
      return undefined;
    }

    throw error;
  }
}

/** Nobody else can have put it there; or who owns it could empty it just as well; or it is marked. */
function isDisposable(directory: number, { owner, parent }: Place): boolean {
  const { uid, mode } = fstatSync(directory);
  return (
    isOnlyOurs(fstatSync(parent)) ||
    (uid === owner.uid && uid !== 0) ||
    (uid === process.geteuid?.() && (mode & (treeMark | 0o022)) === treeMark)
  );
}

/** The config may have named somebody else then. Where nobody can have replaced the generation, its owner could empty it just as well. */
function ownerBelow(directory: number, { owner, parent, depth }: Place): Ownership {
  return depth === 0 && isOnlyOurs(fstatSync(parent))
    ? { ...owner, uid: fstatSync(directory).uid }
    : owner;
}
