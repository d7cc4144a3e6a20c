// The script that the package has in the place of warp-init until npm has run its own.
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { run, temporaryDirectory } from './npm.ts';

const source = new URL('../../src/install/launcher.sh', import.meta.url).pathname;

function writeScript(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

/** A package with binaries that say which they are, on a machine of any kind. */
function installation(machine: string, system = 'Linux') {
  const directory = temporaryDirectory();
  const dist = join(directory, 'a package', 'dist');
  mkdirSync(dist, { recursive: true });
  copyFileSync(source, join(dist, 'warp-init-here'));
  for (const architecture of ['x64', 'arm64']) {
    writeScript(join(dist, `warp-init-${architecture}`), `printf '[%s]' ${architecture} "$@"`);
  }

  mkdirSync(join(directory, 'fake'));
  writeScript(join(directory, 'fake', 'uname'), `[ "$*" = -sm ] && echo ${system} ${machine}`);
  const env = { PATH: `${join(directory, 'fake')}:${process.env['PATH'] ?? ''}` };
  return { directory, dist, file: join(dist, 'warp-init-here'), env };
}

test.each([
  ['x86_64', 'x64'],
  ['amd64', 'x64'],
  ['aarch64', 'arm64'],
  ['arm64', 'arm64'],
])('on %s it becomes the binary for %s, with all words as they are', (machine, binary) => {
  const { file, env } = installation(machine);

  expect(run([file, '--', 'a b', '', '*'], env)).toEqual({
    status: 0,
    stdout: `[${binary}][--][a b][][*]`,
    stderr: '',
  });
});

test.each(['riscv64', 'armv7l', 'i686', 's390x'])('on %s it says what there is', (machine) => {
  const { file, env } = installation(machine);
  const { status, stdout, stderr } = run([file, '--version'], env);

  expect([status, stdout]).toEqual([70, '']);
  expect(stderr).toMatch(
    new RegExp(
      `^warp-init: Cannot run on this machine: it is ${machine}, .*x86_64 and aarch64.*\n$`,
    ),
  );
});

test('where there is no Linux it says so', () => {
  const { file, env } = installation('arm64', 'Darwin');

  expect(run([file, '--version'], env)).toEqual({
    status: 70,
    stdout: '',
    stderr: 'warp-init: Cannot run on this machine: it runs Darwin. Use a container, or Linux.\n',
  });
});

test('it finds the binaries through links, absolute and relative', () => {
  const { directory, file, env } = installation('x86_64');
  mkdirSync(join(directory, 'bin'));
  symlinkSync('../a package/dist/warp-init-here', join(directory, 'bin', 'relative'));
  symlinkSync(join(directory, 'bin', 'relative'), join(directory, 'absolute'));

  expect(run([join(directory, 'absolute'), '1'], env).stdout).toBe('[x64][1]');
  expect(run([join(directory, 'bin', 'relative')], env).stdout).toBe('[x64]');
  expect(run(['sh', '-c', `cd '${join(file, '..')}' && sh ./warp-init-here`], env).stdout).toBe(
    '[x64]',
  );
});

test('`warm` puts the binary in its place, where a link leads to it', () => {
  const { directory, dist, file, env } = installation('x86_64');
  symlinkSync(file, join(directory, 'link'));

  expect(run([join(directory, 'link'), 'warm'], env).stdout).toBe('[x64][warm]');
  expect(readFileSync(file)).toEqual(readFileSync(join(dist, 'warp-init-x64')));
  expect(readdirSync(dist)).toEqual(['warp-init-arm64', 'warp-init-here', 'warp-init-x64']);
});

test('`warm` leaves it where a script of pnpm or yarn runs it with sh', () => {
  const { file, env } = installation('x86_64');

  expect(run(['sh', file, 'warm'], env).stdout).toBe('[x64][warm]');
  expect(run([file, 'warm'], env).stdout).toBe('[x64][warm]');
  expect(readFileSync(file)).toEqual(readFileSync(source));
});

test('a binary that is missing is said with its path', () => {
  const { dist, file, env } = installation('aarch64');
  rmSync(join(dist, 'warp-init-arm64'));

  expect(run([file], env)).toEqual({
    status: 70,
    stdout: '',
    stderr: `warp-init: Cannot run on this machine: ${dist}/warp-init-arm64 is missing. Install warp-init again.\n`,
  });
});
