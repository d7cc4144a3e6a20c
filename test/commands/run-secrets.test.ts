// Secrets: fetched only where they are wanted, told to nobody but the app. helpers/container.ts looks for each of
// them in the stderr of every container.
import { expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import type { Emulator } from '../../src/emulator/server.ts';
import {
  describeContainer,
  refusalOf,
  refused,
  runContainer,
  startPlatform,
} from '../helpers/container.ts';

const path = '/v1/environment/scoped-variables';
const shop: PlatformFile = {
  token: 'token-of-the-instance',
  self: 'web',
  services: { web: '10.0.0.10', 'my-db': '10.0.0.20' },
  secrets: {
    'database-url': 'postgres://correct-horse',
    'app.env': 'SESSION_KEY="battery staple"\nexport MAIL_FROM=shop@example.com\n',
    'served-once': { value: 'only-for-the-first', once: true },
    large: 'sesame'.repeat(Math.ceil(200_000 / 6)).slice(0, 200_000),
    nothing: '',
    API_KEY: 'sk_test_1234',
    LD_PRELOAD: '/tmp/evil-library.so',
  },
};

describeContainer('secrets are asked for', () => {
  test('once where the app wants some, with all else that is asked once', async () => {
    const emulator = await startPlatform(shop);
    const ended = await runContainer({
      emulator,
      env: { ONE: 'warp-secret:database-url', TWO: 'warp-secret:database-url' },
      args: ['--', 'sh', '-c', 'echo $ONE $TWO'],
    });
    expect(ended).toMatchObject({
      status: 0,
      stdout: 'postgres://correct-horse postgres://correct-horse\n',
      stderr: '',
    });
    expect(pathsOf(emulator)).toEqual([
      '/v1/container',
      '/v1/environment',
      '/v1/environment/containers',
      '/v1/environment/instances',
      path,
      '/v1/hub',
      '/v1/server',
    ]);
  });

  test('never where none is wanted, nor by `debug`', async () => {
    const emulator = await startPlatform(shop);
    const unwanted = await runContainer({ emulator });
    const debug = await runContainer({
      emulator,
      args: ['debug', '--format', 'json', '--', 'true'],
      env: { ONE: 'warp-secret:database-url' },
      config: 'module.exports = { init: { secrets: { env: "all" } } };',
    });
    expect([unwanted.status, debug.status]).toEqual([0, 0]);
    expect(JSON.parse(debug.stdout)).toMatchObject({ version: 1 });
    expect(debug.stdout).not.toMatch(/correct-horse|sk_test|sesame|battery/);
    expect(pathsOf(emulator)).not.toContain(path);
  });

  test('so that one that is served once gets to the app', async () => {
    const emulator = await startPlatform(shop);
    const env = { ONCE: 'warp-secret:served-once' };
    const args = ['--', 'sh', '-c', 'echo $ONCE'];
    const first = await runContainer({ emulator, env, args });
    expect(first).toMatchObject({ status: 0, stdout: 'only-for-the-first\n', stderr: '' });
    expect(refusalOf(await runContainer({ emulator, env, args }))).toEqual(
      refused({
        status: 78,
        code: 'E_SECRET_UNKNOWN',
        message: 'secret "served-once" for variable ONCE (inherited environment)',
        where: 'inherited environment',
        fix: 'give this container access to it, or correct the identifier.',
      }),
    );
  });
});

describeContainer('secrets are in the environment of the app', () => {
  test('from references in the inherited environment, a dotenv file and `variables`', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      env: { INHERITED: 'warp-secret:database-url' },
      files: { '.env': 'DOTENV=warp-secret:API_KEY\n' },
      config:
        'module.exports = { variables: { LITERAL: "warp-secret:database-url" }, init: { dotenv: ".env", secrets: { dotenv: "app.env" } } };',
      args: ['--', 'sh', '-c', 'echo $INHERITED,$DOTENV,$LITERAL,$SESSION_KEY,$MAIL_FROM'],
    });
    expect(ended.stdout.trim().split(',')).toEqual([
      'postgres://correct-horse',
      'sk_test_1234',
      'postgres://correct-horse',
      'battery staple',
      'shop@example.com',
    ]);
    expect(ended).toMatchObject({ status: 0, stderr: '' });
  });

  test('but `all` never sets what decides which code runs', async () => {
    const { secrets: { large: _, nothing: __, ...secrets } = {}, ...platform } = shop;
    const ended = await runContainer({
      emulator: await startPlatform({ ...platform, secrets }),
      config: 'module.exports = { init: { secrets: { env: "all" } } };',
      args: ['--', 'sh', '-c', 'echo $API_KEY ${LD_PRELOAD-none}'],
    });
    expect(ended).toMatchObject({ status: 0, stdout: 'sk_test_1234 none\n' });
    expect(ended.log()).toEqual([
      expect.objectContaining({
        level: 40,
        code: 'W_SECRET_RESERVED',
        where: 'init.secrets.env',
        msg: expect.stringContaining('LD_PRELOAD'),
      }),
    ]);
  });

  test('empty only where allowEmpty has it', async () => {
    const emulator = await startPlatform(shop);
    const args = ['--', 'sh', '-c', 'echo "<$EMPTY>"'];
    const [fatal, allowed] = await Promise.all([
      runContainer({ emulator, args, env: { EMPTY: 'warp-secret:nothing' } }),
      runContainer({
        emulator,
        args,
        env: { EMPTY: 'warp-secret:nothing' },
        config: 'module.exports = { init: { secrets: { allowEmpty: "nothing" } } };',
      }),
    ]);
    expect(refusalOf(fatal)).toEqual(
      refused({
        status: 78,
        code: 'E_SECRET_EMPTY',
        message: 'Cannot use secret "nothing" for variable EMPTY (inherited environment)',
        where: 'inherited environment',
        fix: 'or add its identifier to init.secrets.allowEmpty',
      }),
    );
    expect(allowed).toMatchObject({ status: 0, stdout: '<>\n', stderr: '' });
  });
});

