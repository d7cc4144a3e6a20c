// Signals to the whole program: while it prepares they end it, then they are the app's.
import { expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import type { Emulator } from '../../src/emulator/server.ts';
import { describeContainer, startContainer, startPlatform } from '../helpers/container.ts';
import type { Container } from '../helpers/container.ts';
import { program, terminateAtEveryMillisecond } from '../helpers/pid1.ts';
import { eventually } from '../helpers/process.ts';

const shop: PlatformFile = { self: 'web', services: { web: '10.0.0.10', 'my-db': '10.0.0.20' } };
/** Says `ready` when it is ready for every signal, and ends with 0 after a TERM. */
const patient = ['--', program('print-signals'), 'app', '15'];

describeContainer('TERM', () => {
  const allOfIt = { status: 0, stdout: 'app ready\napp got 15\n' };
  // Preparing was ended, or the app in the moment before it was ready.
  const nothing = { status: 143, stdout: '' };

  test(
    'at every millisecond of the first 100 ends the start, or reaches the app',
    { timeout: 60_000 },
    async () => {
      const emulator = await startPlatform(shop);
      const ends = await terminateAtEveryMillisecond(() =>
        startContainer({ emulator, args: patient }),
      );
      expect(ends).toHaveLength(100);
      for (const { delayMs: _, ...end } of ends) {
        expect([allOfIt, nothing]).toContainEqual(end);
      }
    },
  );

  test('in the milliseconds in which the app is started, too', { timeout: 60_000 }, async () => {
    for (let round = 0; round < 4; round += 1) {
      const ends = await Promise.all(
        [0, 4, 8, 12, 16, 20, 24, 28].map((delayMs) => terminateNearLaunch(delayMs + round)),
      );
      for (const end of ends) {
        expect([allOfIt, nothing]).toContainEqual(end);
      }
    }
  });
});

describeContainer('while the config is read', () => {
  const config = `module.exports = () => { console.error('preparing'); return new Promise(() => {}); };`;

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGQUIT', 131],
    ['SIGHUP', 129],
  ] as const)('%s ends init with %i; the app does not start', async (signal, status) => {
    const container = startContainer({
      emulator: await startPlatform(shop),
      config,
      args: patient,
    });
    await container.stderr.waitFor('preparing');
    await container.signal(signal);
    expect(await container.ended).toBe(status);
    expect(container.stdout.text()).toBe('');
  });

  test('others are dropped: the app, which has no handlers yet, would die of them', async () => {
    const emulator = await startPlatform(shop);
    const container = startContainer({ emulator, config, args: patient });
    await container.stderr.waitFor('preparing');
    await container.signal('SIGUSR1');
    await container.signal('SIGUSR2');
    await container.signal('SIGWINCH');
    await container.signal('SIGTERM');
    expect(await container.ended).toBe(143);
  });
});

describeContainer('a running app gets', () => {
  test('every signal, once, and init ends with its status', async () => {
    const container = await startReady([]);
    const signals = [
      ['SIGHUP', 1],
      ['SIGUSR1', 10],
      ['SIGWINCH', 28],
      ['SIGINT', 2],
    ] as const;
    for (const [signal, number] of signals) {
      await container.signal(signal);
      await container.stdout.waitFor(`got ${number}\n`);
    }

    await container.signal('SIGTERM');
    expect(await container.ended).toBe(0);
    expect(container.stdout.text().replaceAll('\n', ' ')).toBe(
      'app ready app got 1 app got 10 app got 28 app got 2 app got 15 ',
    );
  });

  test('its own stop signal for TERM, and others as they are rewritten', async () => {
    const options = ['--stop-signal', 'SIGQUIT', '--rewrite', 'HUP:USR2', '--rewrite', 'USR1:0'];
    const container = await startReady(options, '3');
    await container.signal('SIGUSR1');
    await container.signal('SIGHUP');
    await container.stdout.waitFor('got 12');
    await container.signal('SIGTERM');
    expect(await container.ended).toBe(0);
    expect(container.stdout.text()).toBe('app ready\napp got 12\napp got 3\n');
  });

  test('KILL after the kill delay, if it does not end by the stop signal', async () => {
    const container = await startReady(['--kill-delay', '80ms'], '64');
    const startMs = performance.now();
    await container.signal('SIGTERM');
    expect(await container.ended).toBe(137);
    expect(performance.now() - startMs).toBeGreaterThan(78);
  });

  test('what the config says where the command line says nothing', async () => {
    const container = startContainer({
      emulator: await startPlatform(shop),
      config: 'module.exports = { init: { stopSignal: "INT", exitStatus: "0:21" } };',
      args: ['--', program('print-signals'), 'app', '2'],
    });
    await container.stdout.waitFor('ready');
    await container.signal('SIGTERM');
    expect(await container.ended).toBe(21);
  });
});

async function startReady(options: readonly string[], last = '15'): Promise<Container> {
  const container = startContainer({
    emulator: await startPlatform(shop),
    args: [...options, '--', program('print-signals'), 'app', last],
  });
  await container.stdout.waitFor('ready');
  return container;
}

async function terminateNearLaunch(delayMs: number) {
  const emulator: Emulator = await startPlatform(shop);
  const container = startContainer({ emulator, args: patient });
  await eventually(() => expect(emulator.requests.length).toBe(6));
  await new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
  await container.signal('SIGTERM');
  return { status: await container.ended, stdout: container.stdout.text() };
}
