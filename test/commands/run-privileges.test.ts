// What the app may do and may not: its limits, its directory, its privileges, and the memory of init beside it.
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import type { Emulator } from '../../src/emulator/server.ts';
import {
  describeContainer,
  refusalOf,
  refused,
  runContainer,
  startContainer,
  startPlatform,
} from '../helpers/container.ts';
import type { Container, ContainerOptions } from '../helpers/container.ts';
import { askSocket } from '../emulator/rig.ts';
import { isRoot, program } from '../helpers/pid1.ts';
import { childrenOf, eventually, programOf } from '../helpers/process.ts';

const platform: PlatformFile = {
  services: { web: '10.0.0.10' },
  secrets: { key: 'a-key-that-nobody-may-read' },
};
const secret = 'a-key-that-nobody-may-read';
const wantsSecret = { KEY: 'warp-secret:key' };

/** Docker's, without privileges that the machine of the test may lack: PERFMON and SYS_ADMIN can read memory as SYS_PTRACE does. */
const usual = ['chown', 'dac_override', 'fowner', 'kill', 'setgid', 'setuid', 'net_raw', 'mknod'];

/** Shell commands for `before`: init, and with it the app, as these users. */
const users = {
  'another user': '',
  'the same user': `mount -t tmpfs -o mode=1777 tmpfs /dev/shm
    set -- setpriv --reuid=1234 --regid=1234 --clear-groups "$@"`,
  'the root of a container': `set -- setpriv --bounding-set=-all,+${usual.join(',+')} "$@"`,
  root: '',
} as const;
type User = keyof typeof users;

const closedToAll = /^1 warp-init:\n\d+ \S+:\n$/;

