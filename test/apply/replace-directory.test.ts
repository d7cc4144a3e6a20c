import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';

import { replaceDirectory } from '../../src/apply/replace-directory.ts';
import { buildTree } from '../../src/core/archive-tree.ts';
import type { TreeEntry } from '../../src/core/directory-tree.ts';
import type { Ownership } from '../../src/core/ownership.ts';
import { SecretBytes } from '../../src/core/secret.ts';
import { StartError } from '../../src/errors.ts';
import { cannotMount, mountNamespace } from '../helpers/mount-namespace.ts';

const directory = mkdtempSync(join(tmpdir(), 'generations-'));
const tsx = createRequire(import.meta.url).resolve('tsx');
const isRoot = process.getuid?.() === 0;
const ours = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
const owner: Ownership = { mode: 0o400, ...ours };

afterAll(() => rmSync(directory, { recursive: true }));

const first: readonly TreeEntry[] = [
  file('cert.pem', 'CERT 1'),
  { kind: 'directory', path: 'private' },
  file('private/key.pem', 'KEY 1'),
  file('private/renew', '#!/bin/sh\n', true),
  { kind: 'link', path: 'current', target: 'private' },
];
const second = [file('cert.pem', 'CERT 2'), ...first.slice(1)];

describe('a directory is written', () => {
  test('as a link to a generation beside it, with names, bytes, modes and links', () => {
    const path = newPath();

    expect(replaceDirectory(path, first, owner)).toBe('written');
    expect(readlinkSync(path)).toMatch(/^\.tls\.warp-init-[a-z0-9]+$/);
    expect(listed(path)).toEqual({
      '': 'directory 700',
      'cert.pem': 'file 400: CERT 1',
      private: 'directory 700',
      'private/key.pem': 'file 400: KEY 1',
      'private/renew': 'file 500: #!/bin/sh\n',
      current: 'link: private',
    });
    expect(readdirSync(dirname(path))).toHaveLength(2);
  });

  test('so that whoever may read the files may enter it', () => {
    const path = newPath();
    const umask = process.umask(0o077);
    replaceDirectory(join(path, 'deeper'), first, { ...owner, mode: 0o440 });
    process.umask(umask);

    expect(listed(join(path, 'deeper'))).toMatchObject({
      '': 'directory 750',
      private: 'directory 750',
      'private/key.pem': 'file 440: KEY 1',
      'private/renew': 'file 550: #!/bin/sh\n',
    });
    expect(statSync(path).mode & 0o777).toBe(0o755);
  });

  test.skipIf(!isRoot)('with all that is in it for another user and group', () => {
    const path = newPath();
    replaceDirectory(path, first, { mode: 0o440, uid: 1234, gid: 5678 });

    const all = ['', 'cert.pem', 'private', 'private/key.pem', 'current'];
    expect(all.map((name) => lstatSync(join(realpathSync(path), name)))).toEqual(
      all.map(() => expect.objectContaining({ uid: 1234, gid: 5678 })),
    );
  });

  test('in place of an empty directory, and of a link to somewhere else', () => {
    const [one, two] = [newPath(), newPath()];
    mkdirSync(one);
    symlinkSync('/nowhere', two);

    expect(replaceDirectory(one, first, owner)).toBe('written');
    expect(replaceDirectory(two, first, owner)).toBe('written');
    expect(listed(one)).toEqual(listed(two));
  });

  test('also without anything in it', () => {
    const path = newPath();
    expect(replaceDirectory(path, [], owner)).toBe('written');
    expect(replaceDirectory(path, [], owner)).toBe('unchanged');
    expect(readdirSync(path)).toEqual([]);
  });
});

