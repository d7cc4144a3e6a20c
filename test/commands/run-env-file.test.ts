// The state directory at the start: ist.json, and the env file where one is wanted.
import { parse } from 'dotenv';
import { describe, expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import {
  describeContainer,
  refusalOf,
  refused,
  runContainer,
  startPlatform,
} from '../helpers/container.ts';
import { isRoot } from '../helpers/pid1.ts';

const token = 'token-of-the-instance';
const shop: PlatformFile = {
  token,
  self: 'web',
  services: { web: '10.0.0.10', 'my-db': '10.0.0.20' },
  secrets: { key: 'correct-horse\n"battery" \'staple\' #\\ ' },
};

function configOf(init: object): string {
  return `module.exports = ${JSON.stringify({ init })};`;
}

describeContainer('ist.json', () => {
  test('has the map before the app starts, also for another user of the container', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      args: [
        '--',
        'sh',
        '-c',
        'stat -c %a /run/warp-init /run/warp-init/ist.json; cat /run/warp-init/ist.json',
      ],
    });
    const [directoryMode, mode, text = ''] = ended.stdout.split('\n');
    expect([ended.status, ended.stderr]).toEqual([0, '']);
    expect([directoryMode, mode]).toEqual(['711', '644']);
    expect(JSON.parse(text)).toMatchObject({
      version: 1,
      hostnames: { 'my-db.warp': ['10.0.0.20'] },
      variables: { 'WARP_IST_my-db': '10.0.0.20' },
    });
  });

  test('is there without a platform, too, and without services', async () => {
    const ended = await runContainer({ args: ['--', 'cat', '/run/warp-init/ist.json'] });
    expect(ended.stdout).toBe('{"version":1,"services":[],"hostnames":{},"variables":{}}\n');
  });

  test('keeps inode and time over a start that changes nothing', async () => {
    const emulator = await startPlatform(shop);
    const before = `init() { "$@"; }; stat_it() { stat -c "%i %y" /run/warp-init/ist.json; }
      WARP_INIT_LOG_LEVEL=silent init "$@" && stat_it`;
    const args = ['--', 'stat', '-c', '%i %y', '/run/warp-init/ist.json'];
    const { stdout, status } = await runContainer({ emulator, before, args });
    const [first, between, last] = stdout.trim().split('\n');
    expect(status).toBe(0);
    expect([between, last]).toEqual([first, first]);
  });

  test.each([
    ['is missing', ''],
    ['is there', 'mkdir -m 711 /run/warp-init;'],
  ])(
    'is elsewhere where the usual directory %s and its file system is read-only',
    async (_state, make) => {
      const emulator = await startPlatform(shop);
      const ended = await runContainer({
        emulator,
        before: `${make} mount -t tmpfs tmpfs /dev/shm; mount -o remount,ro /run`,
        args: ['--', 'sh', '-c', 'ls /dev/shm/*'],
      });
      expect(ended).toMatchObject({ status: 0, stdout: 'ist.json\n', stderr: '' });
    },
  );

  test('missing is a warning: the app starts all the same', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      before: 'mount -t tmpfs -o ro tmpfs /dev/shm; mount -o remount,ro /run',
    });
    expect(ended).toMatchObject({ status: 0, stdout: 'the app ran\n' });
    expect(ended.log()).toEqual([
      expect.objectContaining({
        level: 40,
        code: 'W_STATE_DIRECTORY',
        msg: expect.stringMatching(
          /\/run\/warp-init \(.*EROFS\)\), \/dev\/shm\/warp-init-\d+ \(.*EROFS\)\)/,
        ),
        where: 'init.stateDirectory',
      }),
    ]);
  });

  test('that cannot be written is a warning: the app starts all the same', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      before: 'mkdir -p /run/warp-init/ist.json/x',
    });
    expect(ended).toMatchObject({ status: 0, stdout: 'the app ran\n' });
    expect(ended.log()).toEqual([
      expect.objectContaining({ level: 40, code: 'W_FILE', where: '/run/warp-init/ist.json' }),
    ]);
  });

  test('is where init.stateDirectory says, and nothing is made before the command is known', async () => {
    const emulator = await startPlatform(shop);
    const config = configOf({ stateDirectory: '/run/app/state' });
    const args = ['--', 'sh', '-c', 'find /run -name "*.json"'];
    expect(await runContainer({ emulator, config, args })).toMatchObject({
      stdout: '/run/app/state/ist.json\n',
      stderr: '',
    });
    const before = `sh -c '"$@"; status=$?; ls -A /run; exit $status' sh "$@"`;
    const failed = await runContainer({ emulator, before, args: ['--', 'no-such-program'] });
    expect(failed).toMatchObject({ status: 127, stdout: '' });
  });
});

