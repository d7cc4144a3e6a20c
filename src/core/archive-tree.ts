// The entries of an archive as a directory, or the rule that one of them breaks. An archive is not trusted: what it holds
// stays below the directory that it is unpacked into, and nothing in it is more than a file, a directory or a link.
//
// No entry is ever taken in another sense than it was written: an archive with a single bad one is refused as a whole.
import type { TreeEntry } from './directory-tree.ts';
import { SecretBytes } from './secret.ts';

/** As it stands in the archive. */
export type ArchiveEntry = {
  readonly path: string;
  /** In the words of the package tar: `File`, `Directory`, `SymbolicLink`, `Link`, `CharacterDevice`, … */
  readonly type: string;
  /** Permission bits, those above 0o777 too. */
  readonly mode: number;
  /** Of a link, else empty. */
  readonly linkPath: string;
  readonly bytes: Uint8Array;
};

export type ArchiveLimits = {
  readonly entries: number;
  /** Of all files together; a hard link counts as the file that it names. */
  readonly bytes: number;
  readonly depth: number;
};

export type ArchiveTree =
  | { readonly ok: true; readonly entries: readonly TreeEntry[] }
  /** Names and targets are a part of the secret, so `rule` counts the entries, from 1, as `tar -t` lists them. */
  | { readonly ok: false; readonly rule: string };

export function buildTree(entries: readonly ArchiveEntry[], limits: ArchiveLimits): ArchiveTree {
  const tree: Tree = new Map();
  let size = 0;
  for (const [index, entry] of entries.entries()) {
    const number = index + 1;
    const added = addEntry(tree, { entry, number }, limits);
    if (typeof added === 'string') {
      return { ok: false, rule: `entry ${number} ${added}` };
    }

    size += added;
    if (size > limits.bytes) {
      return { ok: false, rule: `its files have more than ${limits.bytes} bytes` };
    }
  }

  if (tree.size > limits.entries) {
    return { ok: false, rule: `it has more than ${limits.entries} entries` };
  }

  const stray = findStrayLink(tree);
  return stray === undefined
    ? { ok: true, entries: Array.from(tree.values(), ({ made }) => made) }
    : { ok: false, rule: `entry ${stray} is a link to nothing in the archive` };
}

/** By path. The number is that of the entry that it comes from. */
type Tree = Map<string, { readonly made: TreeEntry; readonly number: number }>;

type Numbered = { readonly entry: ArchiveEntry; readonly number: number };

/** The bytes that it adds, or what is wrong with it. */
function addEntry(
  tree: Tree,
  { entry, number }: Numbered,
  { depth }: ArchiveLimits,
): number | string {
  const parsed = parsePath(entry.path);
  if (!parsed.ok) {
    return parsed.rule;
  }

  const { names } = parsed;
  const path = names.join('/');
  const isDirectory = directoryTypes.has(entry.type);
  if (names.length > depth) {
    return `is more than ${depth} names deep`;
  }

  if (path === '') {
    return isDirectory ? 0 : 'has the path of the directory itself';
  }

  if (!addDirectories(tree, names.slice(0, -1), number)) {
    return 'is below something that is no directory';
  }

  const earlier = tree.get(path)?.made;
  if (earlier !== undefined) {
    return isDirectory && earlier.kind === 'directory' ? 0 : 'has a path that an earlier one has';
  }

  const made = toTreeEntry(tree, entry, path);
  if (typeof made === 'string') {
    return made;
  }

  tree.set(path, { made, number });
  return made.kind === 'file' ? made.content.reveal().length : 0;
}

const directoryTypes: ReadonlySet<string> = new Set(['Directory', 'GNUDumpDir']);
const fileTypes: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile']);

type ParsedPath =
  | { readonly ok: true; readonly names: readonly string[] }
  | { readonly ok: false; readonly rule: string };

/** NAME_MAX, and less than PATH_MAX: this is only the end of a path. */
const longestName = 255;
const longestPath = 2048;

