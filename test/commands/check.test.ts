// `warp-init check` in containers that are as it says: each verdict is brought about for real.
//
// Before a start it is the container's own command; beside one it is started by the app, as `docker exec` would.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import type { CheckReport, Finding } from '../../src/core/check-report.ts';
import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import { startEmulator } from '../../src/emulator/server.ts';
import type { Emulator } from '../../src/emulator/server.ts';
import {
  describeContainer,
  runContainer,
  startContainer,
  startPlatform,
  temporaryDirectory,
} from '../helpers/container.ts';
import type { ContainerOptions } from '../helpers/container.ts';
import { isRoot } from '../helpers/pid1.ts';
import { instanceAnswer, platformAnswers } from '../inputs/answers.ts';
import { deadSocketPath, serveHttp } from '../inputs/socket-server.ts';

const warpInit = new URL('../../dist/warp-init', import.meta.url).pathname;

const shop: PlatformFile = {
  token: 'token-of-the-instance',
  self: 'web',
  services: {
    web: '10.0.0.10',
    'my-db': [{ ipv4: '10.0.0.20', ipv6: 'fd00:0:0::20' }, '10.0.0.21'],
    cache: '10.0.0.30',
  },
  secrets: { password: 'correct-horse' },
  certificates: [{ domains: ['shop.example'] }],
};

type Checked = { readonly status: unknown; readonly report: CheckReport };

/** As the first command of a container, with a command that is there. */
async function checkFirst(options: ContainerOptions = {}): Promise<Checked> {
  const ended = await runContainer({
    args: ['check', '--json', '--', 'sh', '-c', 'exit 3'],
    ...options,
  });
  expect(ended.stderr).toBe('');
  return { status: ended.status, report: JSON.parse(ended.stdout) };
}

/** Without what is well. */
function troubleOf({ report, status }: Checked): [status: unknown, ...Finding[]] {
  return [status, ...report.findings.filter(({ verdict }) => verdict !== 'ok')];
}

function only(
  verdict: 'warning' | 'failure',
  finding: Partial<Finding> | Record<string, unknown>,
): unknown[] {
  return [verdict === 'failure' ? 1 : 0, expect.objectContaining({ verdict, ...finding })];
}

function findingsOf({ report }: Checked, id: string): Finding[] {
  return report.findings.filter((finding) => finding.id === id);
}

function configOf(init: object, rest: object = {}): string {
  return `module.exports = ${JSON.stringify({ ...rest, init })};`;
}

/** Without CAP_SYS_ADMIN mounts cannot be made: capabilities go last. */
function withoutCapabilities(...names: readonly string[]): string {
  const list = names.map((name) => `-${name}`).join(',');
  return `set -- setpriv --bounding-set ${list} --inh-caps ${list} "$@"`;
}

describeContainer('before a start, all is well', () => {
  test('with a platform, and no secret is asked for', async () => {
    const emulator = await startPlatform(shop);
    const files = { secret: 'password', path: '/run/app/password' };
    const checked = await checkFirst({
      emulator,
      ...(isRoot && { env: { WARP_INIT_USER: '1000:1000' } }),
      config: configOf({
        secrets: { env: { PASSWORD: 'password' }, files },
        certificates: { directory: '/run/app/tls' },
        envFile: true,
        limits: { nofile: 64 },
        cwd: '/tmp',
      }),
    });

    expect(troubleOf(checked)).toEqual([0]);
    expect(checked.report.verdict).toBe('ok');
    expect(checked.report.findings.map(({ id, subject }) => subject ?? id)).toEqual([
      'node',
      'pid1',
      'memory',
      'config',
      'user',
      'limits',
      'directory',
      'token',
      'socket',
      'platform',
      'secrets',
      'certificates',
      'ist',
      'environment',
      'command',
      'nsswitch',
      'hosts',
      'state-directory',
      '/run/app/password',
      '/run/app/tls',
      '/run/warp-init/env',
    ]);
    expect(checked.report.notChecked).toEqual([
      expect.objectContaining({ id: 'init' }),
      expect.objectContaining({ id: 'names', reason: expect.stringContaining('docker exec') }),
    ]);
    expect(emulator.requests.map(({ path }) => path)).not.toContain(
      '/v1/environment/scoped-variables',
    );
  });

  test('without one, where none is required; the table says so, and nothing is changed', async () => {
    const ended = await runContainer({
      args: ['check', '--', 'sh'],
      config: configOf({ platform: { required: false } }),
      before: 'set -- sh -c \'"$@"; find /run -mindepth 1; cat /etc/hosts\' sh "$@"',
    });

    expect([ended.status, ended.stderr]).toEqual([0, '']);
    expect(ended.stdout).toMatch(/^Ok \(\d+\)\n {2}node {6,}Node v/);
    expect(ended.stdout).toMatch(
      /\nok, one warning: the app would start\n127\.0\.0\.1 localhost\n$/,
    );
  });
});

type Case = [
  what: string,
  ...expected: Parameters<typeof only>,
  options: ContainerOptions & { readonly hasPlatform?: boolean },
];

