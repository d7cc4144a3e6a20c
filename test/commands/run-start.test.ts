// `warp-init -- COMMAND` as a container's first process: how it starts, what it says, how it ends.
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import {
  describeContainer,
  refusalOf,
  refused,
  runContainer,
  startPlatform,
  temporaryDirectory,
} from '../helpers/container.ts';
import type { ContainerOptions } from '../helpers/container.ts';

const shop: PlatformFile = {
  self: 'web',
  services: { web: '10.0.0.10', 'my-db': '10.0.0.20' },
};
const root = new URL('../../', import.meta.url).pathname;

describeContainer('the container ends as the app does', () => {
  test.each([
    ['exit 0', 0],
    ['exit 42', 42],
    ['exit 255', 255],
    ['kill -TERM $$', 143],
    ['kill -KILL $$', 137],
    ['kill -USR1 $$', 138],
  ])('%s: %i', async (script, status) => {
    const emulator = await startPlatform(shop);
    const ended = await runContainer({ emulator, args: ['--', 'sh', '-c', script] });
    expect(ended).toMatchObject({ status, stdout: '', stderr: '' });
  });

  test('with the status that --exit-status has for the app’s', async () => {
    const args = ['--exit-status', '143:0', '--exit-status', '3:4', '--'];
    const [terminated, three] = await Promise.all([
      runContainer({ args: [...args, 'sh', '-c', 'kill -TERM $$'] }),
      runContainer({ args: [...args, 'sh', '-c', 'exit 3'] }),
    ]);
    expect([terminated.status, three.status]).toEqual([0, 4]);
  });

  test('also where init replaces itself by it (--exec), which then is PID 1', async () => {
    const args = ['--exec', '--', 'sh', '-c', 'echo $$; exit 5'];
    const ended = await runContainer({ emulator: await startPlatform(shop), args });
    expect(ended).toMatchObject({ status: 5, stdout: '1\n', stderr: '' });
  });
});

describeContainer('the config', () => {
  test.each([
    ['CommonJS', 'warp.config.js', 'module.exports = { args: ["echo", "two  words"] };'],
    ['an ES module', 'warp.config.mjs', 'export default { args: ["echo", "two  words"] };'],
    [
      'an ES module by its syntax',
      'warp.config.js',
      'import { sep } from "node:path";\nexport default { args: ["echo", `two  words${sep && ""}`] };',
    ],
    [
      'an async function',
      'warp.config.js',
      'module.exports = async () => { await null; return { args: ["echo", "two  words"] }; };',
    ],
    [
      'a function that waits for a timer',
      'warp.config.cjs',
      'module.exports = () => new Promise((done) => setTimeout(done, 20, { args: ["echo", "two  words"] }));',
    ],
  ])('may be %s, and its `args` are the command if none is given', async (_kind, name, text) => {
    const emulator = await startPlatform(shop);
    const ended = await runContainer({ emulator, args: [], files: { [name]: text } });
    expect(ended).toMatchObject({ status: 0, stdout: 'two  words\n', stderr: '' });
  });

  test('splits `args` at white space where it is a text; a command that is given wins', async () => {
    const config = 'module.exports = { args: " echo  from   args " };';
    const [own, given] = await Promise.all([
      runContainer({ config, args: ['run', '--'] }),
      runContainer({ config, args: ['run', '--', 'echo', 'given'] }),
    ]);
    expect([own.stdout, given.stdout]).toEqual(['from args\n', 'given\n']);
  });

  test('is read from where --config says, and WARP_INIT_CONFIG where it does not', async () => {
    const files = {
      'a/one.cjs': 'module.exports = { args: "echo one" };',
      'two.js': 'module.exports = { args: "echo two" };',
    };
    const env = { WARP_INIT_CONFIG: 'two.js' };
    const [one, two] = await Promise.all([
      runContainer({ files, env, args: ['--config', 'a/one.cjs', '--'] }),
      runContainer({ files, env, args: [] }),
    ]);
    expect([one.stdout, two.stdout]).toEqual(['one\n', 'two\n']);
  });

  test('is checked by TypeScript through the types that are built', () => {
    const header = "/** @type {import('warp-init').WarpConfig} */\n";
    const right = `${header}module.exports = { image: 'x', variables: { A: { local: true } }, init: { killDelay: '10s' } };`;
    const wrong = `${header}module.exports = { init: { killDelay: 'soon' } };`;
    expect(checkTypes(right)).toEqual({ status: 0, output: '' });
    expect(checkTypes(wrong)).toEqual({
      status: 1,
      output: expect.stringContaining('warp.config.js(2,28): error TS2322'),
    });
  });
});

