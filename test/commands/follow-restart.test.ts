// The restart of an app that cannot reload: validated first, one after the other, and never less than the app before.
//
// A new app is on trial for 5 s, which is most of the time that this takes: what can be waited for together is.
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';

import { describeContainer } from '../helpers/container.ts';
import { seenFormats } from '../helpers/formats.ts';
import { eventually } from '../helpers/process.ts';
import { configOf, idle, shop, startFollowed } from './follow-rig.ts';
import type { Followed, FollowedOptions } from './follow-rig.ts';

const start = `echo "start: $WARP_IST_my_db $KEY"`;
const restart = { action: 'restart', deadline: '5s' };

/** @param onTerm - Shell commands. */
function app(onTerm: string, first = ''): readonly string[] {
  return ['--', 'sh', '-c', `trap '${onTerm}' TERM; ${first}\n${start}; ${idle}`];
}

const politely = app('echo TERM; exit 9');

function startRestarted(options: FollowedOptions = {}): Promise<Followed> {
  return startFollowed({ args: politely, reload: restart, ...options });
}

/** Not held for a minute. What becomes of it is for others to see. */
function restartByHand(it: Followed): void {
  it.reloadNow().catch(() => undefined);
}

/** Stopped, and started with all that is new; the next restart is a minute later, the files are not. */
async function restartForGood(): Promise<number | string> {
  const it = await startRestarted({
    args: app('echo TERM; exit 9', 'test "$WARP_IST_my_db" = 10.0.0.22 && exit 3'),
    platform: shop('10.0.0.20', { key: 'correct-horse' }),
    init: { secrets: { env: { KEY: 'key' } } },
  });
  await it.emulator.update(shop('10.0.0.21', { key: 'battery-staple' }));
  await it.stdout.waitFor(
    'start: 10.0.0.20 correct-horse\nTERM\nstart: 10.0.0.21 battery-staple\n',
  );
  expect(await it.status()).toMatchObject({ app: { starts: 2, isRestarting: true } });
  await it.counted('restarted', 1);

  await it.emulator.update(shop('10.0.0.22', { key: 'battery-staple' }));
  await it.counted('restart-held', 1);
  expect(it.host('my-db.warp')).toBe('10.0.0.22');
  expect(await it.status()).toMatchObject({ app: { starts: 2 }, reload: { held: 'restart' } });
  // By hand it is held as well, and how long is said; `now` it is done, and what it falls back to is what was good last.
  const held = await it.reload();
  expect(held).toMatchObject({ outcome: 'restart-held', restartInMs: expect.any(Number) });
  expect(held.restartInMs).toBeGreaterThan(30_000);
  expect(held.restartInMs).toBeLessThan(60_000);
  expect(await it.status()).toMatchObject({ app: { starts: 2 }, reload: { held: 'restart' } });
  expect(await it.reloadNow()).toMatchObject({ outcome: 'fell-back', restartInMs: null });
  await it.emulator.update(shop('10.0.0.23', { key: 'battery-staple' }));
  await it.counted('restart-held', 3);
  // A brain that comes after this one does not hurry, either.
  await it.killBrain();
  await it.counted('restart-held', 1);
  restartByHand(it);
  await it.stdout.waitFor('start: 10.0.0.23');
  // On its trial as well it is stopped from outside as any app is.
  await it.signal('SIGTERM');
  const status = await it.ended;
  expect(
    it.stdout
      .text()
      .match(/TERM|(?<=start: 10\.0\.0\.)\d+/g)
      ?.join(' '),
  ).toBe('20 TERM 21 TERM 21 TERM 23 TERM');
  return status;
}

/** Its group ends later still, and the brain is paused until long after that. */
async function failLate(): Promise<void> {
  const child = `sh -c 'trap "" TERM; ${idle}' &`;
  const it = await startRestarted({
    args: app(
      'exit 9',
      `test "$WARP_IST_my_db" = 10.0.0.21 && { ${start}; ${child} sleep 4; exit 3; }`,
    ),
  });
  await it.emulator.update(shop('10.0.0.21'));
  await it.stdout.waitFor('start: 10.0.0.21');
  const brain = await it.brain();
  process.kill(brain, 'SIGSTOP');
  await wait(7000); // Longer than any of the times that are measured here.
  process.kill(brain, 'SIGCONT');
  await it.counted('fell-back', 1);
  await it.stdout.waitFor('start: 10.0.0.21 \nstart: 10.0.0.20 \n');
}