describeContainer('a secret is refused', () => {
  test('that the platform does not have: the message names variables and identifiers', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      env: { ONE: 'warp-secret:no-such-secret' },
      config: 'module.exports = { init: { secrets: { env: { TWO: "nor-this" } } } };',
    });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 78,
        code: 'E_SECRET_UNKNOWN',
        message:
          'Cannot use secret "no-such-secret" for variable ONE (inherited environment), secret "nor-this" for variable TWO (init.secrets.env.TWO): the platform has none of that identifier for this container',
        where: 'inherited environment',
        fix: 'Create the scoped variable in the environment',
      }),
    );
  });

  test('that has 200 kB, as a variable: name and size, no part of the value', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      config: 'module.exports = { init: { secrets: { env: { BIG: "large" } } } };',
      secrets: ['sesame', 'esames'],
    });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 78,
        code: 'E_ENVIRONMENT_TOO_LARGE',
        message:
          'Cannot pass BIG (200005 bytes): the kernel takes at most 131072 bytes in one NAME=value with its NUL',
        where: 'BIG',
        fix: 'Pass large values in files, and their paths as variables.',
      }),
    );
  });
});

describeContainer('run --debug', () => {
  test('prints the table to stderr before the start, and shows no secret', async () => {
    const emulator = await startPlatform(shop);
    const ended = await runContainer({
      emulator,
      args: ['--debug', '--', 'sh', '-c', 'echo $DATABASE_URL'],
      env: { DATABASE_URL: 'warp-secret:database-url', COPY: 'inherited-sesame' },
      config:
        'module.exports = { variables: { COPY: { local: true } }, init: { secrets: { dotenv: "app.env", env: { KEY: "API_KEY" } } } };',
      secrets: ['sesame'],
    });
    expect(ended).toMatchObject({ status: 0, stdout: 'postgres://correct-horse\n' });
    expect(ended.stderr).toMatch(/^ +hostnames +my-db\.warp$/m);
    expect(ended.stderr).toMatch(/^ +DATABASE_URL +\(secret\) +secret: database-url$/m);
    expect(ended.stderr).toMatch(/^ +COPY +\(not shown\)/m);
    expect(ended.stderr).toMatch(/^ +app\.env +a dotenv document/m);
    expect(pathsOf(emulator).filter((each) => each === path)).toHaveLength(1);
  });
});

/** The app may still run when the brain has got as far as to follow the platform. */
function pathsOf({ requests }: Emulator): string[] {
  return requests
    .map((request) => request.path)
    .filter((asked) => asked !== '/v1/notifications')
    .toSorted();
}