/** One thing is wrong, and this alone is found. */
function testEach(...cases: readonly Case[]): void {
  test.each(cases)(
    '%s: %s',
    async (_what, verdict, finding, { hasPlatform = true, ...options }) => {
      const emulator = hasPlatform ? { emulator: await startPlatform(shop) } : {};
      const checked = await checkFirst({ ...emulator, ...options });

      expect(troubleOf(checked)).toEqual(only(verdict, finding));
    },
  );
}

const refusedByPlatform = expect.stringMatching(/the answer was 401/);

describeContainer('of options and config', () => {
  testEach(
    [
      'a config that throws',
      'failure',
      { id: 'config', code: 'E_CONFIG', exitStatus: 78 },
      { config: 'throw new Error("no")' },
    ],
    [
      'a wrong key',
      'failure',
      { id: 'config', code: 'E_CONFIG' },
      { config: configOf({ usr: 'x' }) },
    ],
    [
      'a wrong value in the environment',
      'failure',
      { id: 'config', code: 'E_USAGE', exitStatus: 64 },
      { env: { WARP_INIT_LINGER: 'soon' } },
    ],
    [
      'an unknown variable',
      'warning',
      { id: 'config', code: 'W_UNKNOWN_OPTION' },
      { env: { WARP_INIT_USR: 'x' } },
    ],
    [
      'a config that is not read',
      'warning',
      { id: 'config', code: 'W_CONFIG_NOT_READ' },
      { files: { 'warp.config.ts': '' } },
    ],
    [
      'a dotenv file that is not there',
      'failure',
      { id: 'dotenv', code: 'E_ENV_FILE' },
      { env: { WARP_INIT_ENV_FILE: 'no.env' } },
    ],
    [
      'a variable that is to be as inherited, and is not inherited',
      'warning',
      { id: 'environment', code: 'W_VARIABLE_LOCAL', where: 'variables.TZ' },
      { config: configOf({}, { variables: { TZ: { local: true } } }) },
    ],
    [
      'a directory that is not there',
      'failure',
      {
        id: 'directory',
        code: 'E_DIRECTORY',
        exitStatus: 78,
        reason: expect.stringContaining('in /no/such/place: there is no'),
      },
      { config: configOf({ cwd: '/no/such/place' }) },
    ],
    [
      'no command',
      'failure',
      { id: 'command', code: 'E_USAGE', exitStatus: 64 },
      { args: ['check', '--json'] },
    ],
    [
      'a command that is not there',
      'failure',
      { id: 'command', code: 'E_NOT_FOUND', exitStatus: 127 },
      { args: ['check', '--json', '--', 'no-such-program'] },
    ],
    [
      'a variable that the kernel does not take',
      'failure',
      { id: 'environment', code: 'E_ENVIRONMENT_TOO_LARGE' },
      { config: configOf({}, { variables: { LONG: 'x'.repeat(140_000) } }) },
    ],
    [
      'an argument that the kernel does not take',
      'failure',
      { id: 'environment', code: 'E_ARGUMENTS_TOO_LARGE' },
      { args: ['check', '--json'], config: configOf({}, { args: ['echo', 'x'.repeat(140_000)] }) },
    ],
    [
      'a command that is a directory',
      'failure',
      { id: 'command', code: 'E_NOT_EXECUTABLE', exitStatus: 126 },
      { args: ['check', '--json', '--', '/etc'] },
    ],
    [
      'a command that is a script without an interpreter',
      'failure',
      { id: 'command', code: 'E_SPAWN', exitStatus: 126, subject: null },
      { args: ['check', '--json', '--', './app'], before: 'echo exit >app; chmod 755 app' },
    ],
    [
      'a variable that an env file cannot hold',
      'warning',
      { id: 'files', code: 'W_ENV_FILE_LEFT_OUT', reason: expect.stringContaining('TRICKY') },
      { env: { TRICKY: `a'b"c\`d#` }, config: configOf({ envFile: true }) },
    ],
    [
      'an entry for a service that is not there',
      'warning',
      { id: 'ist', code: 'W_IST_UNKNOWN_SERVICE' },
      { config: configOf({}, { ist: [{ service: 'my-bd', variables: 'DB' }] }) },
    ],
  );

  test('dotenv files that can be read are well, and named', async () => {
    const checked = await checkFirst({
      env: { WARP_INIT_ENV_FILE: 'app.env' },
      files: { 'app.env': 'LOG_LEVEL=info\n' },
      config: configOf({ platform: { required: false } }),
    });

    expect(troubleOf(checked)).toEqual([0]);
    expect(findingsOf(checked, 'dotenv')).toMatchObject([{ verdict: 'ok', reason: 'app.env' }]);
  });

  test('a PATH that is a secret is not known, and so the command is not checked', async () => {
    const emulator = await startPlatform({ ...shop, secrets: { path: '/usr/bin:/bin' } });
    const checked = await checkFirst({
      emulator,
      config: configOf({ secrets: { env: { PATH: 'path' } } }),
    });

    expect(troubleOf(checked)).toEqual([0]);
    expect(checked.report.notChecked).toContainEqual({
      id: 'command',
      reason: 'PATH is a secret',
    });
  });

  test('a config that fails leaves unchecked what depends on it, and nothing else', async () => {
    const checked = await checkFirst({ config: 'throw new Error("no")' });

    expect(checked.report.findings.map(({ id }) => id)).toEqual([
      'node',
      'pid1',
      'memory',
      'config',
    ]);
    expect(new Set(checked.report.notChecked.map(({ id }) => id)).size).toBe(18);
  });

  test('what a config prints is on stderr, and what it leaves behind keeps nobody waiting', async () => {
    const ended = await runContainer({
      args: ['check', '--json', '--', 'sh'],
      config: 'console.log("hello"); setInterval(() => {}, 1000); module.exports = {};',
    });

    expect([ended.status, ended.stderr]).toEqual([0, 'hello\n']);
    expect(JSON.parse(ended.stdout)).toMatchObject({ version: 1 });
  });
});