describeContainer('the log', () => {
  const config = 'module.exports = { ist: { service: "nobody" }, init: { follow: false } };';

  test('is JSON lines on stderr alone; a start without a warning says nothing', async () => {
    const emulator = await startPlatform(shop);
    const [quiet, warned] = await Promise.all([
      runContainer({ emulator }),
      runContainer({ emulator, config }),
    ]);
    expect(quiet).toMatchObject({ status: 0, stdout: 'the app ran\n', stderr: '' });
    expect(warned).toMatchObject({ status: 0, stdout: 'the app ran\n' });
    expect(warned.log()).toEqual([
      expect.objectContaining({
        level: 40,
        code: 'W_IST_UNKNOWN_SERVICE',
        where: 'ist in warp.config.js',
      }),
    ]);
  });

  test('is for people with --log-format pretty', async () => {
    const emulator = await startPlatform(shop);
    const args = ['--log-format', 'pretty', '--', 'echo', 'the app ran'];
    const ended = await runContainer({ emulator, config, args });
    expect(ended).toMatchObject({ status: 0, stdout: 'the app ran\n' });
    expect(ended.stderr).toMatch(
      /^warp-init: warning: No service is called "nobody".* \[W_IST_UNKNOWN_SERVICE\]\n {2}where: ist in warp\.config\.js\n {2}fix: {3}Correct `service`.*\n$/,
    );
  });

  test('holds only what --log-level asks for', async () => {
    const emulator = await startPlatform(shop);
    const [silent, debug] = await Promise.all([
      runContainer({ emulator, config, args: ['--log-level', 'fatal', '--', 'true'] }),
      runContainer({ emulator, config, args: ['--log-level', 'debug', '--', 'true'] }),
    ]);
    expect(silent.stderr).toBe('');
    expect(debug.log().map(({ level }) => level)).toContain(40);
  });

  test('names a WARP_INIT_ variable that is none, with the nearest one', async () => {
    const env = { WARP_INIT_KILL_DELY: '1s' };
    const ended = await runContainer({ emulator: await startPlatform(shop), env });
    expect(ended).toMatchObject({ status: 0, stdout: 'the app ran\n' });
    expect(ended.log()).toEqual([
      expect.objectContaining({
        code: 'W_UNKNOWN_OPTION',
        where: 'WARP_INIT_KILL_DELY',
        fix: 'Write WARP_INIT_KILL_DELAY instead.',
      }),
    ]);
  });

  test('says why the start ended, though more was to be said than stderr takes at once', async () => {
    const services = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`${'x'.repeat(100)}-${index}`, '10.0.0.9']),
    );
    const ended = await runContainer({
      emulator: await startPlatform({ services: { web: '10.0.0.10', ...services } }),
      before: 'mount -o remount,bind,ro /etc/hosts',
      config: 'module.exports = { init: { hosts: { onError: "fail" } } };',
    });
    const lines = ended.stderr.trimEnd().split('\n');
    expect(ended.status).toBe(73);
    expect(lines.length).toBeGreaterThan(100);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ level: 60, code: 'E_HOSTS' });
  });

  test('says after 2 s what it waits for', async () => {
    const ended = await runContainer({
      config: 'module.exports = { init: { platform: { required: true, deadline: "2500ms" } } };',
    });
    expect(ended.log()).toEqual([
      expect.objectContaining({
        level: 30,
        msg: 'Waiting for the platform: GET /v1/container: there is no socket file at /nowhere/api.sock',
      }),
      expect.objectContaining({ level: 60, code: 'E_PLATFORM_UNAVAILABLE' }),
    ]);
    expect(ended.status).toBe(69);
  });

  test('is not blamed for a config that keeps the event loop from reading its answers', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      config: 'const end = Date.now() + 2200; while (Date.now() < end); module.exports = {};',
    });

    expect([ended.status, ended.stderr]).toEqual([0, '']);
  });
});

