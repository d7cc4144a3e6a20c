// An app that is replaced by another: the orders of a brain, and what pid1 does alone when the brain is gone.
import { expect, test } from 'vitest';

import { describeBinaries, describeRoles, launchOf, program, startLed } from '../helpers/pid1.ts';
import type { Brain } from '../helpers/pid1.ts';
import { childRunning, eventually } from '../helpers/process.ts';

const [SIGINT, SIGUSR1, SIGKILL, SIGTERM] = [2, 10, 9, 15];
const minuteMs = 60_000;

const shell = (script: string, changes = {}) => launchOf(['/bin/sh', '-c', script], changes);

/** Of an app that stays until it is told: with one that ends at once pid1 ends, and the brain may not hear of it. */
async function spawned(brain: Brain): Promise<number> {
  const message = await brain.receive();
  if (message.type !== 'spawned') {
    throw new Error(`pid1 said ${JSON.stringify(message)}`);
  }

  return message.pid;
}

describeBinaries('an app that is to be replaced', (binary, role) => {
  test('gets the signal of the stop, and another is launched once its group is empty', async () => {
    const init = await startLed({ role, binary });
    const brain = await init.nextBrain();
    // The worker outlives its leader by a moment, and ends on TERM.
    const worker = `sh -c 'trap "" USR1; trap "sleep 0.2; echo worker ends; exit" TERM; echo worker; while :; do sleep 0.05; done'`;
    brain.send(shell(`${worker} & trap 'exit 3' USR1; echo app; while :; do sleep 0.05; done`));
    const first = await spawned(brain);
    await init.stdout.waitFor(/app[^]*worker|worker[^]*app/);
    brain.send({ type: 'stop', signal: SIGUSR1, killDelayMs: minuteMs });
    expect(await brain.receive()).toEqual({ type: 'exited', status: 3, waitStatus: 3 << 8 });
    expect(init.stdout.text()).toContain('worker ends');
    brain.send(shell('echo second; read line; exit 5'));
    expect(await spawned(brain)).not.toBe(first);
    init.child.stdin?.end();
    expect(await init.ended).toBe(5);
    expect(init.stdout.text()).toContain('second');
  });

  test('is killed with all of its group when its time is over', async () => {
    const init = await startLed({ role, binary });
    const brain = await init.nextBrain();
    brain.send(
      shell(`(trap '' TERM; echo deaf; sleep 60) & trap '' TERM; echo app; sleep 60; sleep 60`),
    );
    await spawned(brain);
    await init.stdout.waitFor(/app[^]*deaf|deaf[^]*app/);
    brain.send({ type: 'stop', signal: SIGTERM, killDelayMs: 50 });
    expect(await brain.receive()).toEqual({
      type: 'exited',
      status: 128 + SIGKILL,
      waitStatus: SIGKILL,
    });
    brain.send(shell('exit 6'));
    expect(await init.ended).toBe(6);
  });

  test('and fails to start is told as such, and may be launched as before', async () => {
    const init = await startLed({ role, binary });
    const brain = await init.nextBrain();
    brain.send(launchOf(['stay']));
    await spawned(brain);
    brain.send({ type: 'stop', signal: SIGTERM, killDelayMs: minuteMs });
    expect((await brain.receive()).type).toBe('exited');
    brain.send(launchOf(['/nonexistent']));
    expect(await brain.receive()).toMatchObject({ type: 'spawn-failed', stage: 'exec' });
    brain.send(shell('exit 8'));
    expect(await init.ended).toBe(8);
  });
});

