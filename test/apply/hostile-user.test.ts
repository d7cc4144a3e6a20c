// Init as root writes where another user, the app's, owns the directory and means harm: it renames, links and plants as it likes.
// Whatever it does, nothing of root's is read, changed, given away or removed for it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { replaceDirectory } from '../../src/apply/replace-directory.ts';
import { openStateDirectory } from '../../src/apply/state-directory.ts';
import type { ProcessFacts } from '../../src/core/check-process.ts';
import type { TreeEntry } from '../../src/core/directory-tree.ts';
import { SecretBytes } from '../../src/core/secret.ts';
import { StartError } from '../../src/errors.ts';
import { foreseeWrite } from '../../src/inputs/foresee-write.ts';
import { findStateDirectory } from '../../src/inputs/state-directory.ts';
import { collect } from '../helpers/process.ts';
import { entries, nobody, owner, writeEntries, writeText } from './hostile-writers.ts';

const isRoot = process.getuid?.() === 0;
const longAgo = 1000;

/** Both ways to write for the app, of which each makes names beside its target. */
const writers: readonly [string, (path: string) => unknown][] = [
  ['a file', writeText],
  ['a directory', writeEntries],
];

describe.skipIf(!isRoot).each(writers)('%s', (what, write) => {
  test('is written in a directory of the app, and is its own', () => {
    const { data } = newPlace();
    const path = join(data, 'deeper/secret');

    expect(write(path)).toBe('written');
    expect(write(path)).toBe('unchanged');
    expect(statSync(path)).toMatchObject(nobody);
    expect(statSync(dirname(path))).toMatchObject({ uid: 0, mode: 0o040755 });
  });

  test('is not written through a link of the app above it', () => {
    const { data, victim } = newPlace();
    const link = join(data, 'secrets');
    symlinkSync(victim, link);
    lchownSync(link, nobody.uid, nobody.gid);
    const before = describeTree(victim);
    const path = join(link, 'deeper/key');

    expect(errorOf(() => write(path))).toMatchObject({
      code: 'E_FILE',
      exitCode: 73,
      message: `Cannot write ${path}: ${link} is a symbolic link that belongs to uid 65534`,
      remedy: { where: path, fix: expect.stringContaining('without a link') },
    });
    expect(describeTree(victim)).toEqual(before);
  });

  test('is not written through a link of root that the app can have put there', () => {
    const { data, victim } = newPlace();
    symlinkSync(victim, join(data, 'secrets'));
    const before = describeTree(victim);

    expect(errorOf(() => write(join(data, 'secrets/key'))).message).toContain(
      'is a symbolic link in a directory that others may write to',
    );
    expect(describeTree(victim)).toEqual(before);
  });

  test('is written through links that only root can have made, relative or not', () => {
    const { root, data } = newPlace();
    symlinkSync('two/../two', join(root, 'one'));
    symlinkSync(data, join(root, 'two'));

    expect(write(join(root, 'one/key'))).toBe('written');
    expect(statSync(join(data, 'key'))).toMatchObject(nobody);
  });

  test('is not written through links without an end', () => {
    const { root } = newPlace();
    symlinkSync('loop', join(root, 'loop'));

    expect(errorOf(() => write(join(root, 'loop/key'))).message).toContain(
      'there are too many symbolic links in it (ELOOP)',
    );
  });

  test('does not take a directory of root for a leftover because of its name', () => {
    const { data, victim } = newPlace();
    const planted = ['.key.warp-init-abc.new', '.key.warp-init-abc'].map((name, index) => {
      const path = join(data, name);
      mkdirSync(path, { mode: 0o700 });
      writeFileSync(join(path, `precious-${index}`), '');
      utimesSync(path, longAgo, longAgo);
      return path;
    });
    const before = [victim, ...planted].map((path) => describeTree(path));
    write(join(data, 'key'));

    expect([victim, ...planted].map((path) => describeTree(path))).toEqual(before);
  });

  test.each(['link', 'directory'])(
    'while the app swaps whatever appears for a %s of root',
    (kind) => {
      const { data, victim } = newPlace();
      // What the app can rename is what lies in a directory of its own.
      const target = kind === 'link' ? victim : join(data, 'roots');
      renameSync(victim, target);
      const before = describeTree(target);
      const { ino } = lstatSync(target);

      expect(runSwapping(what, { path: join(data, 'key'), kind, target })).toMatch(
        /^swapped [1-9]/m,
      );

      const all = [target, ...readdirSync(data).map((name) => join(data, name))];
      const found = all.find((path) => lstatSync(path, { throwIfNoEntry: false })?.ino === ino);
      expect(describeTree(found ?? '')).toEqual(before);
    },
  );

  test('while the app swaps a leftover, which is being removed, for a link to a directory of root', async () => {
    const { data, victim } = newPlace();
    const before = describeTree(victim);
    const attacker = startBait(join(data, '.key.warp-init-x.new'), victim);
    await attacker.says('ready');
    write(join(data, 'key'));

    expect(describeTree(victim)).toEqual(before);
  });
});

