// `warp-init warm` in an installation of its own, and what a start makes of the cache that it leaves.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

const dist = new URL('../../dist/', import.meta.url).pathname;

function installation(): string {
  const directory = mkdtempSync(join(tmpdir(), 'warm-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  copyFileSync(join(dist, 'warp-init.cjs'), join(directory, 'warp-init.cjs'));
  return directory;
}

function warm(directory: string): string {
  execFileSync(process.execPath, [join(directory, 'warp-init.cjs'), 'warm']);
  const cache = readdirSync(directory).find((name) => name.endsWith('.cache'));
  expect(cache).toContain(`-${process.version}-${process.arch}.cache`);
  return join(directory, cache ?? '');
}

function debugOf(directory: string) {
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(directory, 'warp-init.cjs'), 'debug', '--format', 'json'],
    { encoding: 'utf8', cwd: directory, env: { WARP_INIT_SOCKET: '/nowhere/api.sock' } },
  );
  return { status, report: stdout };
}

test('what is warmed says the same as what is not', () => {
  const directory = installation();
  const cold = debugOf(directory);
  warm(directory);

  expect(cold.status).toBe(0);
  expect(debugOf(directory)).toEqual(cold);
});

test.each([
  ['cut off', (path: string) => truncateSync(path, 1000)],
  ['empty', (path: string) => writeFileSync(path, '')],
  ['of something else', (path: string) => writeFileSync(path, 'no cache at all')],
])('a cache that is %s is not used, and harms nothing', (_what, damage) => {
  const directory = installation();
  const cold = debugOf(directory);
  damage(warm(directory));

  expect(debugOf(directory)).toEqual(cold);
});

test('a cache belongs to one build: another bundle does not find it', () => {
  const directory = installation();
  const cache = warm(directory);
  const bundle = join(directory, 'warp-init.cjs');
  const id = /-([\da-f]{12})-v/.exec(cache)?.[1] ?? '';
  writeFileSync(bundle, readFileSync(bundle, 'utf8').replace(id, '0'.repeat(12)));

  expect(id).not.toBe('');
  expect(debugOf(directory).status).toBe(0);
  expect(warm(directory)).not.toBe('');
  expect(readdirSync(directory).filter((name) => name.endsWith('.cache'))).toHaveLength(2);
});

test('a directory for temporary files whose path is relative will do, and nothing is left in it', () => {
  const directory = installation();
  execFileSync(process.execPath, ['warp-init.cjs', 'warm'], {
    cwd: directory,
    env: { PATH: process.env['PATH'], TMPDIR: '.' },
  });
  expect(readdirSync(directory).toSorted()).toEqual([
    'warp-init.cjs',
    expect.stringMatching(/^warp-init\.cjs-.*\.cache$/),
  ]);
});
