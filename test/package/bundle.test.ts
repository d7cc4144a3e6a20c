// dist/warp-init.cjs: its size, and what works although parts of packages are left out of it (src/build/stand-ins.ts).
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { describe, expect, test } from 'vitest';

const bundle = new URL('../../dist/warp-init.cjs', import.meta.url).pathname;

function run(...args: string[]): string {
  return spawnSync(process.execPath, [bundle, ...args], { encoding: 'utf8' }).stdout;
}

test('the bundle has at most 600 kB', () => {
  expect(statSync(bundle).size).toBeLessThanOrEqual(600_000);
});

test('has no line that is read as another encoding than ASCII', () => {
  expect(readFileSync(bundle, 'latin1')).toMatch(/^[\0-\x7F]*$/);
});

test('a Node of years ago can read the loader, which says that it is too old', async () => {
  const [head = ''] = readFileSync(bundle, 'latin1').split('function storedUnits(){');
  const [old, latest] = await Promise.all(
    ['node12', 'esnext'].map((target) => transform(head, { target })),
  );
  expect(head).toContain('Install Node 20.19 or newer');
  expect(old?.code).toBe(latest?.code);
});

describe('the help, for which letters and colours of other widths are left out,', () => {
  test.each(['', 'debug', 'emulator', 'status', 'reload', 'health', 'check', 'bundle'])(
    'is plain ASCII in at most 80 columns: %s',
    (command) => {
      const help = run(...[command, '--help'].filter((word) => word !== ''));

      expect(help).toContain('Options:');
      expect(help).toMatch(/^[\n -~]*$/);
      expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    },
  );

  test('is the same in every language of the surroundings', () => {
    const german = spawnSync(process.execPath, [bundle, '--help'], {
      encoding: 'utf8',
      env: { LC_ALL: 'de_DE.UTF-8' },
    });

    expect(german.stdout).toBe(run('--help'));
  });
});

test('yargs completes nothing: that is left out', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [bundle, '--get-yargs-completions', 'de'],
    {
      encoding: 'utf8',
    },
  );

  expect(stderr).toContain('there is no option --get-yargs-completions');
  expect(status).toBe(64);
});

test('a command line is read where the current directory is gone', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warp-init-gone-'));
  const script = 'cd "$1" && rmdir "$1" && exec "$2" "$3" debug --format json -- true';
  const { status, stdout, stderr } = spawnSync(
    'sh',
    ['-c', script, 'sh', directory, process.execPath, bundle],
    { encoding: 'utf8', env: { PATH: process.env['PATH'] } },
  );

  expect(stderr).not.toContain('E_INTERNAL');
  expect(stdout).toMatch(/^\{/);
  expect(status).toBe(0);
});
