// The link from pid1's end: what a brain is told, what it may say, and that its end is not the app's.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { encodeMessage } from '../../src/link/frames.ts';
import {
  frameType,
  launchHeader,
  launchSizeLimit,
  linkVersion,
  memoSizeLimit,
} from '../../src/link/layout.ts';
import { describeBinaries, describeRoles, launchOf, program, startLed } from '../helpers/pid1.ts';
import type { Brain, InitOptions, LedInit } from '../helpers/pid1.ts';
import { childRunning, childrenOf, eventually } from '../helpers/process.ts';

const SIGTERM = 15;

describeRoles('the hello', (role) => {
  test('has arguments and environment as init got them, and who init is', async () => {
    const init = await startLed({
      role,
      env: { EMPTY: '', UTF8: 'données ✅', NODE_OPTIONS: '--max-old-space-size=1' },
    });
    const { hello } = await init.nextBrain();
    expect(hello).toMatchObject({
      version: linkVersion,
      isPid1: role === 'PID 1',
      hasTerminal: false,
      appPid: undefined,
      argv: [expect.stringMatching(/warp-init$/), 'run', '--', 'app'],
    });
    expect(hello.environment).toContain('EMPTY=');
    expect(hello.environment).toContain('UTF8=données ✅');
    expect(hello.environment).toContain('NODE_OPTIONS=--max-old-space-size=1');
    expect(hello.memo).toHaveLength(0);
  });

  test('arrives whole when it is larger than the socket’s buffer', async () => {
    const value = 'x'.repeat(100_000);
    const env = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`V${index}`, value]));
    const init = await startLed({ role, env });
    const { hello } = await init.nextBrain();
    expect(hello.environment.filter((entry) => entry.endsWith(value))).toHaveLength(12);
  });

  test('of the next brain has the memo, the launch and the app', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const launch = launchOf(['stay']);
    brain.send({ type: 'memo', bytes: Buffer.from('an older memo') });
    brain.send({ type: 'memo', bytes: Buffer.from('memo') });
    brain.send(launch);
    const spawned = await brain.receive();
    brain.end();
    const { hello, lastLaunch } = await init.nextBrain();
    expect(spawned).toEqual({ type: 'spawned', pid: hello.appPid });
    expect(hello.memo.toString()).toBe('memo');
    expect(lastLaunch.equals(encodeMessage(launch).subarray(8))).toBe(true);
  });

  test('of the next brain has a memo of 16 MiB, the most that there can be', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const bytes = Buffer.alloc(memoSizeLimit, 'memo ');
    brain.send({ type: 'memo', bytes });
    await startApp(init, brain);
    brain.end();
    const { hello } = await init.nextBrain();
    expect(hello.memo.equals(bytes)).toBe(true);
  });
});

describeRoles('preparing ends', (role) => {
  test.each([0, 1, 64, 69, 78, 255])('with the status %i of an abort', async (status) => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send({ type: 'abort', status });
    expect(await init.ended).toBe(status);
    expect(init.stderr.text()).toBe('');
  });

  test('with the status of an abort whose brain ends at once', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send({ type: 'abort', status: 78 });
    brain.end();
    expect(await init.ended).toBe(78);
  });

  test('with status 70 and a message if the brain ends without a word', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.end();
    expect(await init.ended).toBe(70);
    expect(init.stderr.text()).toMatch(
      /^warp-init: Cannot prepare the start: the brain \(.*\) ended\. .*--plain/,
    );
  });
});

describeRoles('a brain that ends while the app runs', (role) => {
  test('is started again, later each time, and the app does not notice', async () => {
    const init = await startLed({ role });
    const first = await init.nextBrain();
    const appPid = await startApp(init, first);
    const delaysMs: number[] = [];
    let brain = first;
    for (let count = 0; count < 4; count += 1) {
      const endedAt = performance.now();
      brain.end();
      brain = await init.nextBrain();
      delaysMs.push(performance.now() - endedAt);
      expect(brain.hello.appPid).toBe(first.hello.appPid ?? appPid);
    }

    // The clock is the kernel's, so a delay is never shorter; how much longer is the machine's affair.
    for (const [index, least] of [100, 200, 400, 800].entries()) {
      expect(delaysMs[index]).toBeGreaterThan(least - 5);
      expect(delaysMs[index]).toBeLessThan(least * 2 + 100);
    }

    expect(await terminate(init)).toBe(143);
  });

  test('by kill -9, as often as it is, ends nothing', async () => {
    const init = await startLed({ role });
    await startApp(init, await init.nextBrain());
    const pid = await init.initPid();
    const app = await childRunning(pid, 'stay');
    for (let count = 0; count < 3; count += 1) {
      process.kill(await childRunning(pid, 'relay-brain'), 'SIGKILL');
      await init.nextBrain();
    }

    expect(childrenOf(pid)).toContain(app);
    expect(init.stderr.text()).toMatch(/^(?:warp-init: The brain ended; another .*\n)+$/);
    expect(await terminate(init)).toBe(143);
  });

  test('is not started again after `done`', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    await startApp(init, brain);
    const pid = await init.initPid();
    brain.send({ type: 'done' });
    brain.end();
    await eventually(() => expect(childrenOf(pid)).toHaveLength(1));
    await expect(Promise.race([init.nextBrain(), pause(250)])).resolves.toBe('nobody');
    expect(await terminate(init)).toBe(143);
  });

  test('does not keep an app that has ended from ending init', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    await startApp(init, brain);
    brain.end();
    await brain.gone;
    expect(await terminate(init)).toBe(143);
  });
});

