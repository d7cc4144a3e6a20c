// What the app inherits: all that init was started with, as if there were no init; and what of it acts on init itself.
import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import {
  describeContainer,
  parseEnvironment,
  runContainer,
  startContainer,
  startPlatform,
} from '../helpers/container.ts';
import { isRoot, program } from '../helpers/pid1.ts';
import type { Role } from '../helpers/pid1.ts';
import {
  childRunning,
  childrenOf,
  descriptorsOf,
  eventually,
  programOf,
} from '../helpers/process.ts';

const platform = { services: { web: '10.0.0.10' } };

/** Shell commands for `before` that leave init, its options and `--` out: the command runs without it. */
const withoutInit = 'while [ "$1" != -- ]; do shift; done; shift';

/** What a process can find out about itself. For bash: dash changes its mask. A loop: while bash forks it blocks signals. */
const look = `
  umask; pwd -P
  cd /proc/self
  cat oom_score_adj coredump_filter personality timerslack_ns limits cgroup
  while IFS= read -r line; do
    case $line in
    Umask*|Uid*|Gid*|Groups*|SigBlk*|SigIgn*|Cap*|NoNewPrivs*|Seccomp*|Speculation*|Cpus*|Mems*|THP*|Core*) echo "$line" ;;
    esac
  done < status
  nice; ionice -p $$; chrt --pid $$ | sed 's/pid [0-9]*/pid/'; taskset -p $$ | sed 's/pid [0-9]*/pid/'
  for fd in /proc/$$/fd/*; do echo "\${fd##*/} $(readlink $fd | sed 's/\\[.*//') $(grep flags /proc/$$/fdinfo/\${fd##*/})"; done`;

/** As far from the defaults as everybody may go. */
const unusual = `
  mkdir sub; cd sub; umask 027
  echo 321 > /proc/self/oom_score_adj
  echo 0x31 > /proc/self/coredump_filter
  ulimit -Sn 99; ulimit -c 0; ulimit -Ss 4096
  exec 5</dev/zero 9>/dev/null 7<>/dev/full
  set -- nice -n 5 ionice -c 3 chrt --batch 0 taskset 1 setarch -R \
    env --block-signal=USR2,RTMIN --ignore-signal=HUP,QUIT,PIPE,RTMAX "$@"`;

describeContainer('the app finds itself as it would without init', () => {
  describe.each(['PID 1', 'a child'] as const)('as %s', (role: Role) => {
    test.each([
      ['with a brain that stays', []],
      ['with --exec', ['--exec']],
      ['with --plain', ['--plain']],
    ])('%s', async (_how, options) => {
      const all = { role, emulator: await startPlatform(platform) };
      // Without SHLVL, and with a socket as stdin, bash takes itself for the child of rshd, and reads ~/.bashrc.
      const args = [...options, '--', 'env', 'SHLVL=1', 'bash', '-c', look];
      const [direct, through] = await Promise.all([
        runContainer({ ...all, args, before: `${withoutInit}\n${unusual}` }),
        runContainer({ ...all, args, before: unusual }),
      ]);
      expect(direct.status).toBe(0);
      expect(direct.stdout).toMatch(/^0027\n\/.*\/sub\n321\n/);
      expect(direct.stdout).toMatch(/^SigBlk:\t0000000200000800\nSigIgn:\t8000000000001005$/m);
      expect(through.status).toBe(0);
      expect(withoutDirectory(through.stdout)).toBe(withoutDirectory(direct.stdout));
    });
  });
});

