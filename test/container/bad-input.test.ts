// What people get wrong in a Dockerfile or on the command line of the engine: each time one line says what to change.
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { buildImage, runContainer, startContainer, startPlatform } from './container.ts';
import { shopImage } from './setup.ts';

/** What would take half a minute. */
const impatient = {
  'warp.config.js': 'module.exports = { init: { platform: { deadline: "1s" } } };',
};

const echo = 'CMD ["echo", "the app ran"]';

describe('ENTRYPOINT without brackets', () => {
  test('loses CMD, and the remedy has the brackets', async () => {
    const image = await buildImage(`FROM ${shopImage}\nENTRYPOINT warp-init --\n${echo}\n`);
    const { status, stdout, log } = await runContainer({ image, options: ['--workdir=/'] });

    expect([status, stdout]).toEqual([64, '']);
    expect(log.at(-1)).toMatchObject({
      code: 'E_USAGE',
      msg: 'Cannot start: no command was given',
      fix: expect.stringContaining('beside ENTRYPOINT ["warp-init", "--"]'),
    });
  });

  test('that leaves the shell as PID 1 is a warning which says that it forwards no signal', async () => {
    const platform = await startPlatform();
    const entrypoint = 'ENTRYPOINT warp-init -- node server.js; echo "status $?"';
    const image = await buildImage(`FROM ${shopImage}\n${entrypoint}\n`);
    const web = startContainer({ image, options: platform.options });
    await web.stdout.waitFor(/listens/);

    expect((await web.exec(['cat', '/proc/1/comm'])).stdout).toBe('sh\n');
    expect(web.log()).toEqual([
      expect.objectContaining({
        code: 'W_NOT_PID1',
        msg: expect.stringContaining('PID 1 is a shell here (sh), which forwards no signal'),
        fix: expect.stringContaining('["warp-init", "--"]'),
      }),
    ]);
    // It is true.
    await web.stop(1);
    expect(await web.ended).toBe(128 + 9);
    expect(web.stdout.text()).not.toContain('closing');
  });

  test('of a script that does not exec is the same, and exec is the remedy', async () => {
    const script = '#!/bin/sh\nwarp-init -- "$@"\n';
    const image = await buildImage(
      `FROM ${shopImage}\nCOPY start.sh /\nENTRYPOINT ["sh", "/start.sh"]\n${echo}\n`,
      { 'start.sh': script },
    );
    const { status, stdout, log } = await runContainer({ image, options: ['--workdir=/'] });

    expect([status, stdout]).toEqual([0, 'the app ran\n']);
    expect(log.find(({ code }) => code === 'W_NOT_PID1')?.fix).toContain(
      '`exec warp-init -- "$@"`',
    );
    const better = await buildImage(
      `FROM ${shopImage}\nCOPY start.sh /\nENTRYPOINT ["sh", "/start.sh"]\n${echo}\n`,
      { 'start.sh': script.replace('warp-init', 'exec warp-init') },
    );
    const ended = await runContainer({ image: better, options: ['--workdir=/'] });
    expect([ended.status, ended.stdout]).toEqual([0, 'the app ran\n']);
    expect(ended.log.map(({ code }) => code)).toEqual(['W_STANDALONE']);
  });
});

test('warp-init in ENTRYPOINT and in CMD: a warning says that one is enough, and the app runs', async () => {
  const platform = await startPlatform();
  // The inner one is the user of the app, who may not open the socket of this platform.
  chmodSync(join(platform.directory, 'api/api.sock'), 0o666);
  const command = ['warp-init', '--', 'node', 'server.js'];
  const web = startContainer({ image: shopImage, options: platform.options, command });
  const [line] = await web.stdout.waitFor(/^.*listens.*$/m);

  expect(JSON.parse(line)).toMatchObject({ uid: 1000, address: '10.0.0.20' });
  expect(web.log()).toContainEqual(
    expect.objectContaining({
      code: 'W_TWICE',
      where: 'pid 1',
      fix: expect.stringContaining('CMD is the app alone'),
    }),
  );
  await web.stop(30);
  expect(await web.ended).toBe(0);
});

describe('USER nobody', () => {
  const nobody = `FROM ${shopImage}\nUSER nobody\n`;

  test('in an image that names another user of the app is an error, which says who has to start it', async () => {
    const { status, stdout, log } = await runContainer({ image: await buildImage(nobody) });

    expect([status, stdout]).toEqual([78, '']);
    expect(log.at(-1)).toMatchObject({
      code: 'E_USER',
      fix: expect.stringContaining('Start the container as root'),
    });
  });

  test('without it is a warning that hosts cannot be written, and all else works', async () => {
    const platform = await startPlatform();
    chmodSync(join(platform.directory, 'api/api.sock'), 0o666);
    const options = [...platform.options, '--unsetenv=WARP_INIT_USER'];
    const web = startContainer({ image: await buildImage(nobody), options });
    const [line] = await web.stdout.waitFor(/^.*listens.*$/m);

    expect(JSON.parse(line)).toMatchObject({ uid: 65_534, variables: { DB_HOST: '10.0.0.20' } });
    expect(web.log()).toEqual([
      expect.objectContaining({
        code: 'W_HOSTS',
        msg: expect.stringContaining('permission denied (EACCES)'),
        fix: expect.stringContaining('Start init as root (the app with --user)'),
      }),
    ]);
    expect((await web.exec(['warp-init', 'status'])).status).toBe(0);
  });

  test('beside a socket of root alone is an error, which names the socket and who may open it', async () => {
    const platform = await startPlatform();
    chmodSync(join(platform.directory, 'api/api.sock'), 0o600);
    const options = [...platform.options, '--unsetenv=WARP_INIT_USER'];
    const image = await buildImage(`${nobody}COPY warp.config.js ./\n`, impatient);
    const { status, log } = await runContainer({ image, options });

    expect(status).toBe(69);
    expect(log.at(-1)).toMatchObject({
      code: 'E_PLATFORM_UNAVAILABLE',
      msg: expect.stringContaining('/var/run/cycle/api/api.sock'),
      where: expect.stringContaining('/var/run/cycle/api/api.sock'),
      fix: expect.stringContaining('Run warp-init as root'),
    });
  });
});

