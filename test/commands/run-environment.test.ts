// What the app gets as its environment and arguments, seen by the app itself.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import {
  describeContainer,
  parseEnvironment,
  runContainer,
  startContainer,
  startPlatform,
} from '../helpers/container.ts';
import type { ContainerOptions } from '../helpers/container.ts';
import { program } from '../helpers/pid1.ts';
import { childRunning } from '../helpers/process.ts';

const hubId = 'a'.repeat(24);
const environmentId = 'b'.repeat(24);
const serverId = 'c'.repeat(24);
const webId = 'd'.repeat(24);
const instanceId = 'e'.repeat(24);

const shop = {
  token: 'token-of-the-instance',
  hub: { id: hubId, name: 'acme' },
  environment: { id: environmentId, name: 'shop' },
  server: { id: serverId, hostname: 'server-1' },
  self: 'web',
  services: {
    web: {
      id: webId,
      deployment: 'v2.0.0',
      instances: [{ id: instanceId, ipv4: '10.0.0.10' }],
    },
    'my-db': [{ ipv4: '10.0.0.20', ipv6: 'fd00::20' }],
    'mes-données': 'fd00::40',
    'api v1': { name: 'api', deployment: 'v1.0.0', instances: ['10.0.0.60'] },
    'load balancer': { platform_service: 'loadbalancer', instances: ['10.0.0.2'] },
  },
  secrets: {
    'database-url': 'postgres://correct-horse',
    'payment-key': 'sk_test_1234',
    'app.env': 'SESSION_KEY="battery staple"\nFROM_SECRET=sesame-street\n',
    UNWANTED: 'nobody-asked-for-this',
  },
} satisfies PlatformFile;

