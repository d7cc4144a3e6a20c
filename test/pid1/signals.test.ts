// Signals on their way through init to the app: each as it was sent, none lost, none too many.
import { describe, expect, test } from 'vitest';

import {
  describeRoles,
  launchOf,
  noPid1Because,
  program,
  startInit,
  startLed,
  terminateAtEveryMillisecond,
} from '../helpers/pid1.ts';
import type { Init } from '../helpers/pid1.ts';
import { childRunning, eventually, signalsIn } from '../helpers/process.ts';

const [SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGUSR1, SIGTERM, SIGCHLD, SIGSTOP, SIGWINCH] = [
  1, 2, 3, 9, 10, 15, 17, 19, 28,
];
const forwarded = Array.from({ length: 64 }, (_, index) => index + 1).filter(
  (number) => ![SIGKILL, SIGSTOP, SIGCHLD].includes(number),
);

describeRoles('signals', (role) => {
  test('1 to 64 but KILL, STOP and CHLD reach the app, each once and as it was sent', async () => {
    const init = startInit(['--plain', program('print-signals'), 'app'], { role });
    await init.stdout.waitFor('app ready');
    for (const number of forwarded) {
      await init.signal(number);
      await init.stdout.waitFor(`app got ${number}\n`);
    }

    expect(numbersGot(init, 'app')).toEqual(forwarded);
  });

  test('reach every process of the app’s group', async () => {
    const script = `${program('print-signals')} other 40 & exec ${program('print-signals')} app 40`;
    const init = startInit(['--plain', '--', 'sh', '-c', script], { role });
    await Promise.all([init.stdout.waitFor('app ready'), init.stdout.waitFor('other ready')]);
    await init.signal(SIGUSR1);
    await Promise.all([init.stdout.waitFor('app got 10'), init.stdout.waitFor('other got 10')]);
    await init.signal(SIGTERM);
    await Promise.all([init.stdout.waitFor('app got 15'), init.stdout.waitFor('other got 15')]);
    expect([numbersGot(init, 'app'), numbersGot(init, 'other')]).toEqual([
      [SIGUSR1, SIGTERM],
      [SIGUSR1, SIGTERM],
    ]);
    await init.signal(40); // The last one for both.
    expect(await init.ended).toBe(0);
  });

  test('reach the app alone if the launch says so', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const script = `${program('print-signals')} other 15 & exec ${program('print-signals')} app 15`;
    brain.send(launchOf(['/bin/sh', '-c', script], { singleChild: true }));
    await Promise.all([init.stdout.waitFor('app ready'), init.stdout.waitFor('other ready')]);
    await init.signal(SIGUSR1);
    await init.stdout.waitFor('app got 10');
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(0);
    expect(numbersGot(init, 'app')).toEqual([SIGUSR1, SIGTERM]);
    // What is left of the group hears of the app's end by TERM, where nobody else ends it.
    expect(numbersGot(init, 'other')).not.toContain(SIGUSR1);
  });

  test('are sent as the launch’s map says, or dropped', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const signalMap = new Map([
      [SIGTERM, SIGQUIT],
      [SIGUSR1, 0],
    ]);
    brain.send(launchOf(['print-signals', 'app', '40'], { signalMap }));
    await init.stdout.waitFor('app ready');
    await init.signal(SIGUSR1);
    await init.signal(SIGTERM);
    await init.stdout.waitFor('app got 3');
    await init.signal(40);
    expect(await init.ended).toBe(0);
    expect(numbersGot(init, 'app')).toEqual([SIGQUIT, 40]);
  });

  test('a burst of a real-time signal is not shortened', async () => {
    const init = startInit(['--plain', program('print-signals'), 'app', '15'], { role });
    await init.stdout.waitFor('app ready');
    for (let count = 0; count < 50; count += 1) {
      await init.signal(34);
    }

    await eventually(() => expect(numbersGot(init, 'app')).toHaveLength(50));
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(0);
  });
});

