import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';

import { writeFile } from '../../src/apply/write-file.ts';
import type { Ownership } from '../../src/core/ownership.ts';
import { StartError } from '../../src/errors.ts';
import { cannotMount, mountNamespace } from '../helpers/mount-namespace.ts';

const directory = mkdtempSync(join(tmpdir(), 'files-'));
const tsx = createRequire(import.meta.url).resolve('tsx');
const isRoot = process.getuid?.() === 0;
const ours = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
const owner: Ownership = { mode: 0o400, ...ours };
const text = Buffer.from('hunter2\n');

chmodSync(directory, 0o755);
afterAll(() => rmSync(directory, { recursive: true }));

describe('a file is written', () => {
  test('with its bytes, mode and owner, and nothing is left beside it', () => {
    const path = join(newDirectory(), 'key');

    expect(writeFile(path, Buffer.from([0, 255, 10]), { ...owner, mode: 0o640 })).toBe('written');
    expect(readFileSync(path)).toEqual(Buffer.from([0, 255, 10]));
    expect(statSync(path)).toMatchObject({ mode: 0o100640, ...ours });
    expect(readdirSync(join(path, '..'))).toEqual(['key']);
  });

  test.skipIf(!isRoot)('for another user and group', () => {
    const path = join(newDirectory(), 'key');

    writeFile(path, text, { mode: 0o440, uid: 1234, gid: 5678 });
    expect(statSync(path)).toMatchObject({ mode: 0o100440, uid: 1234, gid: 5678 });
  });

  test('whatever the umask is, with the directories above it open to the app', () => {
    const parent = newDirectory();
    const umask = process.umask(0o077);
    writeFile(join(parent, 'one/two/key'), text, { ...owner, mode: 0o644 });
    process.umask(umask);

    expect(modeOf(join(parent, 'one'))).toBe(0o755);
    expect(modeOf(join(parent, 'one/two'))).toBe(0o755);
    expect(modeOf(join(parent, 'one/two/key'))).toBe(0o644);
    expect(modeOf(parent)).toBe(0o700);
  });

  test('in place of a symbolic link, and not through it', () => {
    const parent = newDirectory();
    writeFileSync(join(parent, 'victim'), 'as it was');
    symlinkSync('victim', join(parent, 'key'));

    writeFile(join(parent, 'key'), text, owner);
    expect(readFileSync(join(parent, 'victim'), 'utf8')).toBe('as it was');
    expect(lstatSync(join(parent, 'key')).isFile()).toBe(true);
  });

  test('so that another name of the old one keeps the old text', () => {
    const path = join(newDirectory(), 'key');
    writeFileSync(path, 'old');
    linkSync(path, `${path}-2`);

    writeFile(path, text, owner);
    expect(readFileSync(`${path}-2`, 'utf8')).toBe('old');
  });

  test('and what a killed init left beside it goes, but nothing else', () => {
    const parent = newDirectory();
    const others = ['.key.swp', '.key2.warp-init-abc.new', '.key.warp-init-abc'];
    for (const name of ['.key.warp-init-abc.new', '.key.warp-init-x.new', ...others]) {
      writeFileSync(join(parent, name), 'half');
      utimesSync(join(parent, name), 1000, 1000);
    }

    // Of an init in another container, which is at it right now.
    writeFileSync(join(parent, '.key.warp-init-now.new'), 'half');
    writeFile(join(parent, 'key'), text, owner);
    expect(readdirSync(parent).toSorted()).toEqual(
      [...others, '.key.warp-init-now.new', 'key'].toSorted(),
    );
  });
});

describe('a file that is right already keeps its inode and its times', () => {
  test.each<[string, (path: string) => void, 'written' | 'unchanged']>([
    ['nothing changed', () => {}, 'unchanged'],
    ['a byte changed', (path) => writeFileSync(path, 'hunter3\n'), 'written'],
    ['a byte was added', (path) => writeFileSync(path, 'hunter2\n\n'), 'written'],
    ['the mode changed', (path) => chmodSync(path, 0o600), 'written'],
    ['a setuid bit was added', (path) => chmodSync(path, 0o4400), 'written'],
    ['it was removed', (path) => rmSync(path), 'written'],
    ['it is a link to the same', (path) => moveBehindLink(path), 'written'],
  ])('%s', (_what, change, result) => {
    const path = join(newDirectory(), 'key');
    writeFile(path, text, owner);
    utimesSync(path, 1000, 1000);
    const { ino } = statSync(path);
    change(path);

    expect(writeFile(path, text, owner)).toBe(result);
    const { ino: inode, mtimeMs } = lstatSync(path);
    expect(mtimeMs === 1_000_000 && inode === ino).toBe(result === 'unchanged');
    expect(readFileSync(path)).toEqual(text);
    expect(modeOf(path)).toBe(0o400);
  });

  test.skipIf(!isRoot)('and its owner, too', () => {
    const path = join(newDirectory(), 'key');
    writeFile(path, text, owner);
    chownSync(path, 1234, ours.gid);

    expect(writeFile(path, text, owner)).toBe('written');
    expect(statSync(path)).toMatchObject(ours);
  });
});

