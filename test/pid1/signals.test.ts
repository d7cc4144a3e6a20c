// Signals on their way through init to the app: each as it was sent, none lost, none too many.
import { describe, expect, test } from 'vitest';

import {
  describeRoles,
  endWithTest,
  launchOf,
  noPid1Because,
  program,
  startInit,
  startLed,
  terminateAtEveryMillisecond,
} from '../helpers/pid1.ts';
import type { Init } from '../helpers/pid1.ts';
import {
  childRunning,
  eventually,
  programOf,
  signalsIn,
  startProcess,
  statusField,
} from '../helpers/process.ts';

const [SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGUSR1, SIGTERM, SIGCHLD, SIGSTOP, SIGWINCH] = [
  1, 2, 3, 9, 10, 15, 17, 19, 28,
];
/** TSTP, TTIN, TTOU: of a session without a terminal they stop the app; see test/pid1/job-control.test.ts. */
const jobControl = [20, 21, 22];
const forwarded = Array.from({ length: 64 }, (_, index) => index + 1).filter(
  (number) => ![SIGKILL, SIGSTOP, SIGCHLD, ...jobControl].includes(number),
);

describeRoles('signals', (role) => {
  test('1 to 64 but KILL, STOP, CHLD and those of job control reach the app, each once and as it was sent', async () => {
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
    const script = `${program('print-signals')} other 15 & echo pid $!; exec ${program('print-signals')} app 15`;
    brain.send(launchOf(['/bin/sh', '-c', script], { singleChild: true }));
    if (role === 'a child') {
      await endWithTest(init); // PID 1 takes it along.
    }

    await Promise.all([init.stdout.waitFor('app ready'), init.stdout.waitFor('other ready')]);
    await init.signal(SIGUSR1);
    await init.stdout.waitFor('app got 10');
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(0);
    expect(numbersGot(init, 'app')).toEqual([SIGUSR1, SIGTERM]);
    expect(numbersGot(init, 'other')).toEqual([]);
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

  test('may change places: what is sent for one is not rewritten again', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const signalMap = new Map([
      [SIGTERM, SIGQUIT],
      [SIGQUIT, SIGTERM],
    ]);
    brain.send(launchOf(['print-signals', 'app', '40'], { signalMap }));
    await init.stdout.waitFor('app ready');
    await init.signal(SIGTERM);
    await init.stdout.waitFor('app got 3\n');
    await init.signal(SIGQUIT);
    await init.stdout.waitFor('app got 15\n');
    await init.signal(40);
    expect(await init.ended).toBe(0);
    expect(numbersGot(init, 'app')).toEqual([SIGQUIT, SIGTERM, 40]);
  });

  test('reach the app in the order in which they were sent', async () => {
    const init = startInit(['--plain', program('print-signals'), 'app'], { role });
    await init.stdout.waitFor('app ready');
    // The kernel hands out what waits at once by number, so that the order counts only for signals apart.
    const order = forwarded.toSorted((a, b) => ((a * 37) % 65) - ((b * 37) % 65));
    for (const number of order) {
      await init.signal(number);
      await init.stdout.waitFor(`app got ${number}\n`);
    }

    expect(numbersGot(init, 'app')).toEqual(order);
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

describeRoles('signals in the same instant as the end of the app', (role) => {
  test('that wait while it is a zombie do not change its status', async () => {
    const init = startInit(['--plain', program('make-orphans'), '0', '7'], { role });
    await init.stdout.waitFor('ready');
    const pid = await init.initPid();
    const app = await childRunning(pid, 'make-orphans');
    await init.signal('SIGSTOP');
    await eventually(() => expect(statusField(pid, 'State')).toMatch(/^T/));
    init.child.stdin?.end();
    await eventually(() => expect(statusField(app, 'State')).toMatch(/^Z/));
    for (const number of [SIGHUP, SIGINT, SIGUSR1, SIGTERM, 40]) {
      await init.signal(number);
    }

    await init.signal('SIGCONT');
    expect(await init.ended).toBe(7);
  });

  test('end it or come too late: its status is its own, or that of the signal', async () => {
    const ends: (number | NodeJS.Signals)[] = [];
    for (let round = 0; round < 15; round += 1) {
      ends.push(...(await Promise.all(Array.from({ length: 8 }, endInTheInstantOf))));
    }

    expect(ends.filter((end) => end !== 7 && end !== 128 + SIGTERM)).toEqual([]);
  });

  async function endInTheInstantOf(): Promise<number | NodeJS.Signals> {
    const init = startInit(['--plain', '--', 'sh', '-c', 'echo ready; read -r line; exit 7'], {
      role,
    });
    await init.stdout.waitFor('ready');
    init.child.stdin?.end();
    await init.signal(SIGTERM).catch(() => {}); // ESRCH: it was faster.
    return init.ended;
  }
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

  test('TERM ends a start whose exec never comes to an end', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const tracer = startProcess(program('hold-forks'), [String(await init.initPid())]);
    await tracer.stdout.waitFor('ready');
    brain.send(launchOf(['stay']));
    const [, child] = await tracer.stdout.waitFor(/held (\d+)/);
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(143);
    expect(await tracer.ended).toBe(0);
    await eventually(() => expect(programOf(Number(child))).toBe(''));
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

test('a flood of signals does not keep init from ending as the app does', async () => {
  const number = 34; // A real-time one: a queue of thousands.
  const script = `trap '' ${number}; echo ready; read line; exit 42`;
  const init = startInit(['--plain', '/bin/sh', '-c', script]);
  await init.stdout.waitFor('ready');
  for (let floods = 0; floods < 4; floods++) {
    startProcess(program('flood-signals'), [String(init.pid), String(number)]);
  }

  await eventually(() => expect(signalsIn(init.pid, 'ShdPnd')).toContain(number));
  init.child.stdin?.end();
  expect(await init.ended).toBe(42);
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