describe.skipIf(!isRoot)('a leftover', () => {
  test.each(['.tls.warp-init-abc.new', '.tls.warp-init-abc'])(
    'of the app is removed, and not what links in it lead to: %s',
    (name) => {
      const { data, victim } = newPlace();
      const before = describeTree(victim);
      const left = join(data, name);
      mkdirSync(join(left, 'inner'), { recursive: true });
      symlinkSync(victim, join(left, 'inner/link'));
      for (const path of [join(left, 'inner/link'), join(left, 'inner'), left]) {
        lchownSync(path, nobody.uid, nobody.gid);
      }

      utimesSync(left, longAgo, longAgo);
      replaceDirectory(join(data, 'tls'), entries, owner);
      expect(readdirSync(data)).not.toContain(name);
      expect(describeTree(victim)).toEqual(before);
    },
  );

  test('of a killed init is removed where the app owns the directory, too', () => {
    const { data } = newPlace();
    const left = join(data, '.tls.warp-init-abc.new');
    for (const path of [left, join(left, 'inner')]) {
      mkdirSync(path, { mode: 0o1700 });
    }

    writeFileSync(join(left, 'inner/key.pem'), 'half');
    utimesSync(left, longAgo, longAgo);
    replaceDirectory(join(data, 'tls'), entries, owner);
    expect(readdirSync(data).toSorted()).toEqual([readlinkSync(join(data, 'tls')), 'tls']);
  });

  test("of root's own is removed where somebody else owns the directory, too", () => {
    const { data } = newPlace();
    for (const n of [1, 2, 3, 4]) {
      const content = SecretBytes.ofText(`KEY ${n}`);
      const one: TreeEntry = { kind: 'file', path: 'inner/key.pem', content, isExecutable: false };
      const tree: TreeEntry[] = [{ kind: 'directory', path: 'inner' }, one];
      const roots = { mode: 0o444, uid: 0, gid: 0 };
      expect(replaceDirectory(join(data, 'tls'), tree, roots)).toBe('written');
      expect(replaceDirectory(join(data, 'tls'), tree, roots)).toBe('unchanged');
      for (const name of readdirSync(data)) {
        lutimesSync(join(data, name), longAgo, longAgo);
      }
    }

    // The link, what it leads to, and the generation before.
    expect(readdirSync(data)).toHaveLength(3);
  });

  test('of an owner that the config names no more is removed where root owns the directory', () => {
    const { root } = newPlace();
    const path = join(root, 'tls');
    for (const uid of [1000, 2000]) {
      replaceDirectory(path, entries, { mode: 0o400, uid, gid: uid });
      lutimesSync(join(root, readlinkSync(path)), longAgo, longAgo);
    }

    const kept = readlinkSync(path);
    replaceDirectory(path, entries, { mode: 0o400, uid: 2000, gid: 2001 });
    expect(
      readdirSync(root)
        .filter((name) => name.startsWith('.tls'))
        .toSorted(),
    ).toEqual([kept, readlinkSync(path)].toSorted());
  });

  test('of an owner that the config names no more keeps what the app has moved into it', () => {
    const { root } = newPlace();
    const left = join(root, '.tls.warp-init-abc');
    mkdirSync(join(left, 'roots'), { recursive: true });
    writeFileSync(join(left, 'roots/precious'), '');
    chownSync(left, 1000, 1000);
    utimesSync(left, longAgo, longAgo);
    replaceDirectory(join(root, 'tls'), entries, owner);

    expect(readdirSync(join(left, 'roots'))).toEqual(['precious']);
  });

  test('keeps a directory of root that the app has moved into it', () => {
    const { data } = newPlace();
    const left = join(data, '.tls.warp-init-abc');
    mkdirSync(join(left, 'roots'), { recursive: true });
    writeFileSync(join(left, 'roots/precious'), '');
    chownSync(left, nobody.uid, nobody.gid);
    utimesSync(left, longAgo, longAgo);
    replaceDirectory(join(data, 'tls'), entries, owner);

    expect(readdirSync(join(left, 'roots'))).toEqual(['precious']);
  });

  test('as deep as a path can be ends neither us nor the write', () => {
    const { data } = newPlace();
    let deep = join(data, '.tls.warp-init-abc');
    const left = deep;
    for (let level = 0; level < 500; level += 1) {
      mkdirSync(deep);
      chownSync(deep, nobody.uid, nobody.gid);
      deep = join(deep, 'd');
    }

    lutimesSync(left, longAgo, longAgo);
    expect(replaceDirectory(join(data, 'tls'), entries, owner)).toBe('written');
  });
});