describeRoles('the brain hears', (role) => {
  test('of the app’s end, with the status for the outside and the one of wait(2)', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const statusMap = new Map([[143, 0]]);
    // A rest of the group that ignores TERM gives the brain the time to hear it.
    const script = `${program('stay')} 15 & exec ${program('stay')}`;
    brain.send(launchOf(['/bin/sh', '-c', script], { statusMap, lingerMs: 150 }));
    expect((await brain.receive()).type).toBe('spawned');
    await init.stdout.waitFor(/ready[^]*ready/);
    await init.signal(SIGTERM);
    expect(await brain.receive()).toEqual({ type: 'exited', status: 0, waitStatus: SIGTERM });
    expect(await init.ended).toBe(0);
  });
});

const launch = encodeMessage(launchOf(['stay']));
const words: readonly (readonly [string, Uint8Array])[] = [
  ['random bytes', randomBytes(4096)],
  ['a type that there is not', frameOf(99, Buffer.alloc(4))],
  ['a type of pid1’s own', frameOf(frameType.hello, Buffer.alloc(36))],
  ['an abort of five bytes', frameOf(frameType.abort, Buffer.alloc(5))],
  ['a done with a payload', frameOf(frameType.done, Buffer.alloc(1))],
  ['a launch above its limit', headerOf(frameType.launch, launchSizeLimit + 1)],
  ['a memo above its limit', headerOf(frameType.memo, memoSizeLimit + 1)],
  ['a size of 4 GiB', headerOf(frameType.memo, 0xffff_ffff)],
  ['a launch shorter than its header', frameOf(frameType.launch, Buffer.alloc(16))],
];
const nonsense: readonly (readonly [string, Uint8Array])[] = [
  ['a launch of zeros', frameOf(frameType.launch, Buffer.alloc(500))],
  ['a launch that counts more arguments than it has', launchWith('argument_count', 1000)],
  [
    'a launch that ends within the name of the app’s file',
    frameOf(
      frameType.launch,
      Buffer.concat([launch.subarray(8, 8 + offsetOf('reserved') + 2), Buffer.alloc(100, 'a')]),
    ),
  ],
  ['a launch that ends within its arguments', launchWith('argument_count', 20)],
  ['a launch that ends within its variables', launchWith('variable_count', 20)],
  ['a launch that counts 4 billion variables', launchWith('variable_count', 0xffff_ffff)],
  ['a launch that counts 4 billion groups', launchWith('group_count', 0xffff_ffff)],
  ['a launch that counts 4 billion limits', launchWith('limit_count', 0xffff_ffff)],
  ['a launch with a flag that there is not', launchWith('flags', 64)],
  ['a launch that counts no argument', launchWith('argument_count', 0)],
  ['a launch with a signal of 200 as the parent’s end', launchWith('parent_death_signal', 200)],
  [
    'a launch with bytes left over',
    frameOf(frameType.launch, Buffer.concat([launch.subarray(8), Buffer.of(0)])),
  ],
  ['a launch whose last string does not end', frameOf(frameType.launch, launch.subarray(8, -1))],
  ['a launch that maps a signal to 255', patched(offsetOf('signal_map') + 10, 255)],
];