describeContainer('a restart', () => {
  test('is on trial for 5 s: an app that lives is the app from there on, one that ends late gives way', async () => {
    const [status] = await Promise.all([restartForGood(), failLate()]);
    expect(status).toBe(9);
  });

  test('waits for an empty group, and kills at the deadline', async () => {
    const child = `sh -c 'trap "" TERM; ${idle}' & echo $! > child.pid`;
    const alone = 'kill -0 $(cat child.pid) 2>/dev/null && echo not alone';
    const it = await startRestarted({
      args: app('echo stays', `${alone}; ${child}`),
      reload: { action: 'restart' },
    });
    await it.emulator.update(shop('10.0.0.21'));
    await it.stdout.waitFor(/stays\n[^]*start: 10\.0\.0\.21/);
    expect(it.stdout.text()).not.toContain('not alone');
  });

  test('uses the stop signal of the app', async () => {
    const it = await startRestarted({
      args: [
        '--stop-signal',
        'USR1',
        '--',
        'sh',
        '-c',
        `trap 'echo USR1; exit' USR1; ${start}; ${idle}`,
      ],
    });
    await it.emulator.update(shop('10.0.0.21'));
    await it.stdout.waitFor('USR1\nstart: 10.0.0.21');
    expect(it.stdout.text()).not.toContain('TERM');
  });

  test('is given up for a stop from outside: the container ends with the app', async () => {
    const it = await startRestarted({ args: app('echo TERM; sleep 0.3; exit 9') });
    await it.emulator.update(shop('10.0.0.21'));
    await it.stdout.waitFor('TERM');
    await it.signal('SIGTERM');
    expect(await it.ended).toBe(9);
    expect(it.stdout.text()).not.toContain('10.0.0.21');
  });

  test('does not begin once a TERM has come from outside, though the app ignores it; the files are new', async () => {
    const it = await startRestarted({ args: app('echo TERM') });
    await it.signal('SIGTERM');
    await it.stdout.waitFor('TERM');
    await it.emulator.update(shop('10.0.0.21'));
    await it.stderr.waitFor(/W_RESTART_CANCELLED/);
    await it.counted('cancelled', 1);
    expect(it.host('my-db.warp')).toBe('10.0.0.21');
    expect(await it.reload()).toMatchObject({ outcome: 'cancelled' });
    expect(await it.status()).toMatchObject({ app: { starts: 1 }, reload: { phase: 'idle' } });
  });

  test('does not begin where the app could not be started again; the files are new, and the app is as it was', async () => {
    const it = await startRestarted({
      args: ['--', './app'],
      before: 'chmod +x app',
      files: { app: `#!/bin/sh\ntrap 'exit 9' TERM\n${start}\n${idle}\n` },
    });
    rmSync(join(it.directory, 'app'));
    await it.emulator.update(shop('10.0.0.21'));
    await it.stderr.waitFor(/W_RESTART_REFUSED.*Cannot run \\"\.\/app\\": no such program/);
    expect(it.host('my-db.warp')).toBe('10.0.0.21');
    expect(await it.status()).toMatchObject({ app: { starts: 1 }, reload: { held: 'restart' } });
    expect(await it.reload()).toMatchObject({
      outcome: 'restart-refused',
      problem: expect.stringContaining('no such program'),
    });

    writeFileSync(
      join(it.directory, 'warp.config.js'),
      configOf({ reload: restart, config: { variables: { BIG: 'x'.repeat(140_000) } } }),
    );
    expect(await it.reload()).toMatchObject({
      outcome: 'refused',
      problem: expect.stringMatching(/BIG/),
    });
    await it.signal('SIGTERM');
    expect(await it.ended).toBe(9);
    expect(it.stdout.text()).toBe('start: 10.0.0.20 \n');
  });

  test('does not begin where no kernel would start the file that is there now', async () => {
    const it = await startRestarted({
      args: ['--', './app'],
      before: `${seenFormats}\nchmod +x app new`,
      files: {
        app: `#!/bin/sh\ntrap 'echo TERM; exit 9' TERM\n${start}\n${idle}\n`,
        new: 'echo "start: anew"\n',
      },
    });
    renameSync(join(it.directory, 'new'), join(it.directory, 'app'));
    await it.emulator.update(shop('10.0.0.21'));
    await it.stderr.waitFor(/W_RESTART_REFUSED.*Cannot run \\"\.\/app\\": it is no program/);
    expect(await it.status()).toMatchObject({ app: { starts: 1 }, reload: { held: 'restart' } });
    await it.signal('SIGTERM');
    expect(await it.ended).toBe(9);
    expect(it.stdout.text()).toBe('start: 10.0.0.20 \nTERM\n');
  });

  test('does not begin where limits or directory could not be had: the app never hears of it', async () => {
    const it = await startRestarted();
    const tryOut = (init: object) => {
      writeFileSync(join(it.directory, 'warp.config.js'), configOf({ reload: restart, init }));
      return it.reload();
    };
    expect(await tryOut({ limits: { nofile: 2 ** 40 } })).toMatchObject({
      outcome: 'restart-refused',
      problem: expect.stringMatching(/^Cannot set the limits of the app: nofile to 1099511627776/),
    });
    expect(await tryOut({ cwd: '/no/such/directory' })).toMatchObject({
      outcome: 'restart-refused',
      problem: 'Cannot start the app in /no/such/directory: there is no such directory (ENOENT)',
    });
    expect(await tryOut({})).toMatchObject({ outcome: 'unchanged' });
    await it.signal('SIGTERM');
    expect(await it.ended).toBe(9);
    expect(it.stdout.text()).toBe('start: 10.0.0.20 \nTERM\n');
  });

  test('begins where the directory is the app user’s alone, and init as root has no power over it', async () => {
    const it = await startRestarted({
      args: app('echo TERM; exit 9'),
      before: `mkdir /run/own && chmod 0700 /run/own && chown 1234 /run/own
      set -- setpriv --bounding-set=-all,+setuid,+setgid,+kill,+chown "$@"`,
      init: { user: '1234', cwd: '/run/own' },
    });
    await it.emulator.update(shop('10.0.0.21'));
    await it.stdout.waitFor('start: 10.0.0.20 \nTERM\nstart: 10.0.0.21 \n');
    expect(it.stderr.text()).not.toContain('W_RESTART');
  });
});

