// `warp-init --plain`: PID 1 without a brain. Its statuses, its search for the program, its messages.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { describeRoles, installation, isRoot, startInit } from '../helpers/pid1.ts';

const binary = new URL('../../dist/warp-init', import.meta.url).pathname;

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'plain-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

describeRoles('the container ends as the app does', (role) => {
  test.each([0, 1, 42, 126, 127, 128, 255])('with the exit status %i', async (status) => {
    const init = startInit(['--plain', '--', 'sh', '-c', `exit ${status}`], { role });
    expect(await init.ended).toBe(status);
    expect(init.stderr.text()).toBe('');
  });

  test.each([
    ['TERM', 143],
    ['KILL', 137],
    ['SEGV', 139],
    ['USR1', 138],
    ['INT', 130],
    ['PIPE', 141],
    ['35', 163],
    ['64', 192],
  ])('with 128+n after the signal %s', async (signal, status) => {
    const init = startInit(['--plain', '--', 'sh', '-c', `kill -${signal} $$`], { role });
    expect(await init.ended).toBe(status);
  });
});

describe('plain mode looks for the program as a shell does', () => {
  test('along PATH, past directories that do not have it', async () => {
    const directory = temporaryDirectory();
    symlinkSync('/bin/true', join(directory, 'only-here'));
    const init = startInit(['--plain', 'only-here'], { env: { PATH: `/nowhere:${directory}` } });
    expect(await init.ended).toBe(0);
  });

  test('past a directory of the same name and past a file that cannot be run', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'a/tool'), { recursive: true });
    mkdirSync(join(directory, 'b'));
    writeFileSync(join(directory, 'b/tool'), '#!/bin/sh\n', { mode: 0o644 });
    mkdirSync(join(directory, 'c'));
    symlinkSync('/bin/true', join(directory, 'c/tool'));
    const path = ['a', 'b', 'c'].map((name) => join(directory, name)).join(':');
    const init = startInit(['--plain', 'tool'], { env: { PATH: path } });
    expect(await init.ended).toBe(0);
  });

  test.skipIf(!isRoot)('past a directory that is closed to it, which is not «found»', async () => {
    const closed = temporaryDirectory();
    const through = ['setpriv', '--reuid=1234', '--regid=1234', '--clear-groups'];
    const init = startInit(['--plain', 'no-such-program'], {
      through,
      env: { PATH: `${closed}:/usr/bin` },
    });
    expect(await init.ended).toBe(127);
  });

  test('in the current directory where PATH is empty, and only there', async () => {
    const directory = temporaryDirectory();
    symlinkSync('/bin/true', join(directory, 'here'));
    const found = startInit(['--plain', 'here'], { cwd: directory, env: { PATH: '' } });
    expect(await found.ended).toBe(0);
    const missed = startInit(['--plain', 'sh', '-c', 'exit 3'], {
      cwd: directory,
      env: { PATH: '' },
    });
    expect(await missed.ended).toBe(127);
  });

  test('by a path relative to the current directory', async () => {
    const directory = temporaryDirectory();
    symlinkSync('/bin/true', join(directory, 'here'));
    const init = startInit(['--plain', './here'], { cwd: directory, env: { PATH: '/nowhere' } });
    expect(await init.ended).toBe(0);
  });

  test('and hands it its own name and the other arguments, also empty ones', async () => {
    const init = startInit([
      '--plain',
      '--',
      'sh',
      '-c',
      'printf "[%s]" "$0" "$@"',
      'me',
      '',
      '--',
      '-x',
    ]);
    expect(await init.ended).toBe(0);
    expect(init.stdout.text()).toBe('[me][][--][-x]');
  });
});

describeRoles(
  'a program that does not run is said with its name, a reason and a remedy',
  (role) => {
    test.each([
      ['not in PATH', 'no-such-program', 127, 'No such file'],
      ['a path where nothing is', '/no/such/program', 127, 'No such file'],
      ['an empty name', '', 127, 'No such file'],
      ['a directory', '/etc', 126, 'directory'],
      ['a file without permission to run', '/etc/passwd', 126, 'denied'],
      ['a device', '/dev/null', 126, 'denied'],
      ['a file as a directory', '/etc/passwd/x', 126, 'Not a directory'],
    ])('%s', async (_what, file, status, reason) => {
      const init = startInit(['--plain', '--', file], { role });
      expect(await init.ended).toBe(status);
      expect(init.stderr.text()).toMatch(
        /^warp-init: Cannot run .*\. (Check the command, and PATH|Make the file executable).*\n$/,
      );
      expect(init.stderr.text()).toContain(file);
      expect(init.stderr.text().toLowerCase()).toContain(reason.toLowerCase());
    });

    test('text without an interpreter', async () => {
      const file = join(temporaryDirectory(), 'text');
      writeFileSync(file, 'exit 0\n');
      chmodSync(file, 0o755);
      const init = startInit(['--plain', file], { role });
      expect(await init.ended).toBe(126);
      expect(init.stderr.text()).toContain('format');
    });
  },
);

