// Whether a generation still is what is wanted.
import { closeSync, fstatSync, lstatSync, readlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';

import type { TreeEntry } from '../core/directory-tree.ts';
import { type Ownership, executableMode } from '../core/ownership.ts';
import { nameIn, openDirectory } from '../held-directory.ts';
import { isOwned, isSameFile, isThere } from './new-file.ts';
import { listOf } from './remove-tree.ts';

export type TreeOwnership = Ownership & { readonly directoryMode: number };

/** The same names, bytes, modes and owners, and nothing else. */
export function isSameTree(
  path: string,
  entries: readonly TreeEntry[],
  owner: TreeOwnership,
): boolean {
  const inside = new Map<string, TreeEntry[]>();
  for (const entry of entries) {
    const directory = dirname(entry.path);
    const others = inside.get(directory);
    if (others === undefined) {
      inside.set(directory, [entry]);
    } else {
      others.push(entry);
    }
  }

  return isThere(() => isSameDirectory(path, '.', { inside, owner }));
}

type Tree = {
  readonly inside: ReadonlyMap<string, readonly TreeEntry[]>;
  readonly owner: TreeOwnership;
};

/** Through descriptors: whoever it belongs to may be changing it. */
function isSameDirectory(path: string, name: string, tree: Tree): boolean {
  const { inside, owner } = tree;
  const entries = inside.get(name) ?? [];
  const directory = openDirectory(path);
  try {
    return (
      isOwned(fstatSync(directory), { ...owner, mode: owner.directoryMode }) &&
      listOf(directory).length === entries.length &&
      entries.every((entry) => isSameEntry(nameIn(directory, basename(entry.path)), entry, tree))
    );
  } finally {
    closeSync(directory);
  }
}

function isSameEntry(path: string, entry: TreeEntry, tree: Tree): boolean {
  switch (entry.kind) {
    case 'directory':
      return isSameDirectory(path, entry.path, tree);
    case 'file':
      return isSameFile(path, entry.content.reveal(), ownershipOf(entry, tree.owner));
    case 'link': {
      const { uid, gid } = lstatSync(path);
      return (
        uid === tree.owner.uid && gid === tree.owner.gid && readlinkSync(path) === entry.target
      );
    }
  }
}

export function ownershipOf(entry: TreeEntry, owner: Ownership): Ownership {
  const isExecutable = entry.kind === 'file' && entry.isExecutable;
  return isExecutable ? { ...owner, mode: executableMode(owner.mode) } : owner;
}