describeContainer('a new app that ends within 5 s', () => {
  test('gives way to the one before, with the environment of that', async () => {
    const it = await startRestarted({
      args: app('exit 9', 'test "$WARP_IST_my_db" = 10.0.0.21 && exit 3'),
    });
    await it.emulator.update(shop('10.0.0.21'));
    await it.counted('fell-back', 1);
    await it.stdout.waitFor('start: 10.0.0.20 \nstart: 10.0.0.20 \n');
    await it.stderr.waitFor('W_RESTART_FELL_BACK');
    expect(it.host('my-db.warp')).toBe('10.0.0.21');
    // That one was tried: it is not tried again, and what comes after it is.
    expect(await it.reload()).toMatchObject({ outcome: 'unchanged' });
    await it.emulator.update(shop('10.0.0.22'));
    await it.counted('restart-held', 1);
    restartByHand(it);
    await it.stdout.waitFor('start: 10.0.0.22');
    await it.signal('SIGTERM');
    expect(await it.ended).toBe(9);
  });

  test('or cannot even be started gives way, too, and the reason is told', async () => {
    const it = await startRestarted();
    // execve(2) takes a quarter of the new stack, or 128 KiB: only the kernel finds out.
    const text = 'x'.repeat(100_000);
    const config = { variables: { ONE: text, TWO: text } };
    const init = { limits: { stack: 262_144 } };
    writeFileSync(
      join(it.directory, 'warp.config.js'),
      configOf({ reload: restart, init, config }),
    );
    expect(await it.reload()).toMatchObject({
      outcome: 'fell-back',
      problem: expect.stringContaining('arguments and environment are larger'),
    });
    expect(it.stderr.text()).toMatch(/W_RESTART_FELL_BACK.*arguments and environment are larger/);
    await it.signal('SIGTERM');
    expect(await it.ended).toBe(9);
  });

  test('ends the container with its status where the one before does not run any more, either', async () => {
    const it = await startRestarted({ args: app('exit 9', 'test -e broken && exit 5') });
    writeFileSync(join(it.directory, 'broken'), '');
    await it.emulator.update(shop('10.0.0.21'));
    expect(await it.ended).toBe(5);
    expect(it.stdout.text()).toBe('start: 10.0.0.20 \n');
  });
});