describeContainer('the environment of the app', () => {
  test('is made of its layers, and of nothing else', async () => {
    const emulator = await startPlatform(shop);
    const { environment, stderr } = await environmentOf({
      emulator,
      args: ['--env-file', 'first.env', '--env-file', 'second.env', '--', 'env', '-0'],
      env: {
        INHERITED: 'kept',
        EMPTY: '',
        LOCAL: 'from outside',
        REMOVED: 'never seen',
        OVERRIDDEN: 'by a variable',
        WARP_SERVICE: 'a lie',
        DATABASE_URL: 'warp-secret:database-url',
        WARP_INIT_LOG_LEVEL: 'info',
        WARP_INIT_NODE: process.execPath,
      },
      // The shell would drop it.
      before: `set -- env 'odd.name-1=kept too' "$@"`,
      files: {
        'first.env': 'INHERITED=lost\nFIRST="from a\\nfile"\nKEY=warp-secret:payment-key\n',
        'second.env': 'FIRST=lost\nSECOND=from another\n',
      },
      config: `module.exports = {
        variables: { LOCAL: { local: true }, EMPTIED: { empty: true }, REMOVED: { undef: true },
          OVERRIDDEN: 'lost', LITERAL: 'as written' },
        deployment: { port: 8080, variables: { OVERRIDDEN: 'deployment' } },
        ist: { service: 'my-db', variables: ['DB_HOST', 'DATABASE_HOST'] },
        init: { secrets: { env: { PAYMENT: 'payment-key' }, dotenv: 'app.env' } },
      };`,
    });
    expect(stderr).toBe('');
    expect(environment).toEqual({
      PATH: process.env['PATH'],
      CYCLE_API_TOKEN: 'token-of-the-instance',
      CYCLE_INSTANCE_ID: instanceId,
      INHERITED: 'kept',
      EMPTY: '',
      'odd.name-1': 'kept too',
      FIRST: 'from a\nfile',
      SECOND: 'from another',
      WARP_PROJECT: 'acme',
      WARP_PROJECT_ID: hubId,
      WARP_ENV: 'shop',
      WARP_ENV_ID: environmentId,
      WARP_SERVICE: 'web',
      WARP_SERVICE_ID: webId,
      WARP_DEPLOYMENT: 'v2.0.0',
      WARP_DEPLOYMENT_ID: 'v2.0.0',
      WARP_RUNNER: 'server-1',
      WARP_RUNNER_ID: serverId,
      WARP_PORT: '8080',
      WARP_IST_web: '10.0.0.10',
      'WARP_IST_my-db': '10.0.0.20',
      WARP_IST_my_db: '10.0.0.20',
      'WARP_IST_mes-donnees': 'fd00::40',
      WARP_IST_mes_donnees: 'fd00::40',
      DB_HOST: '10.0.0.20',
      DATABASE_HOST: '10.0.0.20',
      LOCAL: 'from outside',
      EMPTIED: '',
      OVERRIDDEN: 'deployment',
      LITERAL: 'as written',
      DATABASE_URL: 'postgres://correct-horse',
      KEY: 'sk_test_1234',
      PAYMENT: 'sk_test_1234',
      SESSION_KEY: 'battery staple',
      FROM_SECRET: 'sesame-street',
    });
  });

  test('has NODE_OPTIONS and other NODE_ variables as they came, and they do nothing to init', async () => {
    const env = {
      NODE_OPTIONS: '--require ./missing.js',
      NODE_PATH: '/nowhere',
      NODE_V8_COVERAGE: '/nowhere/coverage',
    };
    const { environment, stderr } = await environmentOf({
      emulator: await startPlatform(shop),
      env,
      config:
        'module.exports = () => ({ variables: { SEEN_BY_CONFIG: process.env.NODE_OPTIONS } });',
    });
    expect(stderr).toBe('');
    expect(environment).toMatchObject({ ...env, SEEN_BY_CONFIG: '--require ./missing.js' });
  });

  test('is that of an app on Node, which obeys NODE_OPTIONS', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      env: { NODE_OPTIONS: '--require ./first.js' },
      files: { 'first.js': 'console.log("first");', 'app.js': 'console.log("app");' },
      args: ['--', 'node', 'app.js'],
    });
    expect(ended).toMatchObject({ status: 0, stdout: 'first\napp\n', stderr: '' });
  });

  test('passes bytes that are no UTF-8, in values, names and arguments', async () => {
    const container = startContainer({
      emulator: await startPlatform(shop),
      args: ['--', program('print-signals')],
      before: String.raw`export ODD="$(printf 'a\377\n\360\237\230\200\200b')"
        set -- "$@" "$(printf 'x\376y')"
        set -- env "$(printf 'N\303=\377')" "$@"`,
    });
    await container.stdout.waitFor('ready');
    const app = await childRunning(await container.initPid(), 'print-signals');
    const environment = readFileSync(`/proc/${app}/environ`, 'latin1').split('\0');
    expect(environment).toContain('ODD=a\u{ff}\n\u{f0}\u{9f}\u{98}\u{80}\u{80}b');
    expect(environment).toContain('N\u{c3}=\u{ff}');
    expect(environment).toContain('WARP_IST_my_db=10.0.0.20');
    expect(readFileSync(`/proc/${app}/cmdline`, 'latin1').split('\0').slice(1)).toEqual([
      'x\u{fe}y',
      '',
    ]);
  });

  test('has the IST variables that init.ist asks for, of the family that it asks for', async () => {
    const emulator = await startPlatform(shop);
    const [explicit, ipv6] = await Promise.all([
      environmentOf({
        emulator,
        config:
          'module.exports = { ist: { service: "my-db", variables: "DB" }, init: { ist: { variables: "explicit" } } };',
      }),
      environmentOf({
        emulator,
        config: 'module.exports = { init: { ist: { family: "ipv6" } } };',
      }),
    ]);
    expect(istOf(explicit.environment)).toEqual({});
    expect(explicit.environment).toMatchObject({ DB: '10.0.0.20' });
    expect(istOf(ipv6.environment)).toEqual({
      'WARP_IST_my-db': 'fd00::20',
      WARP_IST_my_db: 'fd00::20',
      'WARP_IST_mes-donnees': 'fd00::40',
      WARP_IST_mes_donnees: 'fd00::40',
    });
  });

  test('lacks default IST variables, and only those, where the kernel cannot take all', async () => {
    const services = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`${'x'.repeat(50)}-${index}`, '10.0.0.9']),
    );
    const large = Object.fromEntries(
      Array.from({ length: 15 }, (_, index) => [`LARGE_${index}`, 'y'.repeat(130_000)]),
    );
    const { status, stdout, log } = await runContainer({
      emulator: await startPlatform({ ...shop, services: { ...shop.services, ...services } }),
      env: large,
      config: 'module.exports = { ist: { service: "my-db", variables: "DB" } };',
      args: ['--', 'env', '-0'],
    });
    const environment = Object.fromEntries(parseEnvironment(stdout));
    expect(status).toBe(0);
    expect(environment).toMatchObject({ ...large, DB: '10.0.0.20' });
    expect(Object.keys(istOf(environment)).length).toBeLessThan(2000);
    expect(log()).toEqual([
      expect.objectContaining({
        code: 'W_IST_VARIABLES_LEFT_OUT',
        where: 'init.ist.variables',
        fix: expect.stringContaining('Set init.ist.variables to "explicit"'),
      }),
    ]);
  });
});

type Seen = { readonly environment: Record<string, string>; readonly stderr: string };

async function environmentOf(options: ContainerOptions): Promise<Seen> {
  const { status, stdout, stderr } = await runContainer({ args: ['--', 'env', '-0'], ...options });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  const environment = parseEnvironment(stdout);
  // Of the shell that mounts, before init.
  for (const name of ['PWD', 'OLDPWD', 'SHLVL', '_']) {
    environment.delete(name);
  }

  return { environment: Object.fromEntries(environment), stderr };
}

function istOf(environment: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => name.startsWith('WARP_IST_')),
  );
}