describeContainer('of the user and its powers', () => {
  testEach(
    [
      'a user that is not there',
      'failure',
      { id: 'user', code: 'E_USER', reason: expect.stringContaining('no such user') },
      { env: { WARP_INIT_USER: 'nod' } },
    ],
    [
      'files for a group that is not there',
      'failure',
      { id: 'files', code: 'E_USER' },
      { config: configOf({ certificates: { directory: '/run/tls', group: 'no-such-group' } }) },
    ],
    [
      'no power to become somebody else',
      'failure',
      { id: 'user', code: 'E_USER', reason: expect.stringContaining('SETGID and SETUID') },
      { env: { WARP_INIT_USER: '1000:1000' }, before: withoutCapabilities('setuid', 'setgid') },
    ],
    [
      'a user namespace without setgroups(2)',
      'failure',
      { id: 'user', code: 'E_USER', reason: expect.stringContaining('setgroups(2) is denied') },
      {
        env: { WARP_INIT_USER: '1000:1000' },
        before: 'set -- unshare --user --map-root-user "$@"',
      },
    ],
    [
      'no power to give a file away',
      'failure',
      {
        id: 'files',
        code: 'E_FILE',
        subject: '/run/key',
        reason: expect.stringContaining('Cannot give /run/key to uid 1000'),
        exitStatus: 73,
      },
      {
        config: configOf({
          secrets: { files: { secret: 'password', path: '/run/key', user: 1000, group: 1000 } },
        }),
        before: withoutCapabilities('chown'),
      },
    ],
    [
      'a limit that is too high',
      'failure',
      { id: 'limits', code: 'E_LIMITS', reason: expect.stringContaining('nofile to 5000') },
      {
        config: configOf({ limits: { nofile: 5000 } }),
        before: `ulimit -Sn 4096; ulimit -Hn 4096; ${withoutCapabilities('sys_resource')}`,
      },
    ],
  );

  // The map of another namespace than one's own is for root to write: user_namespaces(7).
  test.skipIf(!isRoot).each([
    ['uid', '1000:999'],
    ['gid', '999:1000'],
  ])('a user namespace without the %s of the app', async (what, user) => {
    const before = `until [ "$(readlink /proc/1/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.01; done`;
    const checked = await checkFirst({
      emulator: await startPlatform(shop),
      env: { WARP_INIT_USER: user },
      before: `(${before}; echo 0 0 1000 >/proc/1/gid_map; echo 0 0 1000 >/proc/1/uid_map) &
        set -- unshare --user sh -c 'until grep -q . /proc/self/uid_map; do sleep 0.01; done; exec "$@"' sh "$@"`,
    });

    expect(troubleOf(checked)).toEqual(
      only('failure', {
        id: 'user',
        code: 'E_USER',
        reason: expect.stringContaining(`${what} 1000 does not exist in this user namespace`),
      }),
    );
  });

  test('a user that is not there says nothing of what it may, and stops nothing else', async () => {
    const checked = await checkFirst({
      env: { WARP_INIT_USER: 'nod', WARP_INIT_ENV_FILE: 'no.env' },
    });

    expect(findingsOf(checked, 'user')).toMatchObject([{ verdict: 'failure' }]);
    expect(findingsOf(checked, 'dotenv')).toMatchObject([{ verdict: 'failure' }]);
    expect(findingsOf(checked, 'command')).toMatchObject([{ verdict: 'ok' }]);
  });

  // The verdicts are those of the kernel: `run` ends where `check` says so.
  test.skipIf(!isRoot).each([
    ['the user', '1000:1000', {}, withoutCapabilities('setuid', 'setgid'), 78],
    [
      'the limit',
      '',
      { limits: { nofile: 5000 } },
      `ulimit -Sn 4096; ulimit -Hn 4096; ${withoutCapabilities('sys_resource')}`,
      78,
    ],
  ])('a start fails likewise for %s', async (_what, user, init, before, status) => {
    const ended = await runContainer({
      config: configOf(init),
      env: { WARP_INIT_USER: user },
      before,
    });

    expect(ended.status).toBe(status);
  });
});