describe('a file that cannot be written stops the start with status 73', () => {
  test('because a directory is there', () => {
    const path = newDirectory();

    const error = errorOf(() => writeFile(path, text, owner));
    expect(error).toMatchObject({
      code: 'E_FILE',
      exitCode: 73,
      message: `Cannot write ${path}: it is a directory (EISDIR)`,
      remedy: { where: path, fix: expect.stringContaining('inside of it') },
    });
    expect(leftovers(path)).toEqual([]);
  });

  test('because a file is where a directory must be', () => {
    const parent = newDirectory();
    writeFileSync(join(parent, 'file'), '');

    expect(errorOf(() => writeFile(join(parent, 'file/key'), text, owner)).message).toMatch(
      /a part of its path is not a directory \(ENOTDIR\)|a file is in the way \(EEXIST\)/,
    );
  });

  test('because its name is too long', () => {
    const path = join(newDirectory(), 'n'.repeat(250));
    expect(errorOf(() => writeFile(path, text, owner)).message).toContain('(ENAMETOOLONG)');
  });

  test.skipIf(!isRoot)('because init may not write there', () => {
    const path = join(newDirectory(), 'key');
    const error = errorOf(() => asNobody(() => writeFile(path, text, { ...owner, uid: 65_534 })));

    expect(error.message).toBe(`Cannot write ${path}: permission denied (EACCES)`);
  });

  test.skipIf(!isRoot)('because init may not give it away: and no secret stays behind', () => {
    const parent = newDirectory();
    chmodSync(parent, 0o777);
    const path = join(parent, 'key');
    const error = errorOf(() => asNobody(() => writeFile(path, text, { ...owner, uid: 1234 })));

    expect(error).toMatchObject({
      message: `Cannot give ${path} to uid 1234, gid ${ours.gid}: operation not permitted (EPERM)`,
      remedy: { fix: expect.stringContaining('CHOWN') },
    });
    expect(readdirSync(parent)).toEqual([]);
  });

  describe.skipIf(cannotMount)('because of a mount', () => {
    test('on the file itself: what is right already is no error', async () => {
      const { target, run } = await mounted(
        (file) =>
          `touch ${file}; printf 'hunter2\n' > ${file}-2; chmod 400 ${file}-2; mount --bind ${file}-2 ${file}`,
      );

      expect(run(owner)).toBe('unchanged\n');
      // In the namespace: from outside of it rename(2) would take the mount away.
      expect(run({ ...owner, mode: 0o444 })).toBe(
        `E_FILE: Cannot write ${target}: it is a mount point (EBUSY)\nMount the directory above instead, or name a path inside of it.\n`,
      );
      expect(leftovers(target)).toEqual([]);
    });

    test('that is read-only', async () => {
      const { target, run } = await mounted(
        (file) => `mount -t tmpfs -o ro none $(dirname ${file})`,
      );

      expect(run(owner)).toBe(
        `E_FILE: Cannot write ${target}: read-only file system (EROFS)\nMount a volume or a tmpfs there, or name another path.\n`,
      );
    });

    test('that is full: the old file stays, and no half of the new one', async () => {
      const { path, run } = await mounted(
        (target) => `mount -t tmpfs -o size=16k none $(dirname ${target}); echo old > ${target}`,
      );

      expect(run(owner, 40_000)).toContain('no space left on the device (ENOSPC)');
      expect(readFileSync(path, 'utf8')).toBe('old\n');
      expect(leftovers(path)).toEqual([]);
    });
  });
});

