// Faults of our own side while the app runs: a full disk, files that became read-only, a clock that jumps, a brain that dies
// in the middle, an end in the middle, a command that hangs, floods.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { describeContainer } from '../helpers/container.ts';
import { isRoot } from '../helpers/pid1.ts';
import { childrenOf, eventually, programOf } from '../helpers/process.ts';
import { allOf, brainOf, liveInit, shop, startLive, unnoticed, within } from './live-rig.ts';
import type { Live, Shown } from './live-rig.ts';

const scopedVariables = '/v1/environment/scoped-variables';

type Broken = {
  readonly what: string;
  /** Shell, before init. */
  readonly before?: string;
  readonly spoil: (live: Live) => void;
  readonly repair: (live: Live) => void;
  /** What is shown meanwhile. */
  readonly meanwhile: Shown;
  readonly evidence: RegExp;
};

const ownAppDirectory = 'mkdir /run/app; mount -t tmpfs -o size=16k,mode=755 tmpfs /run/app';
const ownStateDirectory =
  'mkdir -m 711 /run/warp-init; mount -t tmpfs -o size=16k,mode=711 tmpfs /run/warp-init';

const broken: readonly Broken[] = [
  {
    what: 'a full disk for files of secrets and the env file',
    before: ownAppDirectory,
    spoil: (live) => fill(live, '/run/app'),
    repair: (live) => empty(live, '/run/app'),
    meanwhile: { hosts: 2, ist: 2, envFile: 1, secret: 1 },
    evidence: /W_FILE.*\/run\/app\/password: .*ENOSPC/,
  },
  {
    what: 'a full disk for the state directory',
    before: ownStateDirectory,
    spoil: (live) => fill(live, '/run/warp-init'),
    repair: (live) => empty(live, '/run/warp-init'),
    meanwhile: { hosts: 2, ist: 1, envFile: 2, secret: 2 },
    evidence: /W_FILE.*\/run\/warp-init\/ist.json: .*ENOSPC/,
  },
  {
    what: 'files of secrets and an env file that were read-only for a while',
    before: ownAppDirectory,
    spoil: (live) => remount(live, 'ro', '/run/app'),
    repair: (live) => remount(live, 'rw', '/run/app'),
    meanwhile: { hosts: 2, ist: 2, envFile: 1, secret: 1 },
    evidence: /W_FILE.*\/run\/app\/password: .*EROFS/,
  },
  {
    what: 'a hosts file that was read-only for a while',
    spoil: (live) => remount(live, 'bind,ro', '/etc/hosts'),
    repair: (live) => remount(live, 'bind,rw', '/etc/hosts'),
    meanwhile: { hosts: 1, ist: 2, envFile: 2, secret: 2 },
    evidence: /W_HOSTS.*EROFS/,
  },
];

/** Root may write whatever the mode is. */
const asUser = [
  'chmod 666 /proc/self/fd/2', // Else the log of the brain is not to be heard.
  'chown 1234 /etc/hosts',
  'install -d -o 1234 -g 1234 -m 700 /run/warp-init',
  'install -d -g 1234 -m 775 /run/app',
  'set -- setpriv --reuid=1234 --regid=1234 --clear-groups "$@"',
].join('\n');

const permissions: readonly Broken[] = [
  {
    what: 'a directory that an init without root could not write to for a while',
    before: asUser,
    spoil: (live) => chmodSync(live.path('/run/app'), 0o755),
    repair: (live) => chmodSync(live.path('/run/app'), 0o775),
    meanwhile: { hosts: 2, ist: 2, envFile: 1, secret: 1 },
    evidence: /W_FILE.*\/run\/app\/password: .*EACCES/,
  },
  {
    what: 'a state directory that an init without root could not enter for a while',
    before: asUser,
    spoil: (live) => chownSync(live.path('/run/warp-init'), 0, 0),
    repair: (live) => chownSync(live.path('/run/warp-init'), 1234, 1234),
    meanwhile: { hosts: 2, ist: 1, envFile: 2, secret: 2 },
    evidence: /W_FILE.*\/run\/warp-init\/ist.json: .*EACCES/,
  },
];

