// A brain that cannot even end does not keep init from ending as the app does.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { launchOf, program, startInit, startLed } from '../helpers/pid1.ts';
import type { InitOptions } from '../helpers/pid1.ts';
import {
  childRunning,
  eventually,
  programOf,
  startProcess,
  statusField,
} from '../helpers/process.ts';

// As a child: the end of PID 1 waits for every process of its namespace, whatever PID 1 does (pid_namespaces(7)).
describe('a brain in an uninterruptible sleep', () => {
  test.each([
    ['', []],
    [' without pidfd_open(2)', [program('refuse-calls'), 'pidfd_open=38', '--']],
  ])('does not keep init from ending as the app does%s', async (_sandbox, through) => {
    const { init, brain } = await startHeld({ through });
    const endedAt = performance.now();
    await init.signal('SIGTERM');
    expect(await init.ended).toBe(143);
    expect(performance.now() - endedAt).toBeGreaterThan(900);
    expect(statusField(brain, 'State')).toMatch(/^t/);
  });

  test('that makes no sense any more has a successor all the same, and the app is not touched', async () => {
    const { init, led } = await startHeld();
    led.sendBytes(Buffer.alloc(64, 'garbage'));
    const next = await init.nextBrain();
    expect(next.hello.appPid).toBe(await childRunning(init.pid, 'stay'));
    await init.signal('SIGTERM');
    expect(await init.ended).toBe(143);
  });
});

test('without pidfd_open(2) a brain is ended with the app all the same', async () => {
  const init = await startLed({ through: [program('refuse-calls'), 'pidfd_open=38', '--'] });
  const led = await init.nextBrain();
  led.send(launchOf(['stay']));
  await init.stdout.waitFor('ready');
  const brain = await childRunning(init.pid, 'relay-brain');
  await init.signal('SIGTERM');
  expect(await init.ended).toBe(143);
  await eventually(() => expect(programOf(brain)).toBe(''));
});

// What poll(2) takes is bounded by this limit, which anybody of our user may lower (prlimit(1)).
describe('a limit of descriptors that is lowered while the app runs', () => {
  test('to one does not make init deaf, nor busy', async () => {
    const init = await startLed();
    const led = await init.nextBrain();
    led.send(launchOf(['stay']));
    await init.stdout.waitFor('ready');
    await limitDescriptors(init.pid, 1);
    expect((await led.receive()).type).toBe('spawned');
    for (let count = 0; count < 3; count++) {
      led.send({ type: 'count' });
      expect((await led.receive()).type).toBe('counters');
    }

    const before = switchesOf(init.pid);
    await eventually(() => expect(switchesOf(init.pid)).toBeGreaterThan(before + 5));
    expect(cpuTicksOf(init.pid)).toBeLessThan(10);
    await init.signal('SIGTERM');
    expect(await init.ended).toBe(143);
  });

  test.each([0, 1])('to %i does not make a plain init deaf', async (limit) => {
    const init = startInit(['--plain', program('print-signals'), 'app', '15']);
    await init.stdout.waitFor('ready');
    await limitDescriptors(init.pid, limit);
    for (const number of [10, 12, 15]) {
      await init.signal(number);
      await init.stdout.waitFor(`app got ${number}`);
    }

    expect(await init.ended).toBe(0);
  });
});

async function limitDescriptors(pid: number, limit: number): Promise<void> {
  const prlimit = startProcess('prlimit', ['--pid', String(pid), `--nofile=${limit}:${limit}`]);
  expect(await prlimit.ended).toBe(0);
}

/** How often it has gone to sleep. */
function switchesOf(pid: number): number {
  return Number(statusField(pid, 'voluntary_ctxt_switches'));
}

/** In user and kernel mode, in 1/100 s. */
function cpuTicksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

/** An app, and a brain that a tracer keeps from ending. */
async function startHeld(options: InitOptions = {}) {
  const init = await startLed(options);
  const led = await init.nextBrain();
  led.send(launchOf(['stay']));
  await init.stdout.waitFor('ready');
  const brain = await childRunning(init.pid, 'relay-brain');
  const tracer = startProcess(program('hold-exit'), [String(brain)]);
  await tracer.stdout.waitFor('ready');
  return { init, led, brain };
}