describeContainer('the env file', () => {
  // No shell: it would drop names that it cannot assign.
  const show = `const { readFileSync, statSync } = require('fs');
    const path = '/run/warp-init/env';
    const mode = (statSync(path).mode & 0o7777).toString(8);
    process.stdout.write(JSON.stringify({ mode, file: readFileSync(path, 'utf8'), env: process.env }));`;

  test('is the whole environment of the app, secrets too, as dotenv reads it', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      env: { KEY: 'warp-secret:key', LINES: 'a\nb' },
      config: 'module.exports = { variables: { "not a name": "x" }, init: { envFile: true } };',
      args: ['--', 'node', '-e', show],
    });
    expect(ended.status).toBe(0);
    const { mode, file, env } = JSON.parse(ended.stdout);
    const { 'not a name': notAName, ...rest } = env;
    expect([mode, notAName]).toEqual(['600', 'x']);
    expect(ended.log()).toEqual([expect.objectContaining({ code: 'W_ENV_FILE_LEFT_OUT' })]);
    expect(rest.KEY).toBe('correct-horse\n"battery" \'staple\' #\\ ');
    expect(parse(file)).toEqual(rest);
  });

  test('with secrets is refused on a disk, before anything is written', async () => {
    const hosts = '127.0.0.1 localhost\n';
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      env: { KEY: 'warp-secret:key' },
      hosts,
      config: configOf({ envFile: '/tmp/warp-init-test/app.env' }),
    });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 78,
        code: 'E_ENV_FILE_DISK',
        message: 'Cannot write the env file /tmp/warp-init-test/app.env: secrets are in it',
        where: 'init.envFile',
        fix: '"/dev/shm/app.env"',
      }),
    );
    expect(ended.hosts).toBe(hosts);
  });

  test('is refused where there is no state directory for it', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      before: 'mount -t tmpfs -o ro tmpfs /dev/shm; mount -o remount,ro /run',
      config: configOf({ envFile: true }),
    });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 73,
        code: 'E_ENV_FILE_PLACE',
        message: /no state directory .*EROFS/,
        where: 'init.envFile',
        fix: 'Set init.envFile to a path',
      }),
    );
  });

  test('is not written where nobody wants it', async () => {
    const args = ['--', 'ls', '-A', '/run/warp-init'];
    const ended = await runContainer({ emulator: await startPlatform(shop), args });
    expect(ended.stdout).toBe('ist.json\n');
  });
});

describeContainer('init.hideToken', () => {
  test('keeps the token from the environment of the app and from its env file', async () => {
    const script = 'env; cat /run/warp-init/env';
    const emulator = await startPlatform(shop);
    const [hidden, told] = await Promise.all(
      [true, false].map((hideToken) =>
        runContainer({
          emulator,
          config: configOf({ hideToken, envFile: true }),
          args: ['--', 'sh', '-c', script],
        }),
      ),
    );
    expect(hidden).toMatchObject({ status: 0, stderr: '' });
    expect(hidden?.stdout).toContain('WARP_IST_my_db=10.0.0.20');
    expect(hidden?.stdout).not.toContain(token);
    expect(told?.stdout.split(token)).toHaveLength(3);
  });
});

describe.skipIf(!isRoot)('needs root', () => {
  describeContainer('the app as another user', () => {
    test('reads ist.json and its env file, and can put nothing beside them', async () => {
      const ended = await runContainer({
        emulator: await startPlatform(shop),
        env: { KEY: 'warp-secret:key' },
        config: configOf({ envFile: true }),
        args: [
          '--user',
          '4321:8765',
          '--',
          'sh',
          '-c',
          `cd /run/warp-init && stat -c '%a %u %g' env && grep -c my-db ist.json && grep -c KEY env
          (: > new) 2>/dev/null || echo no new file; ls 2>/dev/null || echo no list`,
        ],
      });
      expect(ended).toMatchObject({
        status: 0,
        stdout: '600 4321 8765\n1\n1\nno new file\nno list\n',
      });
    });
  });
});
