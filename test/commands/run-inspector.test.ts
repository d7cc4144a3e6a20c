// SIGUSR1 opens Node's inspector, and by it an app of the same user would run code in the processes that hold the token and
// the secrets. Node listens to the signal long before our first line.
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import { askSocket } from '../emulator/rig.ts';
import { describeContainer, startContainer, startPlatform } from '../helpers/container.ts';
import type { Container, ContainerOptions } from '../helpers/container.ts';
import { program } from '../helpers/pid1.ts';
import {
  childrenOf,
  eventually,
  listeningSockets,
  signalsIn,
  statusField,
} from '../helpers/process.ts';
import { findNode, nodeLines, withNode } from '../nodes/nodes.ts';

const platform: PlatformFile = { services: { web: '10.0.0.10' } };
const SIGUSR1 = 10;
/** Longer than a brain takes to its first line, also on a busy machine. */
const startMs = 150;

describeContainer('SIGUSR1 opens no inspector', () => {
  test.each(nodeLines.filter((line) => findNode(line) !== undefined))(
    'in a brain that has just been started, whenever it comes (Node %i)',
    { timeout: 30_000 },
    async (line) => {
      const container = await startReady({ env: withNode(findNode(line) ?? '') });
      const init = await container.initPid();
      let brain = await childInRole('brain', init);
      for (const firstMs of [0, 8, 16, 24, 32]) {
        process.kill(brain, 'SIGKILL');
        // oxlint-disable-next-line no-await-in-loop -- One brain after the other.
        brain = await childInRole('brain', init, brain);
        // oxlint-disable-next-line no-await-in-loop
        await sendEachMillisecond(brain, firstMs);
        expect(listeningSockets(brain)).toEqual([]);
        expect(statusField(brain, 'State')).toMatch(/^[RS]/);
        expect(signalsIn(brain, 'SigIgn')).toContain(SIGUSR1);
      }

      expect(container.stderr.text()).not.toContain('Debugger');
    },
  );

  test('in the process in which the config is read again', async () => {
    const container = await startReady({
      config: `module.exports = async () => {
        await new Promise((done) => setTimeout(done, 1000));
        return {};
      };`,
    });
    const init = await container.initPid();
    const brain = await childInRole('brain', init);
    const socket = `/proc/${init}/root/run/warp-init/control.sock`;
    const reload = eventually(() => askSocket(socket, '/reload', { method: 'POST' }));
    const child = await childInRole('config-child', brain);
    // Until then it would end the process, as any other signal does.
    await eventually(() =>
      expect([...signalsIn(child, 'SigIgn'), ...signalsIn(child, 'SigCgt')]).toContain(SIGUSR1),
    );
    await sendEachMillisecond(child, 0);
    expect(listeningSockets(child)).toEqual([]);
    expect((await reload).status).toBe(200);
    expect(container.stderr.text()).not.toContain('Debugger');
  });
});

async function startReady(options: ContainerOptions): Promise<Container> {
  const container = startContainer({
    ...options,
    emulator: await startPlatform(platform),
    args: ['--', program('print-signals'), 'app', '15'],
  });
  await container.stdout.waitFor('ready');
  return container;
}

/** From so many milliseconds after it was seen. Throws if the process ends meanwhile. */
async function sendEachMillisecond(pid: number, firstMs: number): Promise<void> {
  await wait(firstMs); // It is the moment that is tried.
  for (let ms = firstMs; ms < startMs; ms += 1) {
    process.kill(pid, 'SIGUSR1');
    // oxlint-disable-next-line no-await-in-loop -- Likewise.
    await wait(1);
  }
}

/** A child of a process that is not `other`, as soon as one is Node in that role. */
function childInRole(role: string, pid: number, other?: number): Promise<number> {
  return eventually(() => {
    const found = childrenOf(pid).find((child) => wordsOf(child)[3] === role && child !== other);
    if (found === undefined) {
      throw new Error(`no child of ${pid} is the ${role}`);
    }

    return found;
  });
}

/** Empty after its end. */
function wordsOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
}
