// The state directory: made with the right mode, taken where it is ours, refused where somebody else could plant files.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { openStateDirectory } from '../../src/apply/state-directory.ts';
import { writeVolatileFile } from '../../src/apply/write-file.ts';
import { type StateCandidate, stateCandidates } from '../../src/core/state-directory.ts';
import { findStateDirectory, stateDirectoriesOf } from '../../src/inputs/state-directory.ts';
import { isRoot } from '../helpers/pid1.ts';

const uid = process.geteuid?.() ?? 0;
const gid = process.getegid?.() ?? 0;

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'state-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function candidatesOf(...paths: string[]): StateCandidate[] {
  return paths.map((path) => ({ path, mode: 0o711 }));
}

function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o7777).toString(8);
}

describe('candidates', () => {
  test('are /run/warp-init, then one in shared memory; only root lets others through', () => {
    expect(stateCandidates(undefined, 0)).toEqual([
      { path: '/run/warp-init', mode: 0o711 },
      { path: '/dev/shm/warp-init-0', mode: 0o711 },
    ]);
    expect(stateCandidates(undefined, 1000)).toEqual([
      { path: '/run/warp-init', mode: 0o700 },
      { path: '/dev/shm/warp-init-1000', mode: 0o700 },
    ]);
  });

  test('are none but the one that is configured', () => {
    expect(stateCandidates('/srv/state', 0)).toEqual([{ path: '/srv/state', mode: 0o711 }]);
  });
});

describe('the state directory', () => {
  test.each([0o022, 0o077, 0o777])('is made with its mode, whatever the umask is: %i', (umask) => {
    const directory = temporaryDirectory();
    const path = join(directory, 'run/warp-init');
    const before = process.umask(umask);
    const opened = openStateDirectory(candidatesOf(path), uid);
    process.umask(before);

    expect(opened).toEqual({ kind: 'usable', path });
    expect([modeOf(path), modeOf(join(directory, 'run'))]).toEqual(['711', '755']);
  });

  test('is taken as it is where it is ours: files, mode and time stay', () => {
    const path = temporaryDirectory();
    chmodSync(path, 0o750);
    writeFileSync(join(path, 'kept'), '');
    utimesSync(path, 1000, 1000);

    expect(openStateDirectory(candidatesOf(path), uid).kind).toBe('usable');
    expect([modeOf(path), statSync(path).mtimeMs]).toEqual(['750', 1_000_000]);
    expect(readdirSync(path)).toEqual(['kept']);
  });

  test.each<[string, (path: string, directory: string) => void, string]>([
    [
      'a symbolic link, even to a directory of ours',
      (path, directory) => {
        mkdirSync(join(directory, 'target'));
        symlinkSync('target', path);
      },
      'it is a symbolic link',
    ],
    ['a file', (path) => writeFileSync(path, ''), 'it is not a directory'],
    [
      'open to everybody',
      (path) => {
        mkdirSync(path);
        chmodSync(path, 0o1777);
      },
      'others may write to it (mode 01777)',
    ],
    [
      'open to its group',
      (path) => {
        mkdirSync(path);
        chmodSync(path, 0o770);
      },
      'others may write to it (mode 0770)',
    ],
  ])('is the next one where the first is %s', (_what, spoil, reason) => {
    const directory = temporaryDirectory();
    const [first, second] = [join(directory, 'first'), join(directory, 'second')];
    spoil(first, directory);

    expect(openStateDirectory(candidatesOf(first, second), uid)).toEqual({
      kind: 'usable',
      path: second,
    });
    const none = { kind: 'none', tried: [{ path: first, reason }] };
    expect(openStateDirectory(candidatesOf(first), uid)).toEqual(none);
    expect(findStateDirectory(candidatesOf(first), uid)).toEqual(none);
  });

  test.skipIf(!isRoot)('is the next one where the first belongs to somebody else', () => {
    const directory = temporaryDirectory();
    const [first, second] = [join(directory, 'first'), join(directory, 'second')];
    mkdirSync(first);
    chownSync(first, 4321, 0);

    expect(openStateDirectory(candidatesOf(first, second), uid)).toEqual({
      kind: 'usable',
      path: second,
    });
    expect(openStateDirectory(candidatesOf(first), uid)).toEqual({
      kind: 'none',
      tried: [{ path: first, reason: 'it belongs to uid 4321, and init is uid 0' }],
    });
  });

  test('is none where the system refuses each one, and says why', () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'file'), '');
    expect(
      openStateDirectory(candidatesOf('/proc/nowhere', join(directory, 'file/x')), uid),
    ).toEqual({
      kind: 'none',
      tried: [
        { path: '/proc/nowhere', reason: expect.stringMatching(/\(ENOENT\)$/) },
        { path: join(directory, 'file/x'), reason: expect.stringMatching(/\(ENOTDIR|EEXIST\)$/) },
      ],
    });
  });

  test.skipIf(!isRoot)('lets another user read a file by its name, and nothing else', () => {
    const parent = temporaryDirectory();
    chmodSync(parent, 0o755);
    const path = join(parent, 'state');
    openStateDirectory(candidatesOf(path), uid);
    writeVolatileFile(join(path, 'ist.json'), Buffer.from('{}'), { mode: 0o644, uid, gid });
    const asNobody = (script: string) =>
      spawnSync('sh', ['-c', script], { cwd: parent, uid: 65534, gid: 65534 }).status;

    expect(asNobody('cat state/ist.json')).toBe(0);
    expect(asNobody('ls state')).not.toBe(0);
    expect(asNobody('echo > state/env')).not.toBe(0);
    expect(asNobody('echo > state/ist.json')).not.toBe(0);
    expect(asNobody('mv state/ist.json state/x')).not.toBe(0);
  });
});