test.skipIf(!isRoot)(
  'a FIFO in place of a file, whenever it gets there, does not block',
  { timeout: 60_000 },
  async () => {
    const { data } = newPlace();
    const path = join(data, 'key');
    const attacker = startToggling(path);
    await attacker.says('ready');
    const program = `
      import { isSameFile } from '${join(process.cwd(), 'src/apply/new-file.ts')}';
      const owner = ${JSON.stringify({ ...owner, mode: 0o600 })};
      const seen = { true: 0, false: 0 };
      while (seen.true < 2000 || seen.false < 2000) {
        seen[isSameFile('${path}', Buffer.from('hunter2\\n'), owner)] += 1;
      }`;
    const looker = spawn(
      process.execPath,
      ['--import', tsx, '--input-type=module', '-e', program],
      { stdio: 'inherit', timeout: 40_000, killSignal: 'SIGKILL' },
    );

    expect(await once(looker, 'exit')).toEqual([0, null]);
  },
);

describe.skipIf(!isRoot)('the state directory', () => {
  test.each<[string, (data: string) => void, string]>([
    ['belongs to the app', () => {}, '(uid 65534, mode 0755)'],
    [
      'is open to everybody',
      (data) => {
        chownSync(data, 0, 0);
        chmodSync(data, 0o777);
      },
      '(uid 0, mode 0777)',
    ],
  ])('is none where a directory above it %s', (_what, spoil, reason) => {
    const { data } = newPlace();
    mkdirSync(join(data, 'root/state'), { recursive: true });
    spoil(data);
    const candidates = ['root/state', 'root/new', 'new/state'].map((name) => ({
      path: join(data, name),
      mode: 0o711,
    }));
    const tried = candidates.map(({ path }) => ({
      path,
      reason: `others may replace what is in ${data} ${reason}`,
    }));

    expect(openStateDirectory(candidates, 0)).toEqual({ kind: 'none', tried });
    expect(findStateDirectory(candidates, 0)).toEqual({ kind: 'none', tried });
    expect(readdirSync(data)).toEqual(['root']);
    expect(readdirSync(join(data, 'root'))).toEqual(['state']);
  });

  test('may be behind a link that only root can have made, as /var/run is', () => {
    const { root } = newPlace();
    mkdirSync(join(root, 'run'));
    symlinkSync('run', join(root, 'link'));
    const path = join(root, 'link/state');

    expect(openStateDirectory([{ path, mode: 0o711 }], 0)).toEqual({ kind: 'usable', path });
    expect(statSync(join(root, 'run/state')).mode).toBe(0o040711);
  });

  test('may be in a directory that is open to everybody, as /tmp is', () => {
    const { root } = newPlace();
    chmodSync(root, 0o1777);
    const path = join(root, 'state');

    expect(findStateDirectory([{ path, mode: 0o711 }], 0)).toEqual({ kind: 'usable', path });
    expect(openStateDirectory([{ path, mode: 0o711 }], 0)).toEqual({ kind: 'usable', path });
  });
});

test.skipIf(!isRoot)(
  'init without root follows every link, as its app could: an image may be of another user',
  () => {
    const { data } = newPlace();
    mkdirSync(join(data, 'real'));
    chownSync(join(data, 'real'), nobody.uid, nobody.gid);
    for (const [name, uid] of Object.entries({ own: nobody.uid, roots: 0, others: 4321 })) {
      symlinkSync('real', join(data, name));
      lchownSync(join(data, name), uid, uid);
    }

    asNobody(() => {
      expect(writeText(join(data, 'own/key'))).toBe('written');
      expect(writeEntries(join(data, 'roots/tls'))).toBe('written');
      expect(writeText(join(data, 'others/key'))).toBe('unchanged');
    });
    expect(statSync(join(data, 'real/key'))).toMatchObject(nobody);
    expect(statSync(join(data, 'real/tls/key.pem'))).toMatchObject(nobody);
  },
);