describeContainer('of the platform', () => {
  testEach(
    ['no platform', 'warning', { id: 'socket', code: 'W_STANDALONE' }, { hasPlatform: false }],
    [
      'a token, and no socket',
      'failure',
      { id: 'socket', exitStatus: 69, reason: expect.stringContaining('no socket file') },
      { hasPlatform: false, env: { CYCLE_API_TOKEN: 'token-of-nobody' } },
    ],
    [
      'a token that cannot be sent',
      'failure',
      { id: 'token', code: 'E_TOKEN', exitStatus: 78 },
      { env: { CYCLE_API_TOKEN: 'two words' } },
    ],
    [
      'a wrong token',
      'failure',
      { id: 'token', code: 'E_PLATFORM_REFUSED', reason: refusedByPlatform, exitStatus: 77 },
      { env: { CYCLE_API_TOKEN: 'token-of-nobody' } },
    ],
    [
      'no token',
      'failure',
      { id: 'token', code: 'E_PLATFORM_REFUSED', reason: refusedByPlatform },
      { env: { CYCLE_API_TOKEN: '' } },
    ],
    [
      'an instance that is not known',
      'warning',
      { id: 'platform', code: 'W_OWN_INSTANCE' },
      { env: { CYCLE_INSTANCE_ID: '' } },
    ],
  );

  test.each<[string, Partial<PlatformFile>, Partial<ContainerOptions>, Record<string, unknown>]>([
    [
      'a service without an address',
      { services: { web: '10.0.0.10', db: [] } },
      {},
      { id: 'ist', code: 'W_NO_ADDRESS' },
    ],
    [
      'a service without an address of the family that is wanted',
      { services: { web: { instances: [{ ipv6: 'fd00::10' }] } } },
      { config: configOf({ ist: { family: 'ipv4' } }) },
      { id: 'ist', code: 'W_NO_ADDRESS_OF_FAMILY' },
    ],
    [
      'a service whose name gives no hostname',
      { services: { web: '10.0.0.10', '---': '10.0.0.20' } },
      {},
      { id: 'ist', code: 'W_IST_NO_HOSTNAME' },
    ],
    [
      'a service whose hostname is too long for some',
      { services: { web: '10.0.0.10', ['x'.repeat(64)]: '10.0.0.20' } },
      {},
      { id: 'ist', code: 'W_IST_LONG_HOSTNAME' },
    ],
    [
      'a service whose name is no part of a variable',
      { services: { web: '10.0.0.10', 'a #b': '10.0.0.20' } },
      {},
      { id: 'ist', code: 'W_IST_NO_VARIABLE' },
    ],
    [
      'two services of one hostname',
      { services: { web: '10.0.0.10', 'my-db': '10.0.0.20', 'My-DB': '10.0.0.21' } },
      {},
      { id: 'ist', code: 'W_IST_CONFLICT' },
    ],
    [
      'names for which the kernel has no room',
      {
        services: {
          web: '10.0.0.10',
          ...Object.fromEntries(
            Array.from({ length: 3000 }, (_, index) => [`${'x'.repeat(50)}-${index}`, '10.0.0.9']),
          ),
        },
      },
      { before: 'ulimit -s 1024' },
      { id: 'environment', code: 'W_IST_VARIABLES_LEFT_OUT' },
    ],
    [
      'a certificate whose domain is no name of a file',
      { certificates: [{ domains: ['../shop'] }] },
      { config: configOf({ certificates: { directory: '/run/tls' } }) },
      { id: 'certificates', code: 'W_CERTIFICATE_DOMAIN' },
    ],
    [
      'two certificates of one domain',
      { certificates: [{ domains: ['shop.example'] }, { domains: ['shop.example', 'x.example'] }] },
      { config: configOf({ certificates: { directory: '/run/tls' } }) },
      { id: 'certificates', code: 'W_CERTIFICATE_REPEATED' },
    ],
  ])('%s', async (_what, platform, options, finding) => {
    const emulator = await startPlatform({ ...shop, ...platform });

    expect(troubleOf(await checkFirst({ emulator, ...options }))).toEqual(only('warning', finding));
  });

  test('a platform that refuses a part of what it should say', async () => {
    const answers: Record<string, unknown> = platformAnswers();
    const socketPath = await serveHttp((path) =>
      path === '/v1/hub' ? { status: 403, body: {} } : { body: { data: answers[path] } },
    );
    const env = {
      WARP_INIT_SOCKET: socketPath,
      CYCLE_API_TOKEN: 'token-of-nobody',
      CYCLE_INSTANCE_ID: 'i-web',
    };

    expect(troubleOf(await checkFirst({ env }))).toEqual(
      only('warning', {
        id: 'platform',
        code: 'W_PLATFORM_PARTIAL',
        reason: expect.stringContaining('WARP_PROJECT'),
      }),
    );
  });

  test('a platform that refuses what a start needs, though the token is good', async () => {
    const answers: Record<string, unknown> = platformAnswers();
    const socketPath = await serveHttp((path) =>
      path === '/v1/environment/containers'
        ? { status: 403, body: {} }
        : { body: { data: answers[path] } },
    );
    const env = { WARP_INIT_SOCKET: socketPath, CYCLE_API_TOKEN: 'token-of-nobody' };
    const checked = await checkFirst({ env });

    expect(troubleOf(checked)).toEqual(
      only('failure', {
        id: 'platform',
        code: 'E_PLATFORM_REFUSED',
        exitStatus: 77,
        reason: expect.stringContaining('the answer was 403'),
      }),
    );
    expect(findingsOf(checked, 'token')).toMatchObject([{ verdict: 'ok' }]);
  });

  test('an address that is none', async () => {
    const answers = {
      ...platformAnswers(),
      '/v1/environment/instances': [
        instanceAnswer('web'),
        instanceAnswer('db', {
          environment: { id: 'e-1', ipv6: { ip: 'fd00::zz', cidr: 'fd00::/96' }, legacy: null },
        }),
      ],
    };
    const socketPath = await serveHttp((path) => ({
      body: { data: (answers as Record<string, unknown>)[path] },
    }));
    const env = { WARP_INIT_SOCKET: socketPath, CYCLE_API_TOKEN: 'token-of-nobody' };
    const [status, ...trouble] = troubleOf(await checkFirst({ env }));

    expect(status).toBe(0);
    expect(trouble).toContainEqual(
      expect.objectContaining({ id: 'platform', verdict: 'warning', code: 'W_BAD_ADDRESS' }),
    );
  });

  test('a platform that does not say which certificates there are', async () => {
    const answers: Record<string, unknown> = platformAnswers();
    const socketPath = await serveHttp((path) =>
      path.endsWith('/certificates')
        ? { status: 403, body: {} }
        : { body: { data: answers[path] } },
    );
    const env = { WARP_INIT_SOCKET: socketPath, CYCLE_API_TOKEN: 'token-of-nobody' };
    const config = configOf({ certificates: { directory: '/run/tls' } });
    const [status, ...trouble] = troubleOf(await checkFirst({ env, config }));

    expect(status).toBe(1);
    expect(trouble).toContainEqual(
      expect.objectContaining({
        id: 'certificates',
        verdict: 'failure',
        code: 'E_PLATFORM_UNAVAILABLE',
        exitStatus: 69,
      }),
    );
  });

  test.skipIf(!isRoot)('a socket that the user of init may not open', async () => {
    const emulator = await startPlatform(shop);
    chmodSync(emulator.socketPath, 0o600);
    const before = 'set -- setpriv --reuid 1000 --clear-groups "$@"';
    const [status, ...trouble] = troubleOf(await checkFirst({ emulator, before }));

    expect(status).toBe(1);
    expect(trouble).toContainEqual(
      expect.objectContaining({
        id: 'socket',
        verdict: 'failure',
        code: 'E_PLATFORM_UNAVAILABLE',
        reason: expect.stringContaining('may not be opened by this user'),
        fix: expect.stringContaining('Run warp-init as root'),
      }),
    );
  });

  test('a socket on which nobody listens', async () => {
    const env = { WARP_INIT_SOCKET: await deadSocketPath(), CYCLE_API_TOKEN: 'token-of-nobody' };
    const checked = await checkFirst({ env });

    expect(troubleOf(checked)).toEqual(
      only('failure', { id: 'socket', reason: expect.stringContaining('nobody listens') }),
    );
    expect(findingsOf(checked, 'token')).toMatchObject([{ verdict: 'ok' }]);
  });

  test('the same where no platform is required', async () => {
    const env = { WARP_INIT_SOCKET: await deadSocketPath(), CYCLE_API_TOKEN: 'token-of-nobody' };
    const config = configOf({ platform: { required: false } });

    expect(troubleOf(await checkFirst({ env, config }))).toEqual(
      only('warning', { id: 'socket', code: 'E_PLATFORM_UNAVAILABLE' }),
    );
  });

  test('a file that is no socket, and no token', async () => {
    const env = { WARP_INIT_SOCKET: '/etc/hosts' };
    const [status, ...trouble] = troubleOf(await checkFirst({ env }));

    expect(status).toBe(1);
    expect(trouble).toMatchObject([
      { id: 'token', code: 'W_TOKEN', verdict: 'warning' },
      {
        id: 'socket',
        verdict: 'failure',
        reason: expect.stringContaining('is a file, not a socket'),
      },
    ]);
  });

  test('a platform that is broken, within 5 s although a start has 30', async () => {
    const socketPath = await serveHttp(() => ({ status: 500, body: {} }));
    const env = { WARP_INIT_SOCKET: socketPath, CYCLE_API_TOKEN: 'token-of-nobody' };

    expect(troubleOf(await checkFirst({ env }))).toEqual(
      only('failure', {
        id: 'platform',
        code: 'E_PLATFORM_UNAVAILABLE',
        exitStatus: 69,
        reason: expect.stringMatching(
          /within (?:4999|5\d{3}) ms \(\d+ attempts\): the answer was 500/,
        ),
      }),
    );
  });

  test('secrets and certificates that are wanted where there is none', async () => {
    const config = configOf({
      secrets: { env: { PASSWORD: 'password' } },
      certificates: { directory: '/run/tls' },
    });
    const [status, ...trouble] = troubleOf(await checkFirst({ config }));

    expect(status).toBe(1);
    expect(trouble).toMatchObject([
      { id: 'socket', verdict: 'warning' },
      { id: 'secrets', code: 'E_SECRET_STANDALONE', verdict: 'failure' },
      { id: 'certificates', code: 'E_CERTIFICATES_STANDALONE', verdict: 'failure' },
    ]);
  });
});