describeBinaries('a brain that makes no sense', (binary, role) => {
  const options: InitOptions = { binary, role };

  test.each([
    ...words,
    ...nonsense,
    ['done, when there is no app yet', encodeMessage({ type: 'done' })] as const,
  ])('ends the preparing with status 70 and a message: %s', async (_what, bytes) => {
    const init = await startLed(options);
    const brain = await init.nextBrain();
    brain.sendBytes(bytes);
    expect(await init.ended).toBe(70);
    expect(init.stderr.text()).toMatch(
      /^warp-init: Cannot prepare the start: the brain \(.*\) sent .*\n$/,
    );
    expect(init.stdout.text()).toBe('');
  });

  test.each([
    ...words,
    ['a launch after the launch', launch] as const,
    ['an abort after the start', encodeMessage({ type: 'abort', status: 3 })] as const,
  ])('is replaced by another while the app runs on: %s', async (_what, bytes) => {
    const init = await startLed(options);
    const brain = await init.nextBrain();
    await startApp(init, brain);
    brain.sendBytes(bytes);
    await brain.gone;
    const next = await init.nextBrain();
    expect(next.hello.appPid).toBeDefined();
    expect(await terminate(init)).toBe(143);
  });

  test('and breaks off in the middle of a frame is replaced', async () => {
    const init = await startLed(options);
    const brain = await init.nextBrain();
    await startApp(init, brain);
    brain.sendBytes(headerOf(frameType.memo, 1000));
    brain.sendBytes(Buffer.alloc(500));
    brain.end();
    const next = await init.nextBrain();
    expect(next.hello.memo).toHaveLength(0);
    expect(await terminate(init)).toBe(143);
  });

  test('and breaks off in the middle of its launch ends the preparing', async () => {
    const init = await startLed(options);
    const brain = await init.nextBrain();
    brain.sendBytes(launch.subarray(0, 100));
    brain.end();
    expect(await init.ended).toBe(70);
    expect(init.stderr.text()).toContain('ended');
  });

  test('and sends its launch byte by byte is understood', async () => {
    const init = await startLed(options);
    const brain = await init.nextBrain();
    for (const byte of launch) {
      brain.sendBytes(Buffer.of(byte));
    }

    await init.stdout.waitFor('ready');
    expect(await terminate(init)).toBe(143);
  });

  test('and speaks before it has heard the hello is not believed', async () => {
    const value = 'x'.repeat(100_000);
    const env = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`V${index}`, value]));
    const init = await startLed({ ...options, env });
    const brain = await init.nextDeafBrain();
    brain.socket.write(encodeMessage({ type: 'memo', bytes: Buffer.from('early') }));
    expect(await init.ended).toBe(70);
    expect(init.stderr.text()).toContain('spoke before it listened');
  });

  test('and never stops talking keeps no signal from the app', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'flood-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const node = join(directory, 'node');
    symlinkSync(program('relay-brain'), node);
    const init = await startLed({ ...options, env: { WARP_INIT_NODE: node } });
    const brain = await init.nextBrain();
    brain.send(launchOf(['print-signals', 'app', '15']));
    await init.stdout.waitFor('ready');
    unlinkSync(node);
    symlinkSync(program('flood-brain'), node);
    brain.end();
    await childRunning(await init.initPid(), 'flood-brain');
    const askedAt = performance.now();
    for (const number of [34, 35, 36, 37, 38, 39, 40, 41, 42, SIGTERM]) {
      await init.signal(number);
      await init.stdout.waitFor(`app got ${number}\n`);
    }

    // Measured when pid1 read until nothing was left: 100 ms to 3 s for each.
    expect(performance.now() - askedAt).toBeLessThan(1000);
    expect(await init.ended).toBe(0);
  });

  test('and hears nothing does not keep the app from ending', async () => {
    const init = await startLed(options);
    const first = await init.nextBrain();
    first.send({ type: 'memo', bytes: Buffer.alloc(1 << 21) });
    await startApp(init, first);
    first.end();
    await init.nextDeafBrain();
    expect(await terminate(init)).toBe(143);
  });
});

/** Starts `stay` and returns its pid as init sees it. */
async function startApp(init: LedInit, brain: Brain): Promise<number> {
  brain.send(launchOf(['stay']));
  const spawned = await brain.receive();
  await init.stdout.waitFor('ready');
  if (spawned.type !== 'spawned') {
    throw new Error(`pid1 answered a launch with ${spawned.type}`);
  }

  return spawned.pid;
}

/** Sends TERM; the app ends of it, and init with 143. */
async function terminate(init: LedInit): Promise<number | NodeJS.Signals> {
  await init.signal(SIGTERM);
  return init.ended;
}

function headerOf(type: number, size: number): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(size, 0);
  header.writeUInt32LE(type, 4);
  return header;
}

function frameOf(type: number, payload: Uint8Array): Buffer {
  return Buffer.concat([headerOf(type, payload.length), payload]);
}

/** A good launch with another number at `offset` of its header. */
function launchWith(field: (typeof launchHeader)[number][0], value: number): Buffer {
  const bytes = Buffer.from(launch);
  bytes.writeUInt32LE(value, 8 + offsetOf(field));
  return bytes;
}

/** Within the header of a launch. */
function offsetOf(field: (typeof launchHeader)[number][0]): number {
  const before = launchHeader.slice(
    0,
    launchHeader.findIndex(([name]) => name === field),
  );
  return before.reduce((offset, [, size]) => offset + size, 0);
}

function patched(offset: number, value: number): Buffer {
  const bytes = Buffer.from(launch);
  bytes[8 + offset] = value;
  return bytes;
}

function pause(ms: number): Promise<'nobody'> {
  return new Promise((resolve) => setTimeout(() => resolve('nobody'), ms));
}
