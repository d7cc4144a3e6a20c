// How init ends, and what it leaves behind.
import { describe, expect, test } from 'vitest';

import { describeRoles, endWithTest, program, startInit } from '../helpers/pid1.ts';
import { eventually } from '../helpers/process.ts';
import { quiet, ways } from './rig.ts';

describeRoles('the status', (role) => {
  test.each([0, 1, 2, 32, 64, 126, 127, 128, 254, 255])(
    '%i of the app is init’s',
    async (status) => {
      const init = startInit(['--plain', '--', 'sh', '-c', `exit ${status}`], { role });
      expect(await init.ended).toBe(status);
    },
  );

  test.each([
    ['TERM', 143],
    ['HUP', 129],
    ['QUIT', 131],
    ['KILL', 137],
    ['USR1', 138],
  ])('is 128+n for an app that %s has ended', async (signal, status) => {
    const init = startInit([...quiet, '--', 'sh', '-c', `kill -${signal} $$`], { role });
    expect(await init.ended).toBe(status);
  });

  test('of all statuses but one is remapped, and that one is not', async () => {
    const all = Array.from({ length: 256 }, (_, status) => status).filter(
      (status) => status !== 42,
    );
    const options = all.flatMap((status) => ['--exit-status', String(status)]);
    const end = (status: number) =>
      startInit([...quiet, ...options, '--', 'sh', '-c', `exit ${status}`], { role }).ended;
    expect(await Promise.all([end(42), end(41), end(255)])).toEqual([42, 0, 0]);
  });

  test.each([
    ['/no/such/program', 127],
    ['no-such-program', 127],
    ['/etc', 126],
    ['/etc/passwd', 126],
  ])('is that of shells where %s cannot be run: %i', async (name, status) => {
    for (const [, options] of ways) {
      const init = startInit([...options, '--', name], { role });
      expect(await init.ended).toBe(status);
      expect(init.stderr.text()).toContain(name);
    }
  });
});

describe('as a child, when the app has ended', () => {
  test.each(ways)('%s: what is left of its group gets TERM', async (_way, options) => {
    const init = await endBefore(options);
    await init.stdout.waitFor('other got 15');
    expect(await init.ended).toBe(0);
  });

  test('with signals for the app alone it does not', async () => {
    const init = await endBefore([...quiet, '--single-child']);
    expect(await init.ended).toBe(0);
    // Its stdout is still open: it lives, and has heard nothing.
    expect(init.stdout.text()).not.toContain('got');
    expect(init.child.stdout?.closed).toBe(false);
  });

  test('unless it is to linger: then TERM, and KILL when the time is over', async () => {
    const init = await endBefore([...quiet, '--single-child', '--linger', '50ms']);
    await init.stdout.waitFor('other got 15');
    expect(await init.ended).toBe(0);
    await eventually(() => expect(init.child.stdout?.closed).toBe(true));
  });
});

/** The app ends when its own child, which stays, is ready for signals. */
async function endBefore(options: readonly string[]) {
  const init = startInit([
    ...options,
    '--',
    'sh',
    '-c',
    `${program('print-signals')} other 40 & echo pid $!; read -r _`,
  ]);
  await endWithTest(init);
  await init.stdout.waitFor('other ready');
  init.child.stdin?.end('\n');
  return init;
}