describeRoles('while preparing', (role) => {
  test.each([SIGTERM, SIGINT, SIGQUIT, SIGHUP])(
    'signal %i ends init with 128+n, and the brain with it; no app starts',
    async (number) => {
      const init = await startLed({ role });
      const brain = await init.nextBrain();
      await init.signal(number);
      expect(await init.ended).toBe(128 + number);
      await brain.gone;
      expect(init.stdout.text()).toBe('');
    },
  );

  test('other signals are dropped: an app that has no handlers yet would end of them', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    for (const number of [SIGUSR1, SIGWINCH, 12, 13, 14, 18, 40]) {
      await init.signal(number);
    }

    // Not one of them is pending any more when the launch arrives: init has read its signals.
    const pid = await init.initPid();
    await eventually(() => expect(signalsIn(pid, 'ShdPnd')).toEqual([]));
    brain.send(launchOf(['print-signals', 'app', '15']));
    await init.stdout.waitFor('app ready');
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(0);
    expect(numbersGot(init, 'app')).toEqual([SIGTERM]);
  });

  test('a signal that init was started to ignore does not end it, as with nohup', async () => {
    const init = await startLed({ role, through: ['env', '--ignore-signal=HUP'] });
    const brain = await init.nextBrain();
    await init.signal(SIGHUP);
    const pid = await init.initPid();
    await eventually(() => expect(signalsIn(pid, 'ShdPnd')).toEqual([]));
    brain.send(launchOf(['print-signals', 'app', '15']));
    await init.stdout.waitFor('app ready');
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(0);
  });
});

describeRoles(
  'the app gets the mask and the ignored signals that init was started with',
  (role) => {
    test('none, if there were none', async () => {
      const init = startInit(['--plain', program('stay')], { role });
      expect(await masksOf(init)).toEqual({ blocked: [], ignored: [], caught: [] });
    });

    test('ignored ones stay ignored, SIGCHLD as well', async () => {
      const init = startInit(['--plain', program('stay')], {
        role,
        // unshare could not wait for us with SIGCHLD ignored, so that one is for a child only.
        through: [
          'env',
          '--ignore-signal=HUP,USR1',
          ...(role === 'PID 1' ? [] : ['--ignore-signal=CHLD']),
        ],
      });
      expect((await masksOf(init)).ignored).toEqual(
        role === 'PID 1' ? [SIGHUP, SIGUSR1] : [SIGHUP, SIGUSR1, SIGCHLD],
      );
      await init.signal(SIGTERM);
      expect(await init.ended).toBe(143);
    });

    test('blocked ones stay blocked', async () => {
      const init = startInit(['--plain', program('stay')], {
        role,
        through: ['env', '--block-signal=USR1', '--block-signal=RTMAX'],
      });
      expect((await masksOf(init)).blocked).toEqual([SIGUSR1, 64]);
    });

    test('also behind a brain', async () => {
      const init = await startLed({
        role,
        through: ['env', '--block-signal=USR1', '--ignore-signal=WINCH'],
      });
      const brain = await init.nextBrain();
      brain.send(launchOf(['stay']));
      expect(await masksOf(init)).toEqual({ blocked: [SIGUSR1], ignored: [SIGWINCH], caught: [] });
    });
  },
);

describe('TERM at every millisecond of the first 100', () => {
  test('to a child in plain mode ends it with 143', async () => {
    const ends = await terminateAtEveryMillisecond(() => startInit(['--plain', program('stay')]));
    // Before its first instruction it is the kernel that ends it: a shell shows 143 for both.
    expect(ends.filter(({ status }) => status !== 143 && status !== 'SIGTERM')).toEqual([]);
  });

  test.skipIf(noPid1Because !== undefined)('to PID 1 in plain mode ends it with 143', async () => {
    const ends = await terminateAtEveryMillisecond(() =>
      startInit(['--plain', program('stay')], { role: 'PID 1' }),
    );
    expect(ends.filter(({ status }) => status !== 143)).toEqual([]);
  });

  test.skipIf(noPid1Because !== undefined)(
    'to PID 1 with a brain ends it with 143, whether the app runs by then or not',
    async () => {
      const ends = await terminateAtEveryMillisecond(async () => {
        const init = await startLed({ role: 'PID 1' });
        init.nextBrain().then(
          (brain) => brain.send(launchOf(['stay'])),
          () => {}, // It was ended before it had a brain.
        );
        return init;
      });
      expect(ends.filter(({ status }) => status !== 143)).toEqual([]);
    },
  );
});

function numbersGot(init: Init, name: string): number[] {
  return [...init.stdout.text().matchAll(new RegExp(`^${name} got (\\d+)$`, 'gm'))].map(([, n]) =>
    Number(n),
  );
}

async function masksOf(init: Init) {
  await init.stdout.waitFor('ready');
  const pid = await childRunning(await init.initPid(), 'stay');
  return {
    blocked: signalsIn(pid, 'SigBlk'),
    ignored: signalsIn(pid, 'SigIgn'),
    caught: signalsIn(pid, 'SigCgt'),
  };
}