describe.skipIf(!isRoot)('needs root', () => {
  describeContainer('the memory of PID 1 and brain', () => {
    test.each(['another user', 'the same user', 'the root of a container'] as const)(
      'where a secret was fetched is closed to an app that is %s',
      async (user) => {
        const container = await startPeek(user, { env: wantsSecret });
        expect(await peekInto(container, secret)).toMatch(closedToAll);
      },
    );

    test('is what peek would have found the secret in, were it allowed to', async () => {
      const container = await startPeek('root', { env: wantsSecret });
      expect(await peekInto(container, secret)).toMatch(
        /^1 warp-init: .* ptrace secret\n\d+ \S+: .* ptrace secret\n$/,
      );
    });

    test('is closed to the same user also after the brain was killed and has a successor', async () => {
      const container = await startPeek('the same user', { env: wantsSecret });
      const first = await brainOf(container);
      process.kill(first, 'SIGKILL');
      const second = await brainOf(container, first);
      await eventually(() => expect(statSync(`/proc/${second}/environ`).uid).toBe(0));
      expect(await peekInto(container, secret)).toMatch(closedToAll);
    });

    test('without a secret is closed for the brain alone, and PID 1 lets others write to its log', async () => {
      const user = 'the root of a container';
      const container = await startPeek(user, {}, 'echo "of a cron job" > /proc/1/fd/2;');
      expect(await peekInto(container, 'nothing')).toMatch(
        /^1 warp-init: environ maps mem auxv io fd pidfd readv writev ptrace\n\d+ \S+:\n$/,
      );
      expect(container.stderr.text()).toBe('of a cron job\n');
    });

    test('with init.hideToken is closed, and the app has no token', async () => {
      const config = 'module.exports = { init: { hideToken: true } };';
      const say = 'echo "token: ${CYCLE_API_TOKEN-none}";';
      const container = await startPeek('the same user', { config }, say);
      const token = container.emulator.environment.CYCLE_API_TOKEN;
      const said = await peekInto(container, token);
      expect(said.replace('token: none\n', '')).toMatch(closedToAll);
      expect(said).toContain('token: none\n');
    });

    test('is closed for the process in which the config is read again, too', async () => {
      const container = await startPeek('the same user', {
        env: wantsSecret,
        config: `module.exports = async () => {
          await new Promise((done) => setTimeout(done, 1000));
          return {};
        };`,
      });
      const brain = await brainOf(container);
      const reload = askReload(container, '/dev/shm/warp-init-1234');
      await eventually(() => {
        const [child = 0] = childrenOf(brain);
        expect(statSync(`/proc/${child}/environ`).uid).toBe(0);
      });
      expect(await reload).toBe(200);
    });

    test('is closed from the reload on that fetches the first secret', async () => {
      const container = await startPeek('the root of a container', {
        config: 'module.exports = {};',
      });
      const wanted = 'module.exports = { init: { secrets: { env: { KEY: "key" } } } };';
      writeFileSync(join(container.directory, 'warp.config.js'), wanted);
      expect(await askReload(container, '/run/warp-init')).toBe(200);
      // The process that has read the config is killed, and waited for a little later.
      const brain = await brainOf(container);
      await eventually(() => expect(childrenOf(brain)).toEqual([]));
      // PID 1 counts for it, and by then has read what came before.
      expect((await askInit(container, '/run/warp-init', '/status')).status).toBe(200);
      expect(await peekInto(container, secret)).toMatch(closedToAll);
    });

    test.each([
      ['memfd_create(2)', 'memfd_create=38'],
      ['PR_SET_DUMPABLE', 'prctl:4=1'],
    ])(
      'stays open where there is no %s: one warning, and all else works',
      async (_what, refusal) => {
        const container = await startPeek('the same user', {
          before: `set -- ${program('refuse-calls')} ${refusal} -- "$@"`,
        });
        const first = await brainOf(container);
        process.kill(first, 'SIGKILL');
        await brainOf(container, first);
        expect(await peekInto(container, 'nothing')).toMatch(/^\d+ (?!warp-init)\S+: environ /m);
        expect(warningsOf(container)).toEqual(['W_OPEN_MEMORY']);
      },
    );

    test('is closed as well where the kernel runs no program from memory (vm.memfd_noexec)', async () => {
      const container = await startPeek('the same user', {
        before: '! [ -e /proc/sys/vm/memfd_noexec ] || echo 2 > /proc/sys/vm/memfd_noexec',
        env: wantsSecret,
      });
      expect(await peekInto(container, secret)).toMatch(closedToAll);
      expect(warningsOf(container)).toEqual([]);
    });

    test('is no matter for a warning where the app is another user', async () => {
      const container = await startPeek('another user', {
        before: `set -- ${program('refuse-calls')} memfd_create=38 -- "$@"`,
      });
      expect(await peekInto(container, 'nothing')).toMatch(closedToAll);
      expect(container.stderr.text()).toBe('');
    });
  });

  describeContainer('init.noNewPrivileges', () => {
    test.each([
      [true, '1234'],
      [false, '0'],
    ])('%s: a program with the set-user-ID bit of root runs as %s', async (value, uid) => {
      const ended = await runContainer({
        emulator: await startPlatform(platform),
        // The directory of tests may be mounted nosuid.
        before: 'mkdir /run/bin && cp "$(command -v id)" /run/bin/id && chmod 4755 /run/bin/id',
        config: `module.exports = { init: { noNewPrivileges: ${value}, user: '1234:1234' } };`,
        args: ['--', '/run/bin/id', '-u'],
      });
      expect(ended).toMatchObject({ status: 0, stdout: `${uid}\n`, stderr: '' });
    });
  });

  describeContainer('init.cwd', () => {
    test('into which the app’s user may not go ends the start with 78', async () => {
      const ended = await runContainer({
        before: 'mkdir -m 700 /run/private',
        config: 'module.exports = { init: { cwd: "/run/private", user: "1234" } };',
      });
      expect(refusalOf(ended)).toEqual(
        refused({
          status: 78,
          code: 'E_DIRECTORY',
          message: 'Cannot start the app in /run/private: its user may not enter it (EACCES)',
          where: 'init.cwd',
          fix: 'name a directory that the app’s user may enter.',
        }),
      );
    });
  });

  describeContainer('init.limits', () => {
    test('below the number of processes of the user end the start with 126', async () => {
      const ended = await runContainer({
        config: 'module.exports = { init: { limits: { nproc: 1 }, user: "54323" } };',
        before: `for n in 1 2; do setpriv --reuid=54323 --clear-groups ${program('stay')} & done >/dev/null
          while [ "$(pgrep -c -u 54323 stay)" != 2 ]; do :; done`,
      });
      expect(refusalOf(ended)).toEqual(
        refused({
          status: 126,
          code: 'E_SPAWN',
          message:
            /^Cannot run ".*echo" as 54323: its user has as many processes as the limit allows$/,
          where: /echo$/,
          fix: 'Raise init.limits.nproc',
        }),
      );
    });

    test('above the hard ones of the container end the start with 78', async () => {
      const ended = await runContainer({
        config: 'module.exports = { init: { limits: { nofile: 4097 } } };',
        before: 'set -- prlimit --nofile=4096 setpriv --bounding-set=-sys_resource "$@"',
      });
      expect(refusalOf(ended)).toEqual(
        refused({
          status: 78,
          code: 'E_LIMITS',
          message: 'Cannot set the limits of the app: nofile to 4097 where the hard limit is 4096',
          where: 'init.limits',
          fix: 'docker run --ulimit',
        }),
      );
    });
  });
});