describe('a directory that is right already keeps its generation', () => {
  const key = 'private/key.pem';
  test.each<[string, (path: string) => void, 'written' | 'unchanged']>([
    ['nothing changed', () => {}, 'unchanged'],
    ['a byte changed', (path) => writeFileSync(join(path, key), 'KEY 2'), 'written'],
    ['a file is gone', (path) => rmSync(join(path, key)), 'written'],
    ['a file is there too many', (path) => writeFileSync(join(path, 'x'), ''), 'written'],
    ['a file has another name', (path) => rename(path, key, 'private/key'), 'written'],
    ['a mode changed', (path) => chmodSync(join(path, key), 0o644), 'written'],
    [
      'the mode of a directory changed',
      (path) => chmodSync(join(path, 'private'), 0o777),
      'written',
    ],
    ['its own mode changed', (path) => chmodSync(path, 0o777), 'written'],
    ['a link leads elsewhere', (path) => relink(path, 'current', '/etc'), 'written'],
    ['a file became a link', (path) => relink(path, key, '../cert.pem'), 'written'],
    ['the link is gone', (path) => unlinkSync(path), 'written'],
    [
      'the generation is gone',
      (path) => rmSync(realpathSync(path), { recursive: true }),
      'written',
    ],
    [
      'an owner changed',
      (path) => (isRoot ? lchownSync(join(path, 'current'), 1, 1) : rmSync(join(path, key))),
      'written',
    ],
  ])('%s', (_what, change, result) => {
    const path = newPath();
    replaceDirectory(path, first, owner);
    const generation = readlinkSync(path);
    const right = listed(path);
    change(path);

    expect(replaceDirectory(path, first, owner)).toBe(result);
    expect(readlinkSync(path) === generation).toBe(result === 'unchanged');
    expect(listed(path)).toEqual(right);
  });
});

describe('a change', () => {
  test('keeps the generation before it, and removes the older ones', () => {
    const path = newPath();
    const generations: string[] = [];
    for (const entries of [first, second, first, second]) {
      replaceDirectory(path, entries, owner);
      generations.push(readlinkSync(path));
      for (const name of generationsOf(path)) {
        utimesSync(join(dirname(path), name), 1000, 1000);
      }
    }

    expect(new Set(generations).size).toBe(4);
    expect(generationsOf(path).toSorted()).toEqual(generations.slice(2).toSorted());
  });

  test('leaves a generation that another init has just made', () => {
    const path = newPath();
    replaceDirectory(path, first, owner);
    const foreign = join(dirname(path), '.tls.warp-init-foreign');
    mkdirSync(foreign);

    replaceDirectory(path, second, owner);
    expect(generationsOf(path)).toContain('.tls.warp-init-foreign');
  });

  test('removes what a killed init left half done', () => {
    const path = newPath();
    const half = join(dirname(path), '.tls.warp-init-abc.new');
    mkdirSync(half);
    writeFileSync(join(half, 'key.pem'), 'KEY 0');
    const link = join(dirname(path), '.tls.warp-init-abc-link.new');
    symlinkSync('.tls.warp-init-abc', link);
    for (const left of [half, link]) {
      lutimesSync(left, 1000, 1000);
    }

    replaceDirectory(path, first, owner);

    expect(generationsOf(path)).toEqual([readlinkSync(path)]);
  });

  test('by two inits at once, as two containers do that share a volume, is never shown in parts', async () => {
    const path = newPath();
    const names = Array.from({ length: 30 }, (_, index) => `file-${index}`);
    const program = `
      import { readdirSync } from 'node:fs';
      import { replaceDirectory } from '${join(process.cwd(), 'src/apply/replace-directory.ts')}';
      import { SecretBytes } from '${join(process.cwd(), 'src/core/secret.ts')}';
      const { path, names, owner, endMs } = JSON.parse(process.argv[1]);
      for (let now = Date.now(); now < endMs; now = Date.now()) {
        const content = SecretBytes.ofText(String(Math.floor(now / 20)));
        const files = names.map((name) => ({ kind: 'file', path: name, content, isExecutable: false }));
        replaceDirectory(path, files, owner);
        const found = readdirSync(path).length;
        if (found !== names.length) throw new Error('there are ' + found);
      }`;
    const given = JSON.stringify({ path, names, owner, endMs: Date.now() + 4000 });
    const both = [1, 2].map(() =>
      spawn(process.execPath, ['--import', tsx, '--input-type=module', '-e', program, given], {
        stdio: 'inherit',
      }),
    );
    const ends = await Promise.all(both.map((each) => once(each, 'exit')));
    expect(ends.map(([status]: unknown[]) => status)).toEqual([0, 0]);
  });

  test('is seen whole by a reader in a tight loop that resolves the directory once', async () => {
    const path = newPath();
    const names = ['a', 'b', 'inner/c'];
    const entries = (generation: number): TreeEntry[] => [
      { kind: 'directory', path: 'inner' },
      ...names.map((name) => file(name, `${`${generation}\n`.repeat(2000)}end`)),
    ];
    replaceDirectory(path, entries(1), owner);
    const args = ['fixtures/programs/generation-reader.mjs', path, ...names];
    const reader = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void reader.kill());
    const lines = createInterface(reader.stdout)[Symbol.asyncIterator]();

    for (let generation = 2; generation < 200; generation += 1) {
      // Not two changes in one pass of the reader: the generation before is all that is kept.
      expect((await lines.next()).value).toBe(String(generation - 1));
      for (const name of generationsOf(path)) {
        utimesSync(join(dirname(path), name), 1000, 1000);
      }

      replaceDirectory(path, entries(generation), owner);
    }

    await lines.next();
    replaceDirectory(path, entries(0), owner);
    await lines.next();
    expect(JSON.parse((await lines.next()).value ?? '')).toEqual({
      reads: expect.toSatisfy((reads) => reads > 199),
      torn: 0,
      mixed: 0,
      errors: [],
    });
    expect(generationsOf(path)).toHaveLength(2);
  });
});