const brokenNsswitch = 'hosts: dns [!UNAVAIL=return] files\n';
const readOnlyHosts = 'mount -o remount,bind,ro /etc/hosts';

describeContainer('of the machine', () => {
  testEach(
    [
      'names that are not looked for in hosts',
      'warning',
      { id: 'nsswitch', code: 'W_NSSWITCH', where: '/etc/nsswitch.conf:1' },
      { nsswitch: brokenNsswitch },
    ],
    [
      'the same, where that ends a start',
      'failure',
      { id: 'nsswitch', code: 'E_NSSWITCH', exitStatus: 78 },
      { nsswitch: brokenNsswitch, config: configOf({ nsswitch: 'fail' }) },
    ],
    [
      'the same, where it cannot be fixed',
      'warning',
      { id: 'nsswitch', code: 'W_NSSWITCH' },
      {
        nsswitch: brokenNsswitch,
        config: configOf({ nsswitch: 'fix' }),
        before: 'mount -o remount,bind,ro /etc/nsswitch.conf',
      },
    ],
    [
      'a hosts file that is read-only',
      'warning',
      { id: 'hosts', code: 'W_HOSTS', reason: expect.stringContaining('(EROFS)') },
      { before: readOnlyHosts },
    ],
    [
      'the same, where that ends a start',
      'failure',
      { id: 'hosts', code: 'E_HOSTS', exitStatus: 73 },
      { before: readOnlyHosts, config: configOf({ hosts: { onError: 'fail' } }) },
    ],
    [
      'no place for the state directory',
      'warning',
      { id: 'state-directory', code: 'W_STATE_DIRECTORY' },
      {
        config: configOf({ stateDirectory: '/run/ro/warp-init' }),
        before: 'mkdir /run/ro; mount -t tmpfs -o ro tmpfs /run/ro',
      },
    ],
    [
      'little memory',
      'warning',
      { id: 'memory', code: 'W_MEMORY', reason: expect.stringContaining('32 MiB') },
      { before: 'mount -t tmpfs tmpfs /sys/fs/cgroup; echo 33554432 >/sys/fs/cgroup/memory.max' },
    ],
  );

  test.each([
    ['that is fixed at the start', { nsswitch: 'fix' }],
    ['that the operator ignores', { nsswitch: 'ignore' }],
  ])('an nsswitch.conf %s is well', async (_what, init) => {
    const emulator = await startPlatform(shop);
    const config = configOf(init);

    expect(troubleOf(await checkFirst({ emulator, config, nsswitch: brokenNsswitch }))).toEqual([
      0,
    ]);
  });

  test('PID 1 is not warp-init where it runs below another process', async () => {
    const emulator = await startPlatform(shop);
    const checked = await checkFirst({
      emulator,
      before: 'set -- sh -c \'"$@"; exit $?\' sh "$@"',
    });

    expect(troubleOf(checked)).toEqual(
      only('warning', {
        id: 'pid1',
        code: 'W_NOT_PID1',
        reason: expect.stringContaining('PID 1 is sh'),
      }),
    );
  });
});