describeContainer('init.cwd', () => {
  const script = '#!/bin/sh\npwd\n';
  const executable = 'chmod +x "$PWD"/*/bin/here;';

  test('is where the app starts, and where a relative command and a relative PATH are found', async () => {
    const files = { 'there/bin/here': script };
    const options = { files, before: executable, config: cwdConfig('there') };
    const all = await Promise.all([
      runContainer({ ...options, args: ['--', './bin/here'] }),
      runContainer({ ...options, args: ['--', 'here'], before: `${executable} PATH=bin:$PATH` }),
      runContainer({ ...options, args: ['--', 'pwd'] }),
    ]);
    for (const { status, stdout } of all) {
      expect(status).toBe(0);
      expect(stdout).toMatch(/^\/.*\/app\/there\n$/);
    }
  });

  test('without the relative command in it ends the start with 127 and names the path', async () => {
    const ended = await runContainer({
      files: { 'bin/here': script, 'there/bin/else': '' },
      config: cwdConfig('there'),
      args: ['--', './bin/here'],
    });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 127,
        code: 'E_NOT_FOUND',
        message: 'Cannot run "./bin/here": no such program',
        where: /\/app\/there\/bin\/here$/,
        fix: 'Check CMD in the Dockerfile',
      }),
    );
  });

  test('that does not exist ends the start with 78', async () => {
    const ended = await runContainer({ config: cwdConfig('nowhere'), args: ['--', 'pwd'] });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 78,
        code: 'E_DIRECTORY',
        message:
          /^Cannot start the app in \/.*\/app\/nowhere: there is no such directory \(ENOENT\)$/,
        where: 'init.cwd',
        fix: 'name a directory that the app’s user may enter.',
      }),
    );
  });
});

describeContainer('init.limits', () => {
  test('are the app’s, and init keeps its own', async () => {
    const ended = await runContainer({
      config:
        'module.exports = { init: { limits: { nofile: { soft: 50, hard: 60 }, core: 0, stack: "unlimited" } } };',
      before: 'ulimit -Sn 70; ulimit -c 0; ulimit -Ss unlimited',
      args: [
        '--',
        'sh',
        '-c',
        'ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -s; prlimit -p 1 -n -o SOFT --noheadings --raw',
      ],
    });
    expect(ended).toMatchObject({ status: 0, stdout: '50\n60\n0\nunlimited\n70\n' });
  });
});

function cwdConfig(directory: string): string {
  return `module.exports = { init: { cwd: process.cwd() + '/${directory}' } };`;
}

type Peeking = Container & { readonly emulator: Emulator };

/** An app that becomes `peek` when it is asked. */
async function startPeek(
  user: User,
  options: ContainerOptions = {},
  script = '',
): Promise<Peeking> {
  const emulator = await startPlatform(platform);
  chmodSync(emulator.socketPath, 0o777);
  const container = startContainer({
    ...options,
    emulator,
    before: [options.before, users[user]].join('\n'),
    args: [...(user === 'another user' ? ['--user', '4321:4321'] : []), ...appThatPeeks(script)],
  });
  await container.stdout.waitFor('ready\n');
  return { ...container, emulator };
}

/** @returns the status of the answer, which comes when the reload is over. */
async function askReload(container: Container, stateDirectory: string): Promise<number> {
  return (await askInit(container, stateDirectory, '/reload', { method: 'POST' })).status;
}

async function askInit(
  container: Container,
  stateDirectory: string,
  ...request: [path: string, options?: { readonly method: string }]
) {
  const path = `/proc/${await container.initPid()}/root${stateDirectory}/control.sock`;
  return eventually(() => askSocket(path, ...request));
}

function appThatPeeks(script: string): string[] {
  return ['--', 'sh', '-c', `echo ready; read -r _; ${script} exec ${program('peek')}`];
}

/** What `peek` says of the other processes of the container: PID 1 and the brain. */
async function peekInto(container: Container, needle: string): Promise<string> {
  container.child.stdin?.end(`\n${needle}\n`);
  expect(await container.ended).toBe(0);
  return container.stdout.text().replace('ready\n', '');
}

/** The codes of those that are not about what another user than root may not write. */
function warningsOf(container: Container): unknown[] {
  return container.stderr
    .text()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): unknown => JSON.parse(line))
    .map((line) => (typeof line === 'object' && line !== null && 'code' in line ? line.code : line))
    .filter((code) => code !== 'W_HOSTS');
}

async function brainOf(container: Container, other?: number): Promise<number> {
  const init = await container.initPid();
  return eventually(() => {
    const brain = childrenOf(init).find((pid) => programOf(pid).endsWith('/node') && pid !== other);
    if (brain === undefined) {
      throw new Error('there is no brain');
    }

    return brain;
  });
}