/** The next change is in the files at once; the app is told by hand, so that nobody waits for a minute. Its status at the end. */
async function endFollowing(it: Followed): Promise<number | string> {
  await it.emulator.update(shop('10.0.0.22'));
  await eventually(() => expect(it.host('my-db.warp')).toBe('10.0.0.22'));
  restartByHand(it);
  await it.stdout.waitFor('start: 10.0.0.22');
  await it.signal('SIGTERM');
  return it.ended;
}

describeContainer('a brain that is killed in a restart', () => {
  test('while the app stops: it runs on as it was, and the next change is applied', async () => {
    const it = await startRestarted({ args: app('echo TERM; sleep 0.2; exit 9') });
    await it.emulator.update(shop('10.0.0.21'));
    await it.stdout.waitFor('TERM');
    await it.killBrain();
    await it.stdout.waitFor('start: 10.0.0.20 \nTERM\nstart: 10.0.0.20 \n');
    expect(await endFollowing(it)).toBe(9);
  });

  test('while something of its group stays: the next brain knows that an app is to come', async () => {
    const child = `sh -c 'trap "" TERM; ${idle}' &`;
    const it = await startRestarted({
      args: app('exit 9', child),
      reload: { ...restart, deadline: '1s' },
    });
    const [before] = it.apps();
    await it.emulator.update(shop('10.0.0.21'));
    await eventually(() => expect(it.apps()).not.toContain(before));
    await it.killBrain();
    await it.stdout.waitFor('start: 10.0.0.20 \nstart: 10.0.0.20 \n');
    expect((await it.status()).init.brainStarts).toBe(2);
    expect(await endFollowing(it)).toBe(9);
  });

  test('between the end of the app and the start of the next one', async () => {
    const it = await startRestarted({
      args: app('echo TERM; until test -e go; do sleep 0.01; done; exit 9'),
    });
    await it.emulator.update(shop('10.0.0.21'));
    await it.stdout.waitFor('TERM');
    process.kill(await it.brain(), 'SIGSTOP');
    writeFileSync(join(it.directory, 'go'), '');
    await eventually(() => expect(it.apps()).toEqual([]));
    await it.killBrain();
    await it.stdout.waitFor('start: 10.0.0.20 \nTERM\nstart: 10.0.0.20 \n');
    expect(await endFollowing(it)).toBe(9);
  });

  test('while the new app is on its trial: it runs on, or the one before if it fails', async () => {
    const script = app('exit 9', 'test "$WARP_IST_my_db" = 10.0.0.21 && read line && exit 3');
    const [lives, fails] = await Promise.all(
      [politely, script].map(async (args) => {
        const it = await startRestarted({ args });
        const [before] = it.apps();
        await it.emulator.update(shop('10.0.0.21'));
        await eventually(async () =>
          expect(await it.status()).toMatchObject({ app: { starts: 2 } }),
        );
        expect(it.apps()).not.toContain(before);
        await it.killBrain();
        // The app knows what is new: there is nothing to be done.
        expect((await it.status()).reload.byOutcome).toEqual({ unchanged: 1 });
        return it;
      }),
    );
    fails?.child.stdin?.write('now\n');
    await fails?.stdout.waitFor('start: 10.0.0.20 \nstart: 10.0.0.20 \n');
    expect(lives?.stdout.text()).toBe('start: 10.0.0.20 \nTERM\nstart: 10.0.0.21 \n');
    for (const it of [lives, fails]) {
      expect(it && (await endFollowing(it))).toBe(9);
    }
  });
});