describeContainer('of the places of files', () => {
  const secret = { secret: 'password' };

  test('whatever is in the way is found where the start would meet it', async () => {
    const paths = {
      EISDIR: '/run/d/directory',
      EBUSY: '/run/d/mounted',
      ENOTDIR: '/run/d/file/below',
      EROFS: '/run/ro/key',
      ok: '/run/d/new/deep/key',
    };
    const before = `mkdir -p /run/d/directory /run/d/full /run/ro; cd /run/d; touch file other mounted full/x
      mount --bind mounted mounted; mount -t tmpfs -o ro tmpfs /run/ro; cd "$OLDPWD"`;
    const emulator = await startPlatform(shop);
    const files = Object.values(paths).map((path) => ({ ...secret, path }));
    const config = configOf({
      secrets: { files: [...files, { ...secret, path: '/run/d/other', unpack: 'tar' }] },
      certificates: { directory: '/run/d/full' },
    });
    const checked = await checkFirst({ emulator, before, config });
    const found = findingsOf(checked, 'files').map(({ subject, verdict, code, reason }) => [
      subject,
      verdict === 'ok' ? 'ok' : (/\((E\w+)\)/.exec(reason)?.[1] ?? reason),
      code,
    ]);

    expect(checked.status).toBe(1);
    expect(found).toEqual([
      ...Object.entries(paths).map(([errno, path]) => [
        path,
        errno,
        errno === 'ok' ? null : 'E_FILE',
      ]),
      ['/run/d/other', 'EEXIST', 'E_FILE'],
      ['/run/d/full', 'ENOTEMPTY', 'E_FILE'],
    ]);

    // The start itself says the same of each, one at a time.
    const single = (path: string) => configOf({ secrets: { files: { ...secret, path } } });
    for (const [errno, path] of [
      ['EISDIR', paths.EISDIR] as const,
      ['EBUSY', paths.EBUSY] as const,
    ]) {
      const ended = await runContainer({ emulator, before, config: single(path) });
      expect([ended.status, ended.log().at(-1)?.msg]).toEqual([
        73,
        expect.stringContaining(`(${errno})`),
      ]);
    }
  });

  test('an env file in a state directory that cannot be had', async () => {
    const emulator = await startPlatform(shop);
    const config = configOf({ envFile: true, stateDirectory: '/run/ro/warp-init' });
    const before = 'mkdir /run/ro; mount -t tmpfs -o ro tmpfs /run/ro';
    const [status, ...trouble] = troubleOf(await checkFirst({ emulator, config, before }));

    expect(status).toBe(1);
    expect(trouble).toMatchObject([
      { id: 'state-directory', code: 'W_STATE_DIRECTORY', verdict: 'warning' },
      { id: 'files', code: 'E_ENV_FILE_PLACE', verdict: 'failure', exitStatus: 73 },
    ]);
  });

  test('an env file with secrets in it may not be on a disk', async () => {
    const path = join(temporaryDirectory(), 'app.env');
    const emulator = await startPlatform(shop);
    const config = configOf({ envFile: path, secrets: { env: { PASSWORD: 'password' } } });

    expect(troubleOf(await checkFirst({ emulator, config }))).toEqual(
      only('failure', { id: 'files', code: 'E_ENV_FILE_DISK', subject: path }),
    );
  });
});