describeContainer('sockets that the platform has opened', () => {
  const files = { three: 'of three', four: 'of four' };
  const before = `exec 3<three 4<four
    export LISTEN_FDS=2 LISTEN_PID=$$ LISTEN_FDNAMES=a:b`;
  const tell =
    'cat <&3; cat <&4; echo " $LISTEN_FDS $LISTEN_FDNAMES $((LISTEN_PID - $$))"; ls /proc/$$/fd';
  const ways: readonly (readonly [string, readonly string[]])[] = [
    ['with a brain that stays', []],
    ['with --exec', ['--exec']],
    ['with --plain', ['--plain']],
    ...(isRoot ? [['as another user', ['--user', '1234:1234']] as const] : []),
  ];

  test.each(ways)('are the app’s, with its own pid in LISTEN_PID: %s', async (_how, options) => {
    const emulator = await startPlatform(platform);
    const args = [...options, '--', 'sh', '-c', tell];
    const [direct, through] = await Promise.all([
      runContainer({ files, args, before: `${withoutInit}\n${before}` }),
      runContainer({ emulator, files, args, before }),
    ]);
    expect(direct.stdout).toMatch(/^of threeof four 2 a:b 0\n/);
    expect(through).toMatchObject({ status: 0, stdout: direct.stdout, stderr: '' });
  });

  test('are not said to be those of the pidfd of another process', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(platform),
      env: { LISTEN_FDS: '1', LISTEN_PID: '1', LISTEN_PIDFDID: '123' },
      args: ['--', 'sh', '-c', 'echo "$((LISTEN_PID - $$)) ${LISTEN_PIDFDID-none}"'],
    });
    expect(ended).toMatchObject({ status: 0, stdout: '0 none\n', stderr: '' });
  });
});