describe('a directory that cannot be written stops the start with status 73', () => {
  test.each<[string, (path: string) => void, string]>([
    ['files of others are in it', fill, 'a directory with files in it is in the way (ENOTEMPTY)'],
    ['a file is there', (path) => writeFileSync(path, 'x'), 'a file is in the way (EEXIST)'],
    ['its parent is a file', (path) => block(path), '(ENOTDIR)'],
  ])('because %s', (_what, prepare, reason) => {
    const path = join(newPath(), 'tls');
    mkdirSync(dirname(path));
    prepare(path);
    const before = readdirSync(dirname(dirname(path)), { recursive: true });

    const error = errorOf(() => replaceDirectory(path, first, owner));
    expect(error).toMatchObject({ code: 'E_FILE', exitCode: 73, remedy: { where: path } });
    expect(error.message).toContain(reason);
    expect(readdirSync(dirname(dirname(path)), { recursive: true })).toEqual(before);
  });

  test.skipIf(cannotMount)('because an empty file system is mounted on it', async () => {
    const target = newPath();
    const namespace = await mountNamespace(`mkdir ${target}; mount -t tmpfs none ${target}`);
    onTestFinished(namespace.end);
    const program = `
      import { replaceDirectory } from '${join(process.cwd(), 'src/apply/replace-directory.ts')}';
      try {
        replaceDirectory('${target}', [], ${JSON.stringify(owner)});
      } catch (error) {
        console.log(error.code + ': ' + error.message);
      }`;
    const node = [process.execPath, '--import', tsx, '--input-type=module', '-e', program];

    expect(namespace.run(node).output).toBe(
      `E_FILE: Cannot write ${target}: it is a mount point (EBUSY)\n`,
    );
    expect(generationsOf(target)).toEqual([]);
  });

  test.skipIf(cannotMount)('because the disk is full: the old generation stays', async () => {
    const mount = newPath();
    mkdirSync(mount);
    const namespace = await mountNamespace(`mount -t tmpfs -o size=64k none ${mount}`);
    onTestFinished(namespace.end);
    const path = namespace.path(join(mount, 'tls'));
    const run = (bytes: number) => namespace.run(nodeWriting(join(mount, 'tls'), bytes)).output;
    expect(run(10)).toBe('written\n');
    const right = listed(path);

    expect(run(100_000)).toContain('(ENOSPC)');
    expect(listed(path)).toEqual(right);
    expect(generationsOf(path)).toHaveLength(1);
  });
});