describeContainer('the app never notices, and the last state is right, after', () => {
  test.each(broken)('$what', async (fault) => {
    expect(await recoverFrom(fault)).toEqual(unnoticed);
  });

  test.skipIf(!isRoot).each(permissions)('$what', async (fault) => {
    expect(await recoverFrom(fault)).toEqual(unnoticed);
  });

  test('a wall clock that is set back and forth all the time', async () => {
    const clock = new URL('../../fixtures/programs/jumping-clock.cjs', import.meta.url).pathname;
    const dist = new URL('../../dist', import.meta.url).pathname;
    const live = await startLive({
      // What pid1 finds beside itself is the brain.
      files: { 'bin/warp-init.cjs': `require('${clock}');\nrequire('${dist}/warp-init.cjs');\n` },
      before: `cp ${dist}/warp-init bin/; shift; set -- "$PWD/bin/warp-init" "$@"`,
    });
    for (const n of [2, 3, 4]) {
      await live.emulator.update(shop(n));
      await within(2000, () => expect(live.shown()).toEqual(allOf(n)));
    }

    await live.emulator.restart(100);
    live.emulator.setPlatform(shop(5));
    await eventually(() => expect(live.shown()).toEqual(allOf(5)));
    const times = live.container.log().map((line) => Number(Reflect.get(line, 'time')));
    expect(times).not.toEqual(times.toSorted((a, b) => a - b));
    expect(await live.end()).toEqual(unnoticed);
  });

  test('a death of the brain at any moment of a reload', async () => {
    const undisturbed = await startLive();
    await undisturbed.emulator.update(shop(2));
    await eventually(() => expect(undisturbed.shown()).toEqual(allOf(2)));
    const hosts = undisturbed.container.hosts();
    for (let firstMs = 0; firstMs < 120; firstMs += 40) {
      const delays = [0, 10, 20, 30].map((moreMs) => firstMs + moreMs);
      const all = await Promise.all(delays.map((delayMs) => dieAfter(delayMs, hosts)));
      expect(all).toEqual(delays.map(() => unnoticed));
    }
  });

  test('a command that hangs at each reload', async () => {
    const command = ['sleep', '1000'];
    const live = await startLive({
      init: {
        ...liveInit,
        reload: { ...liveInit.reload, action: 'command', command, deadline: '200ms' },
      },
    });
    await live.emulator.update(shop(2));
    await live.says(/W_RELOAD_COMMAND.*within init.reload.deadline/);
    await live.emulator.update(shop(3));
    await eventually(() => expect(live.shown()).toEqual(allOf(3)));
    expect(await live.end()).toEqual(unnoticed);
  });

  test('100,000 notifications, with a reload per maxWait at most', async () => {
    const maxWaitMs = 500;
    const live = await startLive({
      init: { ...liveInit, reload: { quiet: '100ms', maxWait: `${maxWaitMs}ms` } },
    });
    const { emulator } = live;
    const notifications = await emulator.update(shop(2));
    await eventually(() => expect(live.shown()).toEqual(allOf(2)));
    const before = emulator.countRequests(scopedVariables);
    const startMs = performance.now();
    const copies = Math.ceil(100_000 / notifications.length);
    await emulator.notify(Array.from({ length: copies }, () => notifications).flat());
    await emulator.update(shop(3));
    await eventually(() => expect(live.shown()).toEqual(allOf(3)));
    const reloads = emulator.countRequests(scopedVariables) - before;
    expect(reloads).toBeLessThanOrEqual((performance.now() - startMs) / maxWaitMs + 2);
    expect(await live.end()).toEqual(unnoticed);
  });
});

describeContainer('the status is the app’s, and nothing waits, where', () => {
  test.each([
    ['TERM comes while the platform is asked', (live: Live) => live.container.signal('SIGTERM')],
    ['the app ends while the platform is asked', (live: Live) => process.kill(live.app, 'SIGTERM')],
  ])('%s', async (_what, end) => {
    const live = await startLive();
    live.emulator.setFault('error-rate=1');
    const before = live.emulator.requests.length;
    await live.emulator.update(shop(2));
    await eventually(() => expect(live.emulator.requests.length).toBeGreaterThan(before));
    await end(live);
    expect(await live.container.ended).toBe(33);
  });

  test('TERM comes while a reload command runs, which ends with us', async () => {
    const live = await startLive({
      init: {
        ...liveInit,
        reload: { ...liveInit.reload, action: 'command', command: 'sleep 1000' },
      },
    });
    await live.emulator.update(shop(2));
    const brain = await brainOf(live.init);
    const command = await eventually(() => {
      const [sleep] = childrenOf(brain).filter((pid) => programOf(pid).endsWith('/sleep'));
      expect(sleep).toBeGreaterThan(0);
      return sleep ?? 0;
    });
    expect(await live.end()).toEqual(unnoticed);
    await eventually(() => expect(programOf(command)).toBe(''));
  });
});

async function recoverFrom({ before = '', spoil, repair, meanwhile, evidence }: Broken) {
  const live = await startLive({ before });
  spoil(live);
  await live.emulator.update(shop(2));
  await live.says(evidence);
  await eventually(() => expect(live.shown()).toEqual(meanwhile));
  repair(live);
  await eventually(() => expect(live.shown()).toEqual(allOf(2)));
  return live.end();
}

/** The successor of a brain that ended in the middle of a change finishes it, and leaves nothing of it behind. */
async function dieAfter(delayMs: number, hosts: string) {
  const live = await startLive();
  await live.emulator.update(shop(2));
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  await live.killBrain();
  await within(10_000, () => expect(live.shown(), `killed after ${delayMs} ms`).toEqual(allOf(2)));
  expect(meaningOf(live.container.hosts())).toEqual(meaningOf(hosts));
  return live.end();
}

/** A change that was left half done leaves comments and blank lines at the end of the file. */
function meaningOf(hosts: string): string[] {
  return hosts.split('\n').filter((line) => !/^#*$/.test(line));
}

/** Not a byte is left on that file system. */
function fill(live: Live, directory: string): void {
  const filler = live.path(`${directory}/filler`);
  expect(() => writeFileSync(filler, Buffer.alloc(2 ** 20))).toThrow('ENOSPC');
}

function empty(live: Live, directory: string): void {
  rmSync(live.path(`${directory}/filler`));
}

const enter = ['--mount', '--preserve-credentials', ...(isRoot ? [] : ['--user'])];

function remount(live: Live, options: string, path: string): void {
  const { status, stderr } = spawnSync(
    'nsenter',
    [...enter, `--target=${live.init}`, 'mount', '-o', `remount,${options}`, path],
    { encoding: 'utf8' },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}
