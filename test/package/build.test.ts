// src/pid1/build.sh where a compiler is missing.
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { run, temporaryDirectory } from './npm.ts';

const script = new URL('../../src/pid1/build.sh', import.meta.url).pathname;
const isOnX64 = process.arch === 'x64';

/** All programs of this machine but some. */
function programsWithout(pattern: RegExp): string {
  const directory = join(temporaryDirectory(), 'bin');
  mkdirSync(directory);
  for (const name of readdirSync('/usr/bin').filter((it) => !pattern.test(it))) {
    symlinkSync(join('/usr/bin', name), join(directory, name));
  }

  return directory;
}

describe.skipIf(!isOnX64)('without a compiler for the other architecture', () => {
  test('the binary for this machine is built, and what the package lacks is said', () => {
    const out = temporaryDirectory();
    writeFileSync(join(out, 'warp-init-arm64'), 'of an earlier build\n');
    const env = { WARP_INIT_OUT: out, PATH: programsWithout(/^aarch64/) };
    const { status, stderr } = run(['sh', script], env);

    expect(status).toBe(0);
    expect(stderr).toContain('there can be no npm package');
    expect(stderr).toContain('apt-get install gcc-aarch64-linux-gnu');
    expect(run([join(out, 'warp-init'), '--plain', '--', 'true']).status).toBe(0);
    expect(readdirSync(out).toSorted()).toEqual(['warp-init', 'warp-init-x64']);
  });

  test('there is no package', () => {
    const out = temporaryDirectory();
    writeFileSync(join(out, 'warp-init-x64'), '', { mode: 0o755 });
    const { status, stderr } = run(['sh', script, 'package'], { WARP_INIT_OUT: out });

    expect(status).toBe(1);
    expect(stderr).toContain('Cannot build src/pid1: dist/warp-init-arm64 is missing');
    expect(stderr).toContain('apt-get install gcc-aarch64-linux-gnu musl-dev:arm64');
  });
});

test('with both binaries there is a package', () => {
  const out = temporaryDirectory();
  for (const architecture of ['x64', 'arm64']) {
    writeFileSync(join(out, `warp-init-${architecture}`), '', { mode: 0o755 });
  }

  expect(run(['sh', script, 'package'], { WARP_INIT_OUT: out })).toEqual({
    status: 0,
    stdout: '',
    stderr: '',
  });
});

test('without any compiler the build fails, says what to install, and leaves nothing behind', () => {
  const out = temporaryDirectory();
  const env = { WARP_INIT_OUT: out, PATH: programsWithout(/gcc|clang|^cc$|^c\d\d$/) };
  const { status, stderr } = run(['sh', script], env);

  expect(status).toBe(1);
  expect(stderr).toMatch(
    /Cannot build src\/pid1: there is no C compiler.*apt-get install musl-tools/,
  );
  expect(existsSync(join(out, 'warp-init'))).toBe(false);
});