test('an archive that is let through leaves nothing outside of its directory, and no link out', () => {
  const name = fc.constantFrom('a', 'b', 'c', '..', '.', 'a/b', 'a/../b', '/etc', '../..', 'b/c/a');
  const entry = fc.record({
    path: name,
    type: fc.constantFrom('File', 'Directory', 'SymbolicLink', 'SymbolicLink', 'Link'),
    mode: fc.constantFrom(0o644, 0o755),
    linkPath: fc.oneof(
      name,
      fc.array(name, { minLength: 1, maxLength: 4 }).map((all) => all.join('/')),
    ),
    bytes: fc.constant(new Uint8Array([1])),
  });
  const limits = { entries: 100, bytes: 1000, depth: 10 };
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 6 }), (entries) => {
      const tree = buildTree(entries, limits);
      fc.pre(tree.ok);
      const made = tree.ok ? tree.entries : [];
      const path = newPath();
      replaceDirectory(path, made, owner);
      const root = realpathSync(path);
      for (const { path: inside } of made) {
        expect(`${realpathSync(join(root, inside))}/`).toContain(`${root}/`);
      }

      expect(replaceDirectory(path, made, owner)).toBe('unchanged');
      expect(readdirSync(dirname(path))).toHaveLength(2);
    }),
    { numRuns: 200, maxSkipsPerRun: 1000 },
  );
});

/** The command of a process that writes a directory with a file of this size. */
function nodeWriting(path: string, sizeBytes: number): string[] {
  const program = `
    import { replaceDirectory } from '${join(process.cwd(), 'src/apply/replace-directory.ts')}';
    import { SecretBytes } from '${join(process.cwd(), 'src/core/secret.ts')}';
    const content = SecretBytes.ofText('x'.repeat(${sizeBytes}));
    const entries = [
      { kind: 'directory', path: 'private' },
      { kind: 'file', path: 'private/key.pem', content, isExecutable: false },
    ];
    // Root's, in a namespace of its own.
    const owner = { mode: 0o400, uid: process.geteuid(), gid: process.getegid() };
    try {
      console.log(replaceDirectory('${path}', entries, owner));
    } catch (error) {
      console.log(error.code + ': ' + error.message);
    }`;
  return [process.execPath, '--import', tsx, '--input-type=module', '-e', program];
}

function file(path: string, text: string, isExecutable = false): TreeEntry {
  return { kind: 'file', path, content: SecretBytes.ofText(text), isExecutable };
}

function newPath(): string {
  return join(mkdtempSync(join(directory, 'd-')), 'tls');
}

/** What is in a directory, and in which mode. */
function listed(path: string): Record<string, string> {
  const names = ['', ...readdirSync(path, { recursive: true, encoding: 'utf8' })];
  const root = join(dirname(path), readlinkSync(path));
  // Node 20 lists what is behind links to directories, too.
  const own = names.filter((name) => !name.startsWith('current/'));
  return Object.fromEntries(own.map((name) => [name, describeFile(join(root, name))]));
}

function describeFile(path: string): string {
  const found = lstatSync(path);
  const mode = (found.mode & 0o7777).toString(8);
  if (found.isSymbolicLink()) {
    return `link: ${readlinkSync(path)}`;
  }

  return found.isDirectory() ? `directory ${mode}` : `file ${mode}: ${readFileSync(path, 'utf8')}`;
}

function generationsOf(path: string): string[] {
  return readdirSync(dirname(path)).filter((name) => name.startsWith('.tls.warp-init-'));
}

function rename(path: string, from: string, to: string): void {
  writeFileSync(join(path, to), readFileSync(join(path, from)), { mode: 0o400 });
  rmSync(join(path, from));
}

function relink(path: string, name: string, target: string): void {
  rmSync(join(path, name));
  symlinkSync(target, join(path, name));
}

function fill(path: string): void {
  mkdirSync(path);
  writeFileSync(join(path, 'theirs'), '');
}

function block(path: string): void {
  rmSync(dirname(path), { recursive: true });
  writeFileSync(dirname(path), '');
}

function errorOf(act: () => unknown): StartError {
  try {
    act();
  } catch (error) {
    if (error instanceof StartError) {
      return error;
    }

    throw error;
  }

  throw new Error('expected a StartError');
}
