// What every build of pid1 does, whichever the C library and the architecture.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { isRoot, launchOf, noPid1Because, program, startInit, startLed } from '../helpers/pid1.ts';
import type { Binary } from '../helpers/pid1.ts';
import {
  childrenOf,
  descriptorsOf,
  eventually,
  startProcess,
  statusField,
} from '../helpers/process.ts';

const [SIGUSR1, SIGUSR2, SIGTERM] = [10, 12, 15];

export function describeBasics(binary: Binary): void {
  // qemu knows no subreaper, which pid1 asks for as a child only.
  const role = noPid1Because === undefined ? 'PID 1' : 'a child';

  test.each([
    ['exit 0', 0],
    ['exit 42', 42],
    ['exit 255', 255],
    ['kill -TERM $$', 143],
    ['kill -KILL $$', 137],
    ['kill -SEGV $$', 139],
  ])('the container ends as the app does: %s gives %i', async (script, status) => {
    const init = startInit(['--plain', '--', 'sh', '-c', script], { binary, role });

    expect(await init.ended).toBe(status);
  });

  test.each([
    ['no-such-program', 127],
    ['/etc', 126],
    ['/etc/passwd', 126],
  ])('%s does not run: status %i, and a message that names it', async (file, status) => {
    const init = startInit(['--plain', '--', file], { binary, role });

    expect(await init.ended).toBe(status);
    expect(init.stderr.text()).toContain(`warp-init: Cannot run ${file}: `);
  });

  test('signals reach the app, each once and as it was sent', async () => {
    const numbers = [1, 2, 3, 10, 12, 15, 28, 35, 40, 63, 64];
    const init = startInit(['--plain', program('print-signals'), 'app', '64'], { binary, role });
    await init.stdout.waitFor('app ready');
    for (const number of numbers) {
      await init.signal(number);
      await init.stdout.waitFor(`app got ${number}\n`);
    }

    expect(await init.ended).toBe(0);
    const got = [...init.stdout.text().matchAll(/got (\d+)/g)].map(([, number]) => Number(number));
    expect(got).toEqual(numbers);
  });

  test('orphans are reaped, and do not change the app’s status', async () => {
    const init = startInit(['--plain', program('make-orphans'), '100', '42'], { binary, role });
    await init.stdout.waitFor('ready');
    init.child.stdin?.write('e');
    const pid = await init.initPid();
    await eventually(() => expect(childrenOf(pid)).toHaveLength(1));
    init.child.stdin?.end();

    expect(await init.ended).toBe(42);
  });

  test('the app gets the descriptors and the environment that init got, nothing of init’s', async () => {
    const env = { WARP_INIT_X: 'y', NODE_OPTIONS: '--bad', WARP_INITIAL: 'kept' };
    const direct = startProcess(program('stay'), []);
    await direct.stdout.waitFor('ready');
    const init = startInit(['--plain', program('stay')], { binary, role, env });
    await init.stdout.waitFor('ready');
    const [app = 0] = childrenOf(await init.initPid());

    expect([...descriptorsOf(app).keys()]).toEqual([...descriptorsOf(direct.pid).keys()]);
    expect(readFileSync(`/proc/${app}/environ`, 'utf8').split('\0').toSorted()).toEqual(
      [
        '',
        'NODE_OPTIONS=--bad',
        `PATH=${process.env['PATH'] ?? ''}`,
        'WARP_INITIAL=kept',
      ].toSorted(),
    );
    expect(statusField(app, 'SigBlk')).toBe('0000000000000000');
  });

  describe('its frames are those of the brain', () => {
    test('the hello says who pid1 is', async () => {
      const init = await startLed({ binary, role, env: { A: 'b' } });
      const { hello } = await init.nextBrain();

      expect(hello).toMatchObject({ isPid1: role === 'PID 1', appPid: undefined });
      expect(hello.argv.slice(1)).toEqual(['run', '--', 'app']);
      expect(hello.environment).toContain('A=b');
    });

    test('each field of a launch arrives: maps, signals, kill delay', async () => {
      const init = await startLed({ binary, role });
      const brain = await init.nextBrain();
      const maps = {
        signalMap: new Map([
          [SIGUSR1, SIGUSR2],
          [SIGUSR2, 0],
        ]),
        statusMap: new Map([[137, 3]]),
        stopSignals: [SIGTERM],
        killDelayMs: 300,
      };
      brain.send(launchOf(['print-signals', 'app'], maps));
      await init.stdout.waitFor('app ready');
      await init.signal(SIGUSR2);
      await init.signal(SIGUSR1);
      await init.stdout.waitFor('app got 12');
      await init.signal(SIGTERM);

      expect(await init.ended).toBe(3);
      expect(init.stdout.text()).toBe('app ready\napp got 12\napp got 15\n');
    });

    test.skipIf(!isRoot)('each field of a launch arrives: user, group, groups', async () => {
      const init = await startLed({ binary, role });
      const brain = await init.nextBrain();
      brain.send(launchOf(['/usr/bin/id'], { uid: 1234, gid: 2345, groups: [2345, 7] }));

      expect(await init.ended).toBe(0);
      expect(init.stdout.text()).toMatch(/^uid=1234 gid=2345 groups=2345,7\(\w+\)\n$/);
    });

    test('a brain that ends is followed by one that gets memo and last launch', async () => {
      const init = await startLed({ binary, role });
      const first = await init.nextBrain();
      first.send({ type: 'memo', bytes: Buffer.from('what the first knew') });
      first.send(launchOf(['print-signals', 'app', '15']));
      await init.stdout.waitFor('app ready');
      first.end();
      const second = await init.nextBrain();

      expect(second.hello.memo.toString()).toBe('what the first knew');
      expect(second.lastLaunch.toString('latin1')).toContain('print-signals\0app\0');
      expect(second.hello.appPid).toBeGreaterThan(0);
      await init.signal(SIGTERM);
      expect(await init.ended).toBe(0);
    });
  });
}