test('a reader in a tight loop never finds half a file, or none', async () => {
  const path = join(newDirectory(), 'file');
  writeFile(path, generationOf(1), owner);
  const reader = spawn(process.execPath, ['fixtures/programs/generation-reader.mjs', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(reader.stdout, 'data');

  for (let turn = 2; turn < 300; turn += 1) {
    writeFile(path, generationOf(turn), owner);
  }

  const output = reader.stdout.toArray();
  writeFile(path, generationOf(0), owner);
  const lines = (await output).join('').trim().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toEqual({
    reads: expect.toSatisfy((reads) => reads > 50),
    torn: 0,
    mixed: 0,
    errors: [],
  });
});

test("while a file is not whole, and not yet its owner's, nobody else may read it", async () => {
  const parent = newDirectory();
  const size = 32 * 1024 * 1024;
  const watch = startModeWatch(parent, size);
  await once(watch.stdout, 'data');
  for (let turn = 0; turn < 10; turn += 1) {
    writeFile(join(parent, 'secret'), Buffer.alloc(size, turn), { ...owner, mode: 0o444 });
  }

  const output = watch.stdout.toArray();
  watch.kill();
  const seen = new Set((await output).join('').trim().split('\n'));
  expect(seen).toContain('600 partial');
  expect(seen).not.toContain('444 partial');
});

test('two that write one file at a time both end, and it is whole', async () => {
  const path = join(newDirectory(), 'shared');
  const program = `
    import { writeFile } from '${join(process.cwd(), 'src/apply/write-file.ts')}';
    const owner = ${JSON.stringify(owner)};
    for (let turn = 0; turn < 200; turn += 1) {
      writeFile('${path}', Buffer.from(process.argv[1].repeat(1 + turn)), owner);
    }`;
  const both = ['a', 'b'].map((letter) =>
    spawn(process.execPath, ['--import', tsx, '--input-type=module', '-e', program, letter], {
      stdio: 'inherit',
    }),
  );
  const ends = await Promise.all(both.map((each) => once(each, 'exit')));

  expect(ends).toEqual([
    [0, null],
    [0, null],
  ]);
  expect(readFileSync(path, 'utf8')).toMatch(/^(?:a{200}|b{200})$/);
  expect(leftovers(path)).toEqual([]);
});

function generationOf(number: number): Buffer {
  return Buffer.from(`${`${number}\n`.repeat(20_000)}end`);
}

function newDirectory(): string {
  return mkdtempSync(join(directory, 'd-'));
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o7777;
}

function moveBehindLink(path: string): void {
  spawnSync('mv', [path, `${path}-2`]);
  symlinkSync(`${path}-2`, path);
}

function leftovers(path: string): string[] {
  return readdirSync(join(path, '..')).filter((name) => name.includes('warp-init'));
}

/** Prints the mode of each unfinished file that it can catch, and whether it is whole by then. */
function startModeWatch(parent: string, size: number) {
  const program = `
    const { readdirSync, statSync, writeSync } = require('node:fs');
    writeSync(1, 'ready\\n');
    const seen = new Set();
    for (;;) {
      for (const name of readdirSync('${parent}')) {
        const found = name.endsWith('.new') && statSync('${parent}/' + name, { throwIfNoEntry: false });
        if (found) {
          const line = (found.mode & 0o777).toString(8) + (found.size < ${size} ? ' partial' : ' whole');
          if (!seen.has(line)) writeSync(1, line + '\\n');
          seen.add(line);
        }
      }
    }`;
  return spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** A directory with something mounted in it, or on it; the path is that of `key` inside. */
async function mounted(script: (target: string) => string) {
  const target = join(newDirectory(), 'key');
  const namespace = await mountNamespace(script(target));
  onTestFinished(namespace.end);
  const run = (to: Ownership, repeat = 1) =>
    namespace.run([
      process.execPath,
      '--import',
      tsx,
      '--input-type=module',
      '-e',
      writer(target, to, repeat),
    ]).output;
  return { target, path: namespace.path(target), run };
}

function writer(path: string, to: Ownership, repeat: number): string {
  return `
    import { writeFile } from '${join(process.cwd(), 'src/apply/write-file.ts')}';
    try {
      console.log(writeFile('${path}', Buffer.from('hunter2\\n'.repeat(${repeat})), ${JSON.stringify(to)}));
    } catch (error) {
      console.log(error.code + ': ' + error.message + '\\n' + error.remedy.fix);
    }`;
}

function asNobody<T>(act: () => T): T {
  process.setegid?.(65_534);
  process.seteuid?.(65_534);
  try {
    return act();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(ours.gid);
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