describeContainer('beside a running init', () => {
  const healthy = `until ${warpInit} health >/dev/null 2>&1; do sleep 0.05; done`;

  /** The app checks after `change`, when init follows the platform. */
  async function checkBeside(change: string, options: ContainerOptions): Promise<Checked> {
    const ended = await runContainer({
      args: ['--', 'sh', '-c', `${healthy}; ${change}; ${warpInit} check --json`],
      ...options,
      // The app does not get WARP_INIT_SOCKET, and `check` has it from the command line of PID 1.
      ...(options.emulator && {
        args: ['--socket', options.emulator.socketPath, '--', 'sh', '-c'].concat(
          `${healthy}; ${change}; ${warpInit} check --json; exit $?`,
        ),
      }),
    });
    return { status: ended.status, report: JSON.parse(ended.stdout) };
  }

  test('every hostname leads to all addresses of its service', async () => {
    const emulator = await startPlatform(shop);
    const checked = await checkBeside('true', { emulator });

    expect(troubleOf(checked)).toEqual([0]);
    expect(findingsOf(checked, 'names')).toMatchObject([
      { verdict: 'ok', reason: '3 hostnames resolve to the addresses of the platform' },
    ]);
    expect(findingsOf(checked, 'init')).toMatchObject([{ reason: /^healthy: / }].map(asMatching));
    expect(findingsOf(checked, 'pid1')).toMatchObject([{ reason: 'warp-init is PID 1' }]);
    expect(findingsOf(checked, 'command')).toMatchObject([{ verdict: 'ok' }]);
    expect(checked.report.notChecked).toEqual([]);
  });

  test.each([
    ['multi on', []],
    ['multi off', ['W_NAME_FIRST_ONLY']],
    ['', ['W_NAME_FIRST_ONLY']],
  ])('/etc/host.conf with %j: glibc gives all addresses of a name, or one', async (text, codes) => {
    const emulator = await startPlatform(shop);
    const before = `echo '${text}' >host.conf; mount --bind host.conf /etc/host.conf`;
    const checked = await checkBeside('true', { emulator, before });
    const [status, ...trouble] = troubleOf(checked);

    expect(status).toBe(0);
    expect(trouble.map(({ code }) => code)).toEqual(codes);
    expect(findingsOf(checked, 'names')[0]).toMatchObject({ verdict: 'ok' });
  });

  test('a hosts file that is read-only is well as long as it is as it should be', async () => {
    const checked = await checkBeside(readOnlyHosts, { emulator: await startPlatform(shop) });

    expect(troubleOf(checked)).toEqual([0]);
  });

  test('hostnames that do not resolve are failures, one each', async () => {
    const emulator = await startPlatform(shop);
    const checked = await checkBeside('true', { emulator, nsswitch: 'hosts: dns\n' });
    const [status, ...trouble] = troubleOf(checked);

    expect(status).toBe(1);
    expect(trouble).toMatchObject([
      { id: 'nsswitch', verdict: 'warning' },
      ...['cache.warp', 'my-db.warp', 'web.warp'].map((subject) => ({
        id: 'names',
        verdict: 'failure',
        code: 'E_NAME',
        subject,
      })),
    ]);
  });

  test('the same are warnings where nsswitch.conf is ignored', async () => {
    const emulator = await startPlatform(shop);
    const config = configOf({ nsswitch: 'ignore' });
    const checked = await checkBeside('true', { emulator, nsswitch: 'hosts: dns\n', config });
    const [status, ...trouble] = troubleOf(checked);

    expect(status).toBe(0);
    expect(trouble.map(({ code, verdict }) => [code, verdict])).toEqual(
      Array.from({ length: 3 }, () => ['W_NAME', 'warning']),
    );
  });

  // Where nobody answers, a lookup has 30 s here (resolv.conf(5)), and `check` ends after 10.
  test.skipIf(!isRoot)(
    'lookups that take too long are given up',
    async () => {
      const silent = createSocket('udp4');
      onTestFinished(() => void silent.close());
      silent.bind(53, '127.7.7.7');
      await once(silent, 'listening');
      const startedAtMs = performance.now();
      const emulator = await startPlatform(shop);
      const before = `printf 'nameserver 127.7.7.7\noptions timeout:30 attempts:1\n' >resolv.conf
      mount --bind resolv.conf "$(realpath /etc/resolv.conf)"`;
      const nsswitch = 'hosts: dns files\n';
      const checked = await checkBeside('true', { emulator, before, nsswitch });

      expect(troubleOf(checked)).toEqual(only('warning', { id: 'names', code: 'W_NAME_LATE' }));
      expect(performance.now() - startedAtMs).toBeLessThan(20_000);
    },
    30_000,
  );

  test('another line of hosts that has the name is found, and so is a block that is out of date', async () => {
    const emulator = await startPlatform(shop);
    const change = `{ sed 's/^10.0.0.30 /10.0.0.31 /' /etc/hosts; echo '6.6.6.6 my-db.warp'; } >hosts; cat hosts >/etc/hosts`;
    // The reload that follows each connection would repair the block.
    const config = 'module.exports = { init: { reload: { quiet: "10m", maxWait: "10m" } } };';
    const checked = await checkBeside(change, { emulator, config });
    const [status, ...trouble] = troubleOf(checked);

    expect(status).toBe(1);
    expect(trouble).toMatchObject([
      { id: 'names', subject: 'cache.warp', code: 'W_NAME_STALE', verdict: 'warning' },
      { id: 'names', subject: 'my-db.warp', code: 'E_NAME', verdict: 'failure' },
    ]);
  });

  test('below another PID 1 its command is not known, and that is no failure', async () => {
    const before = 'set -- sh -c \'"$@"; exit $?\' sh "$@"';
    const checked = await checkBeside('true', { before });
    const [status, ...trouble] = troubleOf(checked);

    expect(status).toBe(0);
    expect(trouble.map(({ code }) => code)).toEqual(['W_NOT_PID1', 'W_STANDALONE']);
    expect(checked.report.notChecked).toContainEqual(expect.objectContaining({ id: 'command' }));
  });

  test('a plain one has a command, too', async () => {
    const args = ['--plain', '--', 'sh', '-c', `${warpInit} check --json; exit 0`];
    const ended = await runContainer({ args, env: { WARP_INIT_SOCKET: '' } });
    const report: CheckReport = JSON.parse(ended.stdout);

    expect(report.findings).toContainEqual(
      expect.objectContaining({ id: 'command', verdict: 'ok' }),
    );
  });

  test('an init that has lost the platform is not healthy', async () => {
    const socketPath = join(temporaryDirectory(), 'api.sock');
    const emulator: Emulator = await startEmulator({ platform: shop, socketPath });
    const container = startContainer({
      emulator,
      args: ['--socket', socketPath, '--', 'sh', '-c'].concat(
        `${healthy}; echo healthy; while ${warpInit} health >/dev/null; do sleep 0.05; done; ${warpInit} check --json`,
      ),
    });
    await container.stdout.waitFor('healthy');
    await emulator.close();
    expect(await container.ended).toBe(1);
    const report: CheckReport = JSON.parse(container.stdout.text().replace('healthy\n', ''));

    expect(troubleOf({ status: 1, report })).toMatchObject([
      1,
      { id: 'init', code: 'W_UNHEALTHY', verdict: 'warning' },
      { id: 'socket', verdict: 'failure' },
    ]);
  });
});

describe('the command line', () => {
  test('that is wrong is no verdict of a container: 64', async () => {
    const ended = await runContainer({ args: ['check', '--jsno'] });

    expect([ended.status, ended.stdout]).toEqual([64, '']);
    expect(ended.log().at(-1)).toMatchObject({ code: 'E_USAGE' });
  });
});

function asMatching({ reason }: { reason: RegExp }): unknown {
  return { reason: expect.stringMatching(reason) };
}
