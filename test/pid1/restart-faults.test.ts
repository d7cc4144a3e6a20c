// What can go wrong in the middle of a restart: a brain that ends, is silent or says too much; a group that does not end.
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { encodeLaunch } from '../../src/link/launch-frame.ts';
import { describeBinaries, describeRoles, isRoot, launchOf, startLed } from '../helpers/pid1.ts';
import type { Brain } from '../helpers/pid1.ts';
import { childRunning, childrenOf, eventually } from '../helpers/process.ts';

const [SIGHUP, SIGQUIT, SIGKILL, SIGTERM, SIGWINCH] = [1, 3, 9, 15, 28];
const minuteMs = 60_000;

const shell = (script: string, changes = {}) => launchOf(['/bin/sh', '-c', script], changes);

/** An app that says its name, and ends by TERM with status 12. */
const named = (name: string, changes = {}) =>
  shell(`trap "exit 12" TERM; echo ${name}; while :; do sleep 0.05; done`, changes);

/** More than a socket takes at once. */
const large = Array.from({ length: 20 }, (_, index) => `FILLER_${index}=${'x'.repeat(100_000)}`);

async function spawned(brain: Brain): Promise<number> {
  const message = await brain.receive();
  if (message.type !== 'spawned') {
    throw new Error(`pid1 said ${JSON.stringify(message)}`);
  }

  return message.pid;
}

async function stopped(brain: Brain): Promise<void> {
  brain.send({ type: 'stop', signal: SIGTERM, killDelayMs: minuteMs });
  expect((await brain.receive()).type).toBe('exited');
}

describeBinaries('a restart that goes back to the app before', (binary, role) => {
  test('tells the next brain of that app, also where it was about to hear of the failed one', async () => {
    const init = await startLed({ role, binary });
    const brain = await init.nextBrain();
    const before = named('before', { environment: [...large, `PATH=${process.env['PATH']}`] });
    brain.send(before);
    await spawned(brain);
    await init.stdout.waitFor('before');
    await stopped(brain);
    const worker = `(trap '' TERM; echo worker; while :; do sleep 0.05; done)`;
    brain.send(
      shell(`${worker} & read line; exit 1`, {
        trialMs: minuteMs,
        environment: [...large.toReversed(), `PATH=${process.env['PATH']}`],
      }),
    );
    await spawned(brain);
    await init.stdout.waitFor('worker');
    process.kill(await childRunning(await init.initPid(), 'relay-brain'), 'SIGKILL');
    const deaf = await init.nextDeafBrain();
    init.child.stdin?.write('now\n');
    await init.stdout.waitFor(/worker[^]*before/);
    deaf.socket.resume();
    await deaf.gone;
    const next = await init.nextBrain();
    expect(next.hello.appPid).toBeGreaterThan(0);
    expect(next.lastLaunch.equals(encodeLaunch(before.launch))).toBe(true);
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(12);
  });

  test('still has its launch where the brain did not live to hear that the new one failed to start', async () => {
    const init = await startLed({ role, binary });
    const brain = await init.nextBrain();
    const before = named('before');
    brain.send(before);
    await spawned(brain);
    await init.stdout.waitFor('before');
    await stopped(brain);
    await init.signal('SIGSTOP');
    brain.send(launchOf(['/nonexistent']));
    brain.end();
    await brain.gone;
    await init.signal('SIGCONT');
    await init.stdout.waitFor(/before[^]*before/);
    const next = await init.nextBrain();
    expect(next.lastLaunch.equals(encodeLaunch(before.launch))).toBe(true);
    await stopped(next);
    next.end();
    await init.stdout.waitFor(/before[^]*before[^]*before/);
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(12);
  });

  test('says why init ends where that app is not there any more, and does not end as it did', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'removed-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const init = await startLed({ role, binary });
    const brain = await init.nextBrain();
    symlinkSync('/bin/sh', join(directory, 'app'));
    const script = 'trap "exit 0" TERM; echo app; while :; do sleep 0.05; done';
    brain.send(launchOf([join(directory, 'app'), '-c', script]));
    await spawned(brain);
    await init.stdout.waitFor('app');
    await stopped(brain);
    rmSync(directory, { recursive: true });
    brain.end();
    expect(await init.ended).toBe(127);
    expect(init.stderr.text()).toContain(`Cannot run ${directory}/app: No such file or directory`);
  });

  test('goes back past all that did not live through their trial', async () => {
    const init = await startLed({ role, binary });
    const brain = await init.nextBrain();
    brain.send(named('before'));
    await spawned(brain);
    await init.stdout.waitFor('before');
    await stopped(brain);
    brain.send(shell('echo second; exit 1', { trialMs: minuteMs }));
    await spawned(brain);
    expect((await brain.receive()).type).toBe('exited');
    brain.send(shell('echo third; read line; exit 1', { trialMs: minuteMs }));
    await spawned(brain);
    await init.stdout.waitFor('third');
    brain.end();
    await brain.gone;
    init.child.stdin?.end();
    await init.stdout.waitFor(/third\n(before|second)/);
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(12);
    expect(init.stdout.text()).toBe('before\nsecond\nthird\nbefore\n');
  });

  test('does so no more once the trial of the new one is over', async () => {
    const init = await startLed({ role, binary });
    const brain = await init.nextBrain();
    brain.send(named('before'));
    await spawned(brain);
    await init.stdout.waitFor('before');
    await stopped(brain);
    brain.send(
      shell('trap "exit 13" TERM; sleep 0.05; echo after; while :; do sleep 0.05; done', {
        trialMs: 1,
      }),
    );
    await spawned(brain);
    await init.stdout.waitFor('after');
    await stopped(brain);
    brain.end();
    await init.stdout.waitFor(/after[^]*after/);
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(13);
    expect(init.stdout.text()).not.toMatch(/before[^]*before/);
  });
});