function parsePath(path: string): ParsedPath {
  if (byteLength(path) > longestPath) {
    return { ok: false, rule: `has a path of more than ${longestPath} bytes` };
  }

  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  const rules: readonly (readonly [isBroken: boolean, rule: string])[] = [
    [path.startsWith('/'), 'has an absolute path'],
    [names.includes('..'), 'has .. in its path'],
    [path.includes('\0'), 'has a NUL in its path'],
    [path.includes('\ufffd'), 'has a path that is not UTF-8'],
    [
      names.some((name) => byteLength(name) > longestName),
      `has a name of more than ${longestName} bytes`,
    ],
  ];
  const broken = rules.find(([isBroken]) => isBroken);
  return broken === undefined ? { ok: true, names } : { ok: false, rule: broken[1] };
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Those that the archive left out. False where something else is in the way. */
function addDirectories(tree: Tree, names: readonly string[], number: number): boolean {
  for (const index of names.keys()) {
    const path = names.slice(0, index + 1).join('/');
    const there = tree.get(path)?.made;
    if (there === undefined) {
      tree.set(path, { made: { kind: 'directory', path }, number });
    } else if (there.kind !== 'directory') {
      return false;
    }
  }

  return true;
}

function toTreeEntry(tree: Tree, entry: ArchiveEntry, path: string): TreeEntry | string {
  const { type, mode, bytes, linkPath } = entry;
  if (directoryTypes.has(type)) {
    return { kind: 'directory', path };
  }

  if (fileTypes.has(type)) {
    return (mode & 0o7000) === 0
      ? { kind: 'file', path, content: new SecretBytes(bytes), isExecutable: (mode & 0o100) !== 0 }
      : 'has a setuid, setgid or sticky bit';
  }

  switch (type) {
    case 'SymbolicLink':
      return parseTarget(linkPath)
        ? { kind: 'link', path, target: linkPath }
        : 'is a link with a target that is absolute, too long, or no text';
    case 'Link': {
      // Written as a file of its own: for who only reads them the two are the same.
      const target = parsePath(linkPath);
      const file = target.ok ? tree.get(target.names.join('/'))?.made : undefined;
      return file?.kind === 'file'
        ? { ...file, path }
        : 'is a hard link to what is no file before it in the archive';
    }
    default:
      return `is a ${type}: only files, directories and links are unpacked`;
  }
}

function parseTarget(target: string): boolean {
  return !target.startsWith('/') && !/[\0\ufffd]/.test(target) && byteLength(target) <= longestPath;
}

/** The number of a link that leads out of the tree, or nowhere. */
function findStrayLink(tree: Tree): number | undefined {
  const budget = { steps: mostSteps };
  for (const { made, number } of tree.values()) {
    if (made.kind === 'link' && !leadsInside(tree, made.path, budget)) {
      return number;
    }
  }

  return undefined;
}

/** Of all links together: long chains of long links are an attack on our time. */
const mostSteps = 500_000;

/** MAXSYMLINKS of Linux. */
const mostLinks = 40;

/** Walks as the kernel would, link by link: `a/..` is not where `a` stands if `a` is a link. */
function leadsInside(tree: Tree, path: string, budget: { steps: number }): boolean {
  // Reversed: the next name is the last one.
  const ahead = path.split('/').toReversed();
  const at: string[] = [];
  let links = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    budget.steps -= 1;
    if (budget.steps < 0 || links > mostLinks || (name === '..' && at.length === 0)) {
      return false;
    }

    if (name === '..') {
      at.pop();
    } else if (name !== '' && name !== '.') {
      const entry = tree.get([...at, name].join('/'))?.made;
      if (entry === undefined || (entry.kind === 'file' && ahead.length > 0)) {
        return false;
      }

      if (entry.kind === 'link') {
        links += 1;
        ahead.push(...entry.target.split('/').toReversed());
      } else {
        at.push(name);
      }
    }
  }

  return true;
}
