// Suspending and continuing, as a shell does it with a job and as an operator does it with a container.
import { describe, expect, test } from 'vitest';

import { describeRoles, program, startInit } from '../helpers/pid1.ts';
import { childrenOf, eventually, statusField } from '../helpers/process.ts';
import { becomes, hasReadSignals, numbersGot, quiet, startApp, ways } from './rig.ts';

const [SIGHUP, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU] = [1, 18, 20, 21, 22];

describeRoles('job control', (role) => {
  describe.each(ways)('%s', (_way, options) => {
    test.each([SIGTSTP, SIGTTIN, SIGTTOU])(
      'signal %i stops the app, which has no handler; CONT continues it',
      async (number) => {
        const init = await startApp(options, { role, app: 'stay' });
        await init.signal(number);
        await becomes(init.appPid, 'stopped');
        await init.signal('SIGCONT');
        await becomes(init.appPid, 'running');
        await init.signal('SIGTERM');
        expect(await init.ended).toBe(143);
      },
    );

    test('it stops every process of the app’s group', async () => {
      const script = `${program('stay')} & exec ${program('stay')}`;
      const init = startInit([...options, '--', 'sh', '-c', script], { role });
      await init.stdout.waitFor(/ready\n[^]*ready/);
      const pid = await init.initPid();
      const group = await eventually(() => {
        const [app] = childrenOf(pid).filter((child) => childrenOf(child).length === 1);
        expect(app).toBeDefined();
        return [app ?? 0, ...childrenOf(app ?? 0)];
      });
      await init.signal(SIGTSTP);
      await Promise.all(group.map((member) => becomes(member, 'stopped')));
      await init.signal('SIGCONT');
      await Promise.all(group.map((member) => becomes(member, 'running')));
    });

    test('the app hears CONT, and what was sent while it was stopped', async () => {
      const init = await startApp(options, { role });
      await init.signal(SIGTSTP);
      await becomes(init.appPid, 'stopped');
      await init.signal('SIGHUP');
      await init.signal('SIGCONT');
      await init.stdout.waitFor('got 18');
      await eventually(() =>
        expect(numbersGot(init).toSorted((a, b) => a - b)).toEqual([SIGHUP, SIGCONT]),
      );
    });
  });

  test('a rewrite replaces the stop, also by the signal itself', async () => {
    const rewrites = ['--rewrite', 'TSTP:TSTP', '--rewrite', 'TTIN:HUP'];
    const init = await startApp([...quiet, ...rewrites], { role });
    for (const [number, got] of [
      [SIGTSTP, SIGTSTP],
      [SIGTTIN, SIGHUP],
    ] as const) {
      await init.signal(number);
      await init.stdout.waitFor(`got ${got}\n`);
      await init.signal('SIGCONT');
    }

    expect(numbersGot(init).filter((number) => number !== SIGCONT)).toEqual([SIGTSTP, SIGHUP]);
  });

  test('a signal that is dropped stops nothing of the app', async () => {
    const init = await startApp([...quiet, '--rewrite', 'TSTP:0'], { role });
    await init.signal(SIGTSTP);
    await init.signal('SIGCONT');
    await init.stdout.waitFor('got 18');
    expect(numbersGot(init)).toEqual([SIGCONT]);
  });

  test('an app that gets signals alone gets them as they came', async () => {
    const init = await startApp([...quiet, '--single-child'], { role });
    for (const number of [SIGTSTP, SIGTTIN, SIGTTOU]) {
      await init.signal(number);
      await init.stdout.waitFor(`got ${number}\n`);
      await init.signal('SIGCONT');
    }

    expect(numbersGot(init).filter((number) => number !== SIGCONT)).toEqual([
      SIGTSTP,
      SIGTTIN,
      SIGTTOU,
    ]);
  });

  test('and is stopped by them if it has no handler', async () => {
    const init = await startApp([...quiet, '--single-child'], { role, app: 'stay' });
    await init.signal(SIGTSTP);
    await becomes(init.appPid, 'stopped');
    await init.signal('SIGCONT');
    await becomes(init.appPid, 'running');
    await init.signal('SIGTERM');
    expect(await init.ended).toBe(143);
  });
});

describe('init itself', () => {
  test.each([
    ['with the app', []],
    ['beside an app that gets something else', ['--rewrite', 'TSTP:HUP']],
    ['beside an app that gets nothing', ['--rewrite', 'TSTP:0']],
    ['beside an app that gets signals alone', ['--single-child']],
  ])('is suspended as a child %s, and goes on after CONT', async (_beside, options) => {
    const init = await startApp([...quiet, ...options]);
    await init.signal(SIGTSTP);
    await becomes(init.pid, 'stopped');
    await init.signal('SIGCONT');
    await init.stdout.waitFor('got 18');
    await init.signal(40);
    expect(await init.ended).toBe(0);
  });

  test('is not as PID 1, which nobody could continue', async () => {
    const init = await startApp(quiet, { role: 'PID 1' });
    await init.signal(SIGTSTP);
    await becomes(init.appPid, 'stopped');
    await hasReadSignals(init);
    expect(statusField(await init.initPid(), 'State')).toMatch(/^[SR]/);
  });
});