describe('whoever only looks for it', () => {
  test('finds the one that a start would make, and makes none', () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'run/warp-init');
    expect(findStateDirectory(candidatesOf(path), uid)).toEqual({ kind: 'usable', path });
    expect(readdirSync(directory)).toEqual([]);
  });

  test('passes over one that could not be made', () => {
    const directory = temporaryDirectory();
    const [first, second] = [join(directory, 'file/x'), join(directory, 'second')];
    writeFileSync(join(directory, 'file'), '');
    expect(findStateDirectory(candidatesOf(first, second), uid)).toEqual({
      kind: 'usable',
      path: second,
    });
  });

  test('asks only directories that are there and that nobody else could have made', () => {
    const directory = temporaryDirectory();
    const link = join(directory, 'link');
    symlinkSync(directory, link);
    expect(stateDirectoriesOf(directory, uid)).toEqual([directory]);
    expect(stateDirectoriesOf(link, uid)).toEqual([]);
    expect(stateDirectoriesOf(join(directory, 'missing'), uid)).toEqual([]);
    expect(stateDirectoriesOf(directory, uid + 1)).toEqual([]);
  });

  test.skipIf(!isRoot)(
    'as root also asks those of other users in shared memory, if they are theirs',
    () => {
      const [right, wrong] = ['/dev/shm/warp-init-48211', '/dev/shm/warp-init-48212'];
      for (const path of [right, wrong]) {
        mkdirSync(path, { mode: 0o700 });
        onTestFinished(() => rmSync(path, { recursive: true }));
        chownSync(path, 48211, 48211);
      }

      expect(stateDirectoriesOf(undefined, 0)).toContain(right);
      expect(stateDirectoriesOf(undefined, 0)).not.toContain(wrong);
      expect(stateDirectoriesOf(undefined, 48211)).toContain(right);
      expect(stateDirectoriesOf(undefined, 48212)).not.toContain(right);
    },
  );
});

describe('a file that each start writes anew', () => {
  const owner = { mode: 0o644, uid, gid };

  test('keeps inode and time while it is the same, and changes as a whole', () => {
    const path = join(temporaryDirectory(), 'ist.json');
    expect(writeVolatileFile(path, Buffer.from('one'), owner)).toBe('written');
    utimesSync(path, 1000, 1000);
    const { ino } = statSync(path);

    expect(writeVolatileFile(path, Buffer.from('one'), owner)).toBe('unchanged');
    expect(statSync(path)).toMatchObject({ ino, mtimeMs: 1_000_000 });
    expect(writeVolatileFile(path, Buffer.from('two'), owner)).toBe('written');
    expect(statSync(path).ino).not.toBe(ino);
    expect(readdirSync(join(path, '..'))).toEqual(['ist.json']);
  });

  test('is written again where only its mode is wrong', () => {
    const path = join(temporaryDirectory(), 'env');
    writeFileSync(path, 'same', { mode: 0o644 });
    expect(writeVolatileFile(path, Buffer.from('same'), { ...owner, mode: 0o600 })).toBe('written');
    expect(modeOf(path)).toBe('600');
  });
});