describeContainer('variables by which an image changes how programs behave', () => {
  const inspect = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };
  const library = findLibrary();
  const cases: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['NODE_OPTIONS with --inspect', inspect],
    ['NODE_OPTIONS with a module that is missing', { NODE_OPTIONS: '--require ./missing.js' }],
    ['NODE_OPTIONS with an unknown flag', { NODE_OPTIONS: '--no-such-flag' }],
    ['NODE_OPTIONS with too little memory', { NODE_OPTIONS: '--max-old-space-size=1' }],
    [
      'NODE_EXTRA_CA_CERTS, NODE_PATH and others',
      { NODE_EXTRA_CA_CERTS: '/no', NODE_V8_COVERAGE: '/run/v8', NODE_DEBUG: 'net' },
    ],
    [
      'OPENSSL_CONF that Node cannot read',
      { OPENSSL_CONF: '/run/openssl.cnf', OPENSSL_MODULES: '/nowhere' },
    ],
    ['LD_PRELOAD and LD_LIBRARY_PATH', { LD_PRELOAD: library, LD_LIBRARY_PATH: '/nowhere' }],
    [
      'LD_DEBUG and LD_BIND_NOW',
      { LD_BIND_NOW: '1', LD_DEBUG: 'files', LD_DEBUG_OUTPUT: '/run/ld' },
    ],
  ];
  const configs = [
    ['without a config', undefined],
    [
      'with one that sees them, too',
      'const all = { ...process.env }; module.exports = () => ({ variables: Object.fromEntries(Object.entries(all).map(([name, value]) => ["SEEN_" + name, value])) });',
    ],
  ] as const;

  describe.each(configs)('%s', (_how, config) => {
    test.each(cases)('%s', async (_what, variables) => {
      // At the last moment: they are not for the programs that make the container.
      const assignments = Object.entries(variables).map(([name, value]) => `${name}='${value}'`);
      const container = startContainer({
        emulator: await startPlatform(platform),
        ...(config !== undefined && { config }),
        before: `echo '[[[' > /run/openssl.cnf\nexport ${assignments.join(' ')}`,
        args: ['--', program('stay')],
      });
      await container.stdout.waitFor('ready');
      const init = await container.initPid();
      const app = parseEnvironment(
        readFileSync(`/proc/${await childRunning(init, 'stay')}/environ`, 'utf8'),
      );
      for (const [name, value] of Object.entries(variables)) {
        expect(app.get(name)).toBe(value);
        expect(app.get(`SEEN_${name}`)).toBe(config === undefined ? undefined : value);
      }

      const brain = await brainOf(init);
      expect(listenersOf(brain)).toBe(0);
      expect(readFileSync(`/proc/${brain}/maps`, 'utf8')).not.toContain(library);
      await container.signal('SIGTERM');
      expect(await container.ended).toBe(143);
      expect(container.stderr.text()).toBe('');
    });
  });

  test('act on the app: it is traced, and has the library that it is to have', async () => {
    const container = startContainer({
      emulator: await startPlatform(platform),
      before: `export LD_PRELOAD=${library} NODE_OPTIONS=${inspect.NODE_OPTIONS}`,
      args: ['--', 'node', '-e', 'console.log("ready"); setInterval(() => {}, 1000)'],
    });
    await container.stdout.waitFor('ready');
    const [app = 0] = childrenOf(await container.initPid()).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('setInterval'),
    );
    expect(readFileSync(`/proc/${app}/maps`, 'utf8')).toContain(library);
    expect(container.stderr.text()).toContain('Debugger listening');
    await container.signal('SIGKILL');
  });

  test('reach the app where Node is started by a script, too, and its loader has nothing to say', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(platform),
      before: String.raw`printf '#!/bin/sh\nexec node "$@"\n' > /run/node && chmod +x /run/node
        export WARP_INIT_NODE=/run/node NODE_OPTIONS=--no-such-flag LD_PRELOAD=${library}`,
      args: ['--', 'sh', '-c', 'echo "$NODE_OPTIONS $LD_PRELOAD ${WARP_INIT_NODE-none}"'],
    });
    expect(ended).toMatchObject({
      status: 0,
      stdout: `--no-such-flag ${library} none\n`,
      stderr: '',
    });
  });

  test('and that are set in a config’s process act on what it starts itself', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(platform),
      before: `export LD_PRELOAD=${library} NODE_OPTIONS=--no-deprecation`,
      config: `const { execFileSync } = require('node:child_process');
        const say = (script) => execFileSync('sh', ['-c', script], { encoding: 'utf8' });
        module.exports = { variables: {
          PRELOADED: say('grep -c ${library} /proc/self/maps; echo "$NODE_OPTIONS"'),
          DESCRIPTORS: say('ls -C /proc/self/fd'),
        } };`,
      args: ['--', 'sh', '-c', 'echo "$PRELOADED"; echo "$DESCRIPTORS"'],
    });
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    // 3 is of ls itself: neither the link nor the log is open in what the brain starts.
    expect(ended.stdout).toMatch(/^[1-9]\d*\n--no-deprecation\n\n0 +1 +2 +3\n/);
  });
});

function withoutDirectory(text: string): string {
  return text.replaceAll(/\/\S*\/container-[^/]*/g, '');
}

/** A library that nothing needs, as the loader here finds it. */
function findLibrary(): string {
  const { stdout } = spawnSync('ldconfig', ['-p'], {
    encoding: 'utf8',
    env: { PATH: '/sbin:/usr/sbin' },
  });
  const path = /=> (\/\S*\/libanl\.so\.1)$/m.exec(stdout)?.[1];
  if (path === undefined) {
    throw new Error('Cannot find libanl.so.1, which is a part of glibc');
  }

  return realpathSync(path);
}

function brainOf(init: number): Promise<number> {
  return eventually(() => {
    const brain = childrenOf(init).find((pid) => programOf(pid).endsWith('/node'));
    if (brain === undefined) {
      throw new Error('there is no brain');
    }

    return brain;
  });
}

/** How many TCP sockets listen in the network of a process (proc_pid_net(5), state 0A), and are its own. */
function listenersOf(pid: number): number {
  const own = new Set(descriptorsOf(pid).values());
  return ['tcp', 'tcp6']
    .flatMap((family) => readFileSync(`/proc/${pid}/net/${family}`, 'utf8').split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && own.has(`socket:[${fields[9]}]`)).length;
}