describeRoles('a restart', (role) => {
  test('whose new app ends within its trial is told to the brain, which may launch again', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(shell('exit 9', { trialMs: minuteMs }));
    await spawned(brain);
    expect(await brain.receive()).toEqual({ type: 'exited', status: 9, waitStatus: 9 << 8 });
    brain.send(shell('exit 4'));
    expect(await init.ended).toBe(4);
  });

  test('whose new app fails may end init with the status that the brain chooses', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(shell('exit 9', { trialMs: minuteMs }));
    await spawned(brain);
    await brain.receive();
    brain.send({ type: 'abort', status: 9 });
    expect(await init.ended).toBe(9);
  });

  test('is over when the trial is: the end of the app is that of init', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(shell('read line; exit 7', { trialMs: 1 }));
    await spawned(brain);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    init.child.stdin?.end();
    expect(await init.ended).toBe(7);
  });

  test('is cancelled by a TERM from outside while the app stops: init ends with it', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const slow = `trap 'echo usr1' USR1; trap 'echo term' TERM; echo app; until read line; do :; done; exit 11`;
    brain.send(shell(slow, { stopSignals: [SIGTERM] }));
    await spawned(brain);
    await init.stdout.waitFor('app');
    brain.send({ type: 'stop', signal: SIGUSR1, killDelayMs: minuteMs });
    await init.stdout.waitFor('usr1');
    await init.signal(SIGTERM);
    expect(await brain.receive()).toEqual({ type: 'not-replaced' });
    await init.stdout.waitFor('term');
    init.child.stdin?.write('now\n');
    expect(await init.ended).toBe(11);
  });

  test('is refused as long as the app takes its time after a TERM from outside: init ends with it', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const slow = `trap 'echo term' TERM; echo app; until read line; do :; done; exit 11`;
    brain.send(shell(slow, { stopSignals: [SIGTERM] }));
    await spawned(brain);
    await init.stdout.waitFor('app');
    await init.signal(SIGTERM);
    await init.stdout.waitFor('term');
    for (let attempts = 0; attempts < 2; attempts++) {
      brain.send({ type: 'stop', signal: SIGKILL, killDelayMs: 0 });
      expect(await brain.receive()).toEqual({ type: 'not-replaced' });
    }

    init.child.stdin?.write('now\n');
    expect(await init.ended).toBe(11);
  });

  test.each([SIGTERM, SIGINT])('is cancelled by signal %i between the apps', async (number) => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(shell('trap "exit 12" TERM; echo app; while :; do sleep 0.05; done'));
    await spawned(brain);
    await init.stdout.waitFor('app');
    brain.send({ type: 'stop', signal: SIGTERM, killDelayMs: minuteMs });
    await brain.receive();
    await init.signal(number);
    expect(await init.ended).toBe(12);
  });

  test('whose brain is killed between the apps is finished by pid1: the app runs as before', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(shell('trap "exit 12" TERM; echo run; while :; do sleep 0.05; done'));
    await spawned(brain);
    await init.stdout.waitFor('run');
    brain.send({ type: 'stop', signal: SIGTERM, killDelayMs: minuteMs });
    await brain.receive();
    process.kill(await childRunning(await init.initPid(), 'relay-brain'), 'SIGKILL');
    await init.stdout.waitFor(/run[^]*run/);
    const next = await init.nextBrain();
    expect(next.hello.appPid).toBeGreaterThan(0);
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(12);
  });

  test('whose brain is killed while the app stops is finished by pid1, also beside its successor', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const slow =
      'trap "echo stops; read line; exit 12" TERM; echo run; while :; do sleep 0.05; done';
    brain.send(shell(slow));
    await spawned(brain);
    await init.stdout.waitFor('run');
    brain.send({ type: 'stop', signal: SIGTERM, killDelayMs: minuteMs });
    await init.stdout.waitFor('stops');
    process.kill(await childRunning(await init.initPid(), 'relay-brain'), 'SIGKILL');
    const next = await init.nextBrain();
    init.child.stdin?.write('now\n');
    expect(await spawned(next)).not.toBe(next.hello.appPid);
    await init.stdout.waitFor(/run[^]*run/);
    init.child.stdin?.end();
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(12);
  });

  test('whose new app failed its trial when the brain was killed goes back to the app before', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(shell('trap "exit 12" TERM; echo good; while :; do sleep 0.05; done'));
    await spawned(brain);
    await init.stdout.waitFor('good');
    brain.send({ type: 'stop', signal: SIGTERM, killDelayMs: minuteMs });
    await brain.receive();
    brain.send(shell('echo bad; exit 1', { trialMs: minuteMs }));
    await spawned(brain);
    await brain.receive();
    process.kill(await childRunning(await init.initPid(), 'relay-brain'), 'SIGKILL');
    await init.stdout.waitFor(/bad[^]*good/);
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(12);
  });
});

describeRoles('a restart whose brain is killed during the trial', (role) => {
  async function startTrial(script: string) {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(shell('trap "exit 12" TERM; echo good; while :; do sleep 0.05; done'));
    await spawned(brain);
    await init.stdout.waitFor('good');
    brain.send({ type: 'stop', signal: SIGTERM, killDelayMs: minuteMs });
    await brain.receive();
    brain.send(shell(script, { trialMs: minuteMs }));
    await spawned(brain);
    await init.stdout.waitFor('bad');
    process.kill(await childRunning(await init.initPid(), 'relay-brain'), 'SIGKILL');
    return { init, next: await init.nextBrain() };
  }

  test('goes back to the app before where the new one fails, and to a brain that knows that one', async () => {
    const { init, next } = await startTrial('echo bad; read line; exit 1');
    expect(next.lastLaunch.toString()).toContain('echo bad');
    init.child.stdin?.write('now\n');
    await init.stdout.waitFor(/bad[^]*good/);
    await next.gone;
    const { lastLaunch } = await init.nextBrain();
    expect(lastLaunch.toString()).toContain('echo good');
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(12);
  });

  test('leaves the next brain free to restart it', async () => {
    const { init, next } = await startTrial('echo bad; while :; do sleep 0.05; done');
    next.send({ type: 'stop', signal: SIGTERM, killDelayMs: minuteMs });
    expect(await next.receive()).toMatchObject({ type: 'exited' });
    next.send(shell('echo better; read line; exit 7'));
    await spawned(next);
    await init.stdout.waitFor(/bad[^]*better/);
    init.child.stdin?.end();
    expect(await init.ended).toBe(7);
  });
});

