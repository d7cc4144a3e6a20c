// After the start: the brain beside the app, or gone; and an app that never notices what becomes of the brain.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import { describeContainer, startContainer, startPlatform } from '../helpers/container.ts';
import type { Container, ContainerOptions } from '../helpers/container.ts';
import { program } from '../helpers/pid1.ts';
import type { Role } from '../helpers/pid1.ts';
import {
  childRunning,
  childrenOf,
  eventually,
  isNonBlocking,
  programOf,
} from '../helpers/process.ts';

const shop: PlatformFile = {
  self: 'web',
  services: { web: '10.0.0.10', 'my-db': '10.0.0.20' },
  secrets: { 'served-once': { value: 'only-for-the-first', once: true } },
};
const app = ['--', program('print-signals'), 'app', '15'];

describeContainer('the brain', () => {
  test.each(['PID 1', 'a child'] as const)(
    'may be killed again and again: the app is the same, hears of nothing, and its status is ours (as %s)',
    { timeout: 30_000 },
    async (role: Role) => {
      // Ten times in all; pid1 waits twice as long before each new one, 3 s for five.
      const all = await Promise.all([surviveKills(role, 5), surviveKills(role, 5)]);
      for (const { status, stdout, seen } of all) {
        expect({ status, stdout }).toEqual({ status: 33, stdout: 'app ready\napp got 15\n' });
        expect(seen).toHaveLength(5);
        expect(new Set(seen).size).toBe(1);
        expect(seen[0]).toMatch(/^\d+ print-signals \d+$/);
      }
    },
  );

  test('is gone in standalone mode and with init.follow false: pid1 alone stays', async () => {
    const emulator = await startPlatform(shop);
    const containers = [
      await startReady({}),
      await startReady({ emulator, config: 'module.exports = { init: { follow: false } };' }),
    ];
    for (const container of containers) {
      const init = await container.initPid();
      await eventually(() => expect(childrenOf(init).map(nameOf)).toEqual(['print-signals']));
      expect(privateDirtyKb(init)).toBeLessThan(1024);
      await container.signal('SIGTERM');
      expect(await container.ended).toBe(0);
    }
  });

  test('leaves the stderr that it shares with the app blocking, also where it has written to it', async () => {
    const container = await startReady({
      emulator: await startPlatform(shop),
      config: 'module.exports = { ist: { service: "nobody" } };',
    });
    expect(container.log()).toEqual([expect.objectContaining({ code: 'W_IST_UNKNOWN_SERVICE' })]);
    const pid = await childRunning(await container.initPid(), 'print-signals');
    expect(isNonBlocking(pid, 2)).toBe(false);
  });

  test('is ended with the app, though it follows', async () => {
    const container = await startReady({ emulator: await startPlatform(shop) });
    const brain = await brainOf(container);
    await container.signal('SIGTERM');
    expect(await container.ended).toBe(0);
    await eventually(() => expect(programOf(brain)).toBe(''));
  });
});

describeContainer('orphans', () => {
  test.each(['PID 1', 'a child'] as const)(
    '200 leave no zombie beside a brain, and the status is the app’s (as %s)',
    async (role: Role) => {
      const container = startContainer({
        role,
        emulator: await startPlatform(shop),
        args: ['--', program('make-orphans'), '200', '42'],
      });
      await container.stdout.waitFor('ready');
      const init = await container.initPid();
      await eventually(() => expect(childrenOf(init)).toHaveLength(202));
      container.child.stdin?.write('e');
      await eventually(() =>
        expect(childrenOf(init).map(nameOf).toSorted()).toEqual(['make-orphans', 'node']),
      );
      container.child.stdin?.end();
      expect(await container.ended).toBe(42);
    },
  );
});

/** What was seen of the app after each kill: the children of init besides the brain, and when they started. */
async function surviveKills(role: Role, kills: number) {
  const emulator = await startPlatform(shop);
  const container = await startReady({
    role,
    emulator,
    env: { ONCE: 'warp-secret:served-once' },
    args: ['--exit-status', '0:33', ...app],
  });
  const init = await container.initPid();
  const seen: string[] = [];
  let brain = await brainOf(container);
  for (let count = 0; count < kills; count += 1) {
    process.kill(brain, 'SIGKILL');
    brain = await brainOf(container, brain);
    const others = childrenOf(init).filter((pid) => pid !== brain);
    seen.push(others.map((pid) => `${pid} ${nameOf(pid)} ${startTimeOf(pid)}`).join());
  }

  await container.signal('SIGTERM');
  const status = await container.ended;
  return { status, stdout: container.stdout.text(), seen };
}

async function startReady(options: ContainerOptions): Promise<Container> {
  const container = startContainer({ args: app, ...options });
  await container.stdout.waitFor('ready');
  return container;
}

/** The brain that runs now, and is not `other`. */
async function brainOf(container: Container, other?: number): Promise<number> {
  const init = await container.initPid();
  return eventually(() => {
    const brain = childrenOf(init).find((pid) => nameOf(pid) === 'node' && pid !== other);
    if (brain === undefined) {
      throw new Error('there is no brain');
    }

    return brain;
  });
}

function nameOf(pid: number): string {
  return programOf(pid).split('/').at(-1) ?? '';
}

/** Field 22 of proc_pid_stat(5): two processes never have pid and this in common. */
function startTimeOf(pid: number): string | undefined {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
}

function privateDirtyKb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Private_Dirty:\s+(\d+) kB$/m.exec(text)?.[1]);
}