describe('with sanitizers, and a shorter deadline: a brain', () => {
  test('that does not say what is launched next is not waited for: the app is launched as before', async () => {
    const init = await startLed({ binary: 'sanitizers' });
    const brain = await init.nextBrain();
    brain.send(named('app'));
    await spawned(brain);
    await init.stdout.waitFor('app');
    await stopped(brain);
    await init.stdout.waitFor(/app[^]*app/);
    await brain.gone;
    await init.stderr.waitFor('does not say what is launched next');
    expect((await init.nextBrain()).hello.appPid).toBeGreaterThan(0);
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(12);
  });
});

/** In the app's group, and the child of a process that has left it and does not wait. That one ends with our stdin. */
const unremovable = `
import os, sys, time
if os.fork() == 0:
    if os.fork() == 0:
        time.sleep(600)
    os.setsid()
    print("apart", flush=True)
    sys.stdin.read()
    os._exit(0)
time.sleep(600)
`;

describeRoles('a group with a member that nobody can remove', (role) => {
  test('does not keep the next app from being launched', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(launchOf(['/usr/bin/python3', '-c', unremovable]));
    await spawned(brain);
    await init.stdout.waitFor('apart');
    brain.send({ type: 'stop', signal: SIGTERM, killDelayMs: 50 });
    expect((await brain.receive()).type).toBe('exited');
    brain.send(shell('exit 6'));
    expect(await init.ended).toBe(6);
  });
});