describeContainer('without a platform', () => {
  test('the app starts with the config alone, after one warning', async () => {
    const config = 'module.exports = { variables: { GREETING: "hello" } };';
    const ended = await runContainer({ config, args: ['--', 'sh', '-c', 'echo $GREETING'] });
    expect(ended).toMatchObject({ status: 0, stdout: 'hello\n', hosts: '127.0.0.1 localhost\n' });
    expect(ended.log()).toEqual([
      expect.objectContaining({
        level: 40,
        code: 'W_STANDALONE',
        where: '/nowhere/api.sock',
        fix: expect.stringContaining('Mount the socket of the internal API'),
      }),
    ]);
  });

  test('a warp-secret: reference is fatal, and so is a wanted secret', async () => {
    const [reference, wanted] = await Promise.all([
      runContainer({ env: { KEY: 'warp-secret:payment-key' } }),
      runContainer({ config: 'module.exports = { init: { secrets: { env: { KEY: "pay" } } } };' }),
    ]);
    expect(refusalOf(reference)).toEqual(
      refused({
        status: 69,
        code: 'E_SECRET_STANDALONE',
        message: 'secret "payment-key" for variable KEY (inherited environment)',
        where: 'inherited environment',
        fix: 'Run on the platform or beside `warp-init emulator`',
      }),
    );
    expect(refusalOf(wanted)).toEqual(
      refused({
        status: 69,
        code: 'E_SECRET_STANDALONE',
        message: 'secret "pay" for variable KEY (init.secrets.env.KEY)',
        where: 'init.secrets.env.KEY',
        fix: 'give these variables plain values',
      }),
    );
  });

  test('required: false makes a platform that does not answer a warning', async () => {
    const ended = await runContainer({
      config: 'module.exports = { init: { platform: { required: false, deadline: "100ms" } } };',
      env: { CYCLE_API_TOKEN: 'a-token-for-nobody' },
      secrets: ['a-token-for-nobody'],
    });
    expect(ended).toMatchObject({ status: 0, stdout: 'the app ran\n' });
    expect(ended.log()).toEqual([expect.objectContaining({ code: 'W_STANDALONE' })]);
  });
});

describeContainer('the platform', () => {
  test('is asked on the socket where it is by default', async () => {
    const emulator = await startPlatform(shop);
    const { WARP_INIT_SOCKET: socket, ...env } = emulator.environment;
    const ended = await runContainer({
      env: { ...env, WARP_INIT_SOCKET: '' },
      before: `mount -t tmpfs tmpfs /run
        mkdir -p /var/run/cycle/api
        ln -s ${socket} /var/run/cycle/api/api.sock`,
      args: ['--', 'sh', '-c', 'echo $WARP_IST_my_db'],
    });
    expect(ended).toMatchObject({ status: 0, stdout: '10.0.0.20\n', stderr: '' });
  });

  test.each([
    ['--socket', (socket: string) => ({ args: ['--socket', socket, '--', 'echo', 'the app ran'] })],
    [
      'init.socket, though another one was asked before the config was read',
      (socket: string) => ({
        config: `module.exports = { init: { socket: '${socket}' } };`,
        env: { WARP_INIT_SOCKET: '' },
      }),
    ],
  ])('is asked on the socket that %s names', async (_what, options) => {
    const { socketPath, environment } = await startPlatform(shop);
    const { CYCLE_API_TOKEN, CYCLE_INSTANCE_ID = '' } = environment;
    const { env, ...rest }: ContainerOptions = options(socketPath);
    const ended = await runContainer({
      ...rest,
      env: { CYCLE_API_TOKEN, CYCLE_INSTANCE_ID, ...env },
    });
    expect(ended).toMatchObject({ status: 0, stdout: 'the app ran\n', stderr: '' });
    expect(ended.hosts).toContain('my-db.warp');
  });
});

describeContainer('not as PID 1', () => {
  test('it works all the same, and says once what that means', async () => {
    const emulator = await startPlatform(shop);
    const args = ['--', 'sh', '-c', 'echo $WARP_IST_my_db; exit 6'];
    const ended = await runContainer({ role: 'a child', emulator, args });
    expect(ended).toMatchObject({ status: 6, stdout: '10.0.0.20\n' });
    expect(ended.hosts).toContain('10.0.0.20 my-db.warp');
    expect(ended.log()).toEqual([
      expect.objectContaining({
        level: 40,
        code: 'W_NOT_PID1',
        msg: expect.stringContaining('adopts and reaps the orphans of the app'),
        fix: expect.stringContaining('ENTRYPOINT'),
      }),
    ]);
  });
});

describeContainer('--help and --version', () => {
  test.each([
    ['--help', /^warp-init \[run\] \[OPTIONS\] -- COMMAND/],
    ['-h', /Exit status: the app's own, or 128\+N/],
    ['--version', /^\d+\.\d+\.\d+\n$/],
  ])(
    '%s goes to stdout and ends with 0, as the whole command or behind `run`',
    async (option, text) => {
      const [alone, behind] = await Promise.all([
        runContainer({ args: [option] }),
        runContainer({ args: ['run', option] }),
      ]);
      expect(alone).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(text) });
      expect(behind).toMatchObject({ status: 0, stderr: '' });
      expect(behind.stdout).not.toBe('');
    },
  );
});

function checkTypes(config: string): { status: number | null; output: string } {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(root, join(directory, 'node_modules/warp-init'));
  writeFileSync(join(directory, 'warp.config.js'), config);
  const options = '--noEmit --allowJs --checkJs --strict --module nodenext --types'.split(' ');
  const tsc = join(root, 'node_modules/.bin/tsc');
  const { status, stdout } = spawnSync(tsc, [...options, '', 'warp.config.js'], {
    cwd: directory,
    encoding: 'utf8',
  });
  return { status, output: stdout };
}