describe('without the socket', () => {
  test('but with a token is an error, which says what to mount', async () => {
    const options = ['--env=CYCLE_API_TOKEN=shop', '--env=WARP_INIT_LOG_LEVEL=warn'];
    const image = await buildImage(`FROM ${shopImage}\nCOPY warp.config.js ./\n`, impatient);
    const { status, stdout, log } = await runContainer({ image, options });

    expect([status, stdout]).toEqual([69, '']);
    expect(log).toEqual([
      expect.objectContaining({
        code: 'E_PLATFORM_UNAVAILABLE',
        msg: expect.stringContaining('there is no socket file at /var/run/cycle/api/api.sock'),
        fix: expect.stringContaining('Mount the socket of the internal API'),
      }),
    ]);
  });

  test('and without a token is a warning: the config alone is used', async () => {
    const command = ['echo', 'the app ran'];
    const { status, stdout, log } = await runContainer({ image: shopImage, command });

    expect([status, stdout]).toEqual([0, 'the app ran\n']);
    expect(log).toEqual([
      expect.objectContaining({
        code: 'W_STANDALONE',
        fix: expect.stringContaining('Mount the socket'),
      }),
    ]);
  });
});

test('a config of another version names each key that is unknown, and this version', async () => {
  const config = `module.exports = {
    deployment: { port: 80 },
    services: { web: {} },
    init: { restartPolicy: 'always', reload: { signal: 'SIGHUP', strategy: 'rolling' } },
  };\n`;
  const image = await buildImage(`FROM ${shopImage}\nCOPY warp.config.js ./\n`, {
    'warp.config.js': config,
  });
  const { status, stdout, log } = await runContainer({ image });

  expect([status, stdout]).toEqual([78, '']);
  expect(log).toEqual([
    expect.objectContaining({
      code: 'E_CONFIG',
      msg: expect.stringMatching(
        /which has 2 problems:\n.*init\.reload\.strategy.*\n.*init\.restartPolicy/,
      ),
      where: '/app/warp.config.js',
      fix: expect.stringMatching(/another version of warp-init \(this one is \d+\.\d+\.\d+\)/),
    }),
  ]);
});

function buildClosed(mode: string): Promise<string> {
  return buildImage(`FROM ${shopImage}\nRUN chmod ${mode}\nUSER nobody\n`);
}

describe('a config that the user of the image may not read', () => {
  const options = ['--unsetenv=WARP_INIT_USER'];

  test('is an error, which says how to copy it', async () => {
    const image = await buildClosed('600 warp.config.js');
    const { status, log } = await runContainer({ image, options });

    expect(status).toBe(78);
    expect(log.at(-1)).toMatchObject({
      code: 'E_CONFIG',
      msg: expect.stringContaining('EACCES'),
      fix: expect.stringContaining('COPY --chmod=644'),
    });
  });

  test('in a directory that it may not enter is a warning: whether there is one is not known', async () => {
    const image = await buildClosed('700 .');
    const { status, log } = await runContainer({ image, options, command: ['true'] });

    expect(status).toBe(0);
    expect(log).toContainEqual(
      expect.objectContaining({
        code: 'W_CONFIG_NOT_READ',
        where: '/app',
        fix: expect.stringContaining('chmod a+rx'),
      }),
    );
  });
});

test.each([
  ['CMD in one string', ['node server.js'], 'Write each word by itself'],
  ['an option behind the image', ['--version'], 'Name the program before its options'],
  ['a command of warp-init behind the image', ['check'], '--entrypoint warp-init IMAGE check'],
])('%s is an error that says what to write', async (_what, command, fix) => {
  const { status, stdout, log } = await runContainer({ image: shopImage, command });

  expect([status, stdout]).toEqual([127, '']);
  expect(log.at(-1)).toMatchObject({ code: 'E_NOT_FOUND', fix: expect.stringContaining(fix) });
});

test('an option of another version is a warning which names it', async () => {
  const { status, log } = await runContainer({
    image: shopImage,
    options: ['--env=WARP_INIT_RESTART=always'],
    command: ['true'],
  });

  expect(status).toBe(0);
  expect(log).toContainEqual(
    expect.objectContaining({
      code: 'W_UNKNOWN_OPTION',
      msg: expect.stringContaining('WARP_INIT_RESTART'),
    }),
  );
});