describe('which mode it is', () => {
  test.each([
    ['an option', ['--plain', '--user', 'www', '--', 'true'], {}, '--user'],
    [
      'an option by the environment',
      ['run', '--exec', '--', 'true'],
      { WARP_INIT_PLAIN: 'true' },
      '--exec',
    ],
    ['no command', ['--plain'], {}, 'no command'],
    ['no command behind --', ['--plain', '--'], {}, 'no command'],
  ])('plain mode refuses %s with status 64', async (_what, args, env, word) => {
    const init = startInit(args, { env });
    expect(await init.ended).toBe(64);
    expect(init.stderr.text()).toMatch(
      /^warp-init: Cannot start.*Use `warp-init --plain -- COMMAND/,
    );
    expect(init.stderr.text()).toContain(word);
  });

  test.each([
    ['without `run`', ['--', 'true']],
    ['with `run`', ['run', '--', 'true']],
  ])('WARP_INIT_PLAIN=1 needs neither Node nor bundle, %s', async (_what, args) => {
    const init = startInit(args, { env: { WARP_INIT_PLAIN: '1', PATH: '/bin' } });
    expect(await init.ended).toBe(0);
  });

  describe('as any flag of the environment WARP_INIT_PLAIN', () => {
    const [isPlain, isNot, isRefused] = [0, 127, 64];
    test.each([
      ['1', isPlain],
      ['TRUE', isPlain],
      ['', isNot],
      ['0', isNot],
      ['False', isNot],
      ['yes', isRefused],
      ['on', isRefused],
      ['garbage', isRefused],
    ])('%j ends with %i where there is no Node', async (value, status) => {
      const init = startInit(['--', 'true'], {
        path: installation('release'),
        env: { WARP_INIT_PLAIN: value, WARP_INIT_NODE: '/nope' },
      });
      expect(await init.ended).toBe(status);
      const isSaid = init.stderr.text().includes('expected 1, true, 0 or false. Set it to 1');
      expect(isSaid).toBe(status === isRefused);
    });

    test('is nothing to a command, of which none is plain', async () => {
      const init = startInit(['--version'], { env: { WARP_INIT_PLAIN: 'garbage' } });
      expect(await init.ended).toBe(0);
    });
  });

  test('the app gets no variable of init, and all others as they were', async () => {
    const init = startInit(['--plain', '--', 'env'], {
      env: {
        WARP_INIT_PLAIN: '1',
        WARP_INIT_X: 'y',
        NODE_OPTIONS: '--bad',
        WARP_INITIAL: 'kept',
        A: '',
      },
    });
    expect(await init.ended).toBe(0);
    const lines = init.stdout.text().trim().split('\n');
    expect(lines.toSorted()).toEqual(
      [
        'A=',
        'NODE_OPTIONS=--bad',
        `PATH=${process.env['PATH'] ?? ''}`,
        'WARP_INITIAL=kept',
      ].toSorted(),
    );
  });

  test('Node that is nowhere is status 127, and says where it was looked for', async () => {
    const init = startInit(['--', 'true'], {
      path: installation('release'),
      env: { PATH: '/nowhere' },
    });
    expect(await init.ended).toBe(127);
    expect(init.stderr.text()).toMatch(
      /Cannot find Node: looked for .*\/node and for node in PATH\. Install Node.*--plain/,
    );
  });

  test.each(['/nope', '/etc', 'no-such-node'])(
    'WARP_INIT_NODE=%s is status 127, and nothing else is said to have been looked at',
    async (chosen) => {
      const init = startInit(['--', 'true'], {
        path: installation('release'),
        env: { WARP_INIT_NODE: chosen },
      });
      expect(await init.ended).toBe(127);
      expect(init.stderr.text()).toBe(
        `warp-init: Cannot find Node: WARP_INIT_NODE=${chosen} is no program. ` +
          'Correct it, unset it, or start the app with --plain.\n',
      );
    },
  );

  test('a directory named node beside the binary is not Node', async () => {
    const path = installation('release', '// with a directory beside it');
    mkdirSync(join(path, '../node'));
    const init = startInit(['--', 'true'], { path, env: { PATH: '/nowhere' } });
    expect(await init.ended).toBe(127);
    expect(init.stderr.text()).toContain('Cannot find Node');
  });

  test('a bundle that is nowhere is status 127, and says where it was looked for', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'warp-init');
    const copied = spawnSync('cp', [binary, path]);
    expect(copied.status).toBe(0);
    const init = startInit(['--', 'true'], { path });
    expect(await init.ended).toBe(127);
    expect(init.stderr.text()).toMatch(/Cannot find warp-init\.cjs.*\.\.\/lib\/warp-init.*--plain/);
    expect(init.stderr.text()).toContain(directory);
  });

  test('a Node that cannot be executed ends with a message and status 70', async () => {
    const file = join(temporaryDirectory(), 'node');
    writeFileSync(file, 'no interpreter\n', { mode: 0o755 });
    const init = startInit(['--', 'true'], {
      path: installation('release'),
      env: { WARP_INIT_NODE: file },
    });
    expect(await init.ended).toBe(70);
    expect(init.stderr.text()).toContain('Cannot prepare the start');
  });
});

describe('the binary', () => {
  // build.sh takes musl where it is there, and glibc's static library, ten times the size, else.
  const hasMusl = spawnSync('musl-gcc', ['--version']).status === 0;

  test(`is below ${hasMusl ? '100 kB with musl' : '1 MB with glibc'}`, () => {
    expect(statSync(binary).size).toBeLessThan(hasMusl ? 100_000 : 1_000_000);
  });

  test('is static: it asks for no interpreter and no library', () => {
    const { stdout, status } = spawnSync('readelf', ['--program-headers', '--dynamic', binary], {
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    expect(stdout).toContain('LOAD');
    expect(stdout).not.toMatch(/INTERP|NEEDED/);
  });
});