describeRoles('an order', (role) => {
  test('to signal goes to the app alone, or to the process that it names', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const script = `${program('print-signals')} other 15 & echo pid $!; exec ${program('print-signals')} app 15`;
    brain.send(shell(script));
    await spawned(brain);
    await Promise.all([init.stdout.waitFor('app ready'), init.stdout.waitFor('other ready')]);
    brain.send({ type: 'signal', number: SIGUSR1 });
    await init.stdout.waitFor('app got 10');
    const [, inside = ''] = await init.stdout.waitFor(/pid (\d+)/);
    brain.send({ type: 'signal', number: 12, pid: Number(inside) });
    await init.stdout.waitFor('other got 12');
    await init.signal(SIGTERM);
    await init.ended;
    expect(init.stdout.text()).not.toMatch(/app got 12|other got 10/);
  });

  test('to signal pid 1, a group or nothing at all does nothing', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(launchOf(['stay']));
    await spawned(brain);
    for (const pid of [1, 0xffff_ffff, 2 ** 31]) {
      brain.send({ type: 'signal', number: SIGKILL, pid });
    }

    brain.send({ type: 'signal', number: 0 });
    brain.send({ type: 'count' });
    expect((await brain.receive()).type).toBe('counters');
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(128 + SIGTERM);
  });

  test('to count is answered with what has happened', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const script = `for i in 1 2 3 4 5; do (sleep 0 &); done; exec ${program('print-signals')} app 15`;
    brain.send(shell(script, { subreaper: true }));
    await spawned(brain);
    await init.stdout.waitFor('app ready');
    await init.signal(SIGUSR1);
    await init.stdout.waitFor('app got 10');
    await eventually(async () => {
      brain.send({ type: 'count' });
      expect(await brain.receive()).toEqual({
        type: 'counters',
        counters: { orphansReaped: 5, brainStarts: 1, appStarts: 1, signalsForwarded: 1 },
      });
    });
  });

  test('for a deadline that passes prints its text and ends init with its status', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const text = new TextEncoder().encode('too late\n');
    brain.send({ type: 'deadline', delayMs: 50, status: 78, text });
    expect(await init.ended).toBe(78);
    expect(init.stderr.text()).toBe('too late\n');
  });

  test('for no deadline takes the one before away, and so does a launch', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const text = new TextEncoder().encode('too late\n');
    brain.send({ type: 'deadline', delayMs: 30, status: 78, text });
    brain.send({ type: 'deadline', delayMs: 0, status: 0, text: new Uint8Array() });
    await new Promise((resolve) => {
      setTimeout(resolve, 60);
    });
    brain.send({ type: 'deadline', delayMs: 30, status: 78, text });
    brain.send(shell('sleep 0.1; exit 4'));
    expect(await init.ended).toBe(4);
    expect(init.stderr.text()).not.toContain('too late');
  });

  test.each([
    ['a stop before there is an app', { type: 'stop', signal: SIGTERM, killDelayMs: 0 }],
    ['a signal before there is an app', { type: 'signal', number: SIGTERM }],
  ] as const)('that is %s ends the preparing', async (_what, message) => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(message);
    expect(await init.ended).toBe(70);
    expect(init.stderr.text()).toContain('out of turn');
  });
});

describeRoles('a launch', (role) => {
  test('sets limits, directory and no-new-privileges, for the app alone', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const script = 'pwd; ulimit -Sn; ulimit -Hn; ulimit -c; grep NoNewPrivs /proc/self/status';
    brain.send(
      shell(script, {
        directory: '/usr',
        noNewPrivileges: true,
        limits: [
          { resource: 7, soft: 100n, hard: 200n },
          { resource: 4, soft: 0n, hard: 0n },
        ],
      }),
    );
    expect(await init.ended).toBe(0);
    expect(init.stdout.text()).toBe('/usr\n100\n200\n0\nNoNewPrivs:\t1\n');
  });

  test.each([
    ['directory', { directory: '/nonexistent' }, 2],
    ['limits', { limits: [{ resource: 7, soft: 2n, hard: 1n }] }, 22],
    ['limits', { limits: [{ resource: 99, soft: 1n, hard: 1n }] }, 22],
  ])('that cannot set the %s says so', async (stage, changes, errno) => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(shell('echo ran', changes));
    expect(await brain.receive()).toEqual({ type: 'spawn-failed', stage, errno });
    brain.send({ type: 'abort', status: 78 });
    expect(await init.ended).toBe(78);
    expect(init.stdout.text()).toBe('');
  });
});