test.skipIf(!isRoot)('`check` foresees what is not followed, and makes nothing', () => {
  const { data, victim } = newPlace();
  symlinkSync(victim, join(data, 'secrets'));
  lchownSync(join(data, 'secrets'), nobody.uid, nobody.gid);
  const facts: ProcessFacts = {
    pid: 1,
    uid: 0,
    gid: 0,
    groups: [],
    capabilities: new Set([0]),
    uidMap: [{ first: 0, count: 4_294_967_295 }],
    gidMap: [{ first: 0, count: 4_294_967_295 }],
    maySetGroups: true,
    hardLimits: new Map(),
    mostOpenFiles: undefined,
  };
  const foreseen = (path: string) => foreseeWrite({ path, kind: 'file', owner }, facts)?.message;

  expect(foreseen(join(data, 'secrets/key'))).toContain('belongs to uid 65534');
  expect(foreseen(join(data, 'new/key'))).toBeUndefined();
  expect(readdirSync(data)).toEqual(['secrets']);
});

/** `data` is the app's; `victim` is root's, and nobody else may enter it. */
function newPlace(): { readonly root: string; readonly data: string; readonly victim: string } {
  const root = mkdtempSync(join(tmpdir(), 'hostile-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  chmodSync(root, 0o755);
  const [data, victim] = [join(root, 'data'), join(root, 'victim')];
  mkdirSync(data);
  chownSync(data, nobody.uid, nobody.gid);
  mkdirSync(victim, { mode: 0o700 });
  for (let n = 0; n < precious; n += 1) {
    writeFileSync(join(victim, `precious-${n}`), '', { mode: 0o600 });
  }

  return { root, data, victim };
}

const precious = 20;

/** All that root must find again. */
function describeTree(path: string): string[] {
  return ['.', ...readdirSync(path, { recursive: true, encoding: 'utf8' })].map((name) => {
    const { mode, uid, gid } = lstatSync(join(path, name));
    return `${name} ${mode.toString(8)} ${uid} ${gid}`;
  });
}

const tsx = createRequire(import.meta.url).resolve('tsx');

/** Writes in a process that finds what it makes swapped. @returns what that says. */
function runSwapping(
  what: string,
  { path, kind, target }: { readonly path: string; readonly kind: string; readonly target: string },
): string {
  const name = what === 'a file' ? 'writeText' : 'writeEntries';
  const program = `
    import { ${name} } from '${join(process.cwd(), 'test/apply/hostile-writers.ts')}';
    try {
      console.log(${name}('${path}'));
    } catch (error) {
      console.log(error.message);
    }`;
  const swapping = join(process.cwd(), 'fixtures/programs/swapping-user.cjs');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--require', swapping, '--import', tsx, '--input-type=module', '-e', program],
    { env: { ...process.env, SWAP_KIND: kind, SWAP_FOR: target }, encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  return stdout;
}

/** An old leftover, with files of the same names as the victim's; swapped for it as soon as one of them is gone. */
function startBait(bait: string, victim: string) {
  return startAsNobody(`
    process.chdir('${dirname(bait)}');
    const bait = '${basename(bait)}';
    fs.mkdirSync(bait);
    for (let n = 0; n < 3000; n++) fs.writeFileSync(bait + '/' + n, '');
    for (let n = 0; n < ${precious}; n++) fs.writeFileSync(bait + '/precious-' + n, '');
    fs.utimesSync(bait, ${longAgo}, ${longAgo});
    const names = fs.readdirSync(bait).length;
    writeSync(1, 'ready\\n');
    while (fs.readdirSync(bait).length === names);
    fs.renameSync(bait, 'moved');
    fs.symlinkSync('${victim}', bait);`);
}

/** Now it is the right file, now a FIFO. */
function startToggling(path: string) {
  return startAsNobody(`
    process.chdir('${dirname(path)}');
    process.umask(0);
    fs.writeFileSync('file', 'hunter2\\n', { mode: 0o600 });
    require('node:child_process').spawnSync('mkfifo', ['-m', '600', 'fifo']);
    for (let turn = 0; ; turn++) {
      for (const name of ['fifo', 'file']) {
        fs.linkSync(name, 'next');
        fs.renameSync('next', '${basename(path)}');
      }
      if (turn === 0) writeSync(1, 'ready\\n');
    }`);
}

/** Ends with the test. */
function startAsNobody(program: string) {
  const script = `const fs = require('node:fs'); const { writeSync } = fs;\n${program}`;
  // By itself, and not by spawn: Node may be installed where nobody else gets.
  const drop = `process.setgroups([]); process.setgid(${nobody.gid}); process.setuid(${nobody.uid});\n`;
  const child: ChildProcess = spawn(process.execPath, ['-e', drop + script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  if (child.stdout === null) {
    throw new Error('there is no stdout');
  }

  const output = collect(child.stdout);
  return {
    says: (line: string) => output.waitFor(line),
  };
}

function asNobody(act: () => void): void {
  const gid = process.getegid?.() ?? 0;
  process.setegid?.(nobody.gid);
  process.seteuid?.(nobody.uid);
  try {
    act();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(gid);
  }
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