describeBinaries('a brain that is done', (binary, role) => {
  test('leaves the end of the app to be that of init, also within a trial', async () => {
    const init = await startLed({ role, binary });
    const brain = await init.nextBrain();
    brain.send(shell('echo app; read line; exit 42', { trialMs: minuteMs }));
    await spawned(brain);
    brain.send({ type: 'done' });
    brain.end();
    await brain.gone;
    // pid1 reads what a brain that has ended has said before: without an answer that is how we know that it was read.
    const pid1 = await init.initPid();
    await eventually(() => expect(childrenOf(pid1)).toHaveLength(1));
    init.child.stdin?.end();
    expect(await init.ended).toBe(42);
    expect(init.stdout.text()).toBe('app\n');
  });

  test('has no more orders: they end it, and the app is not touched', async () => {
    const init = await startLed({ role, binary });
    const brain = await init.nextBrain();
    brain.send(shell('read line; exit 43'));
    await spawned(brain);
    brain.send({ type: 'done' });
    brain.send({ type: 'stop', signal: SIGKILL, killDelayMs: minuteMs });
    await brain.gone;
    init.child.stdin?.end();
    expect(await init.ended).toBe(43);
  });

  test('cannot be so while an app is replaced: another one goes on', async () => {
    const init = await startLed({ role, binary });
    const brain = await init.nextBrain();
    brain.send(
      shell('trap "echo stops; read line; exit 12" TERM; echo app; while :; do sleep 0.05; done'),
    );
    await spawned(brain);
    await init.stdout.waitFor('app');
    brain.send({ type: 'stop', signal: SIGTERM, killDelayMs: minuteMs });
    await init.stdout.waitFor('stops');
    brain.send({ type: 'done' });
    await brain.gone;
    init.child.stdin?.write('now\n');
    await init.stdout.waitFor(/app[^]*app/);
    init.child.stdin?.end();
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(12);
  });
});

describeRoles('between two apps', (role) => {
  // nginx's image has QUIT for it, httpd's WINCH.
  test.each([SIGQUIT, SIGWINCH])(
    'signal %i ends init where it is the stop signal',
    async (number) => {
      const init = await startLed({ role });
      const brain = await init.nextBrain();
      brain.send(named('app', { stopSignals: [SIGTERM, number] }));
      await spawned(brain);
      await init.stdout.waitFor('app');
      await stopped(brain);
      await init.signal(number);
      expect(await init.ended).toBe(12);
    },
  );

  test.each([SIGHUP, SIGQUIT, SIGWINCH])(
    'signal %i, which would mean one of them, is dropped',
    async (number) => {
      const init = await startLed({ role });
      const brain = await init.nextBrain();
      brain.send(named('app'));
      await spawned(brain);
      await init.stdout.waitFor('app');
      await stopped(brain);
      await init.signal(number);
      await init.stderr.waitFor(`Signal ${number} came while the app was not running`);
      brain.send(shell('exit 13'));
      expect(await init.ended).toBe(13);
    },
  );
});

describe.skipIf(!isRoot)('an app of another user, without CAP_KILL (needs root)', () => {
  test('is not replaced, for it cannot be told to stop: its own end is that of init', async () => {
    const init = await startLed({ through: ['setpriv', '--bounding-set=-kill'] });
    const brain = await init.nextBrain();
    brain.send(shell('read line; exit 42', { uid: 1234 }));
    await spawned(brain);
    brain.send({ type: 'stop', signal: SIGTERM, killDelayMs: 0 });
    expect(await brain.receive()).toEqual({ type: 'not-replaced' });
    await init.stderr.waitFor('Cannot forward signal 15 to the app: Operation not permitted.');
    init.child.stdin?.end();
    expect(await init.ended).toBe(42);
  });
});

describeRoles('a directory that was removed while the app runs', (role) => {
  test('keeps neither the next brain nor the next app from being started', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'removed-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const init = await startLed({ role, cwd: directory });
    const brain = await init.nextBrain();
    brain.send(shell('trap "exit 12" TERM; pwd; echo app; while :; do sleep 0.05; done'));
    await spawned(brain);
    await init.stdout.waitFor(`${directory}\napp`);
    rmSync(directory, { recursive: true });
    brain.end();
    const next = await init.nextBrain();
    await stopped(next);
    next.send(shell('trap "exit 13" TERM; pwd; echo again; while :; do sleep 0.05; done'));
    await spawned(next);
    await init.stdout.waitFor('\n/\nagain');
    expect(init.stderr.text()).toContain(`Cannot return to the directory ${directory}`);
    await stopped(next);
    next.end();
    await init.stdout.waitFor(/again[^]*\n\/\nagain/);
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(13);
  });
});
