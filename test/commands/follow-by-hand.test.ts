// `warp-init reload` beside an app that runs: it waits for quiet as any change does, and with `--now` for nothing.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { describeContainer } from '../helpers/container.ts';
import { eventually } from '../helpers/process.ts';
import { configOf, idle, reader, shop, startFollowed } from './follow-rig.ts';
import type { Followed } from './follow-rig.ts';

const signal = { action: 'signal' };
const restart = { action: 'restart' };

/** Until a reload has begun to wait for quiet. */
function isGathering(it: Followed): Promise<void> {
  return eventually(async () => expect((await it.status()).reload.phase).toBe('gathering'));
}

describeContainer('a reload by hand', () => {
  test('is one with all that are asked for at the same time, and with what is notified then', async () => {
    // Nobody here is as slow as that.
    const reload = { ...signal, quiet: '1500ms', maxWait: '5s' };
    const it = await startFollowed({ args: reader(['HUP']), reload });
    const config = { variables: { COLOR: 'blue' } };
    writeFileSync(join(it.directory, 'warp.config.js'), configOf({ reload, config }));
    const first = it.reload();
    await isGathering(it);
    await it.emulator.update(shop('10.0.0.21'));
    const reports = await Promise.all([first, it.reload()]);

    const report = {
      outcome: 'signaled',
      changed: { ist: ['my-db'], secrets: [], certificates: [], config: ['variable COLOR'] },
      problem: null,
      restartInMs: null,
    };
    expect(reports).toEqual([report, report]);
    await it.stdout.waitFor('HUP');
    expect((await it.status()).reload.byOutcome).toEqual({ unchanged: 1, signaled: 1 });
    expect(it.stdout.text().match(/HUP/g)).toHaveLength(1);
  });

  test('waits for quiet, and is done at once where another is asked for now', async () => {
    const it = await startFollowed({
      args: reader(['HUP']),
      reload: { ...signal, quiet: '4s', maxWait: '10m' },
    });
    // Longer than this test may take, from here on.
    writeFileSync(
      join(it.directory, 'warp.config.js'),
      configOf({ reload: { ...signal, quiet: '10m', maxWait: '10m' } }),
    );
    expect(await it.reloadNow()).toMatchObject({ outcome: 'unchanged' });
    const waiting = it.reload();
    await isGathering(it);
    expect(await it.reloadNow()).toMatchObject({ outcome: 'unchanged' });
    expect(await waiting).toMatchObject({ outcome: 'unchanged' });
    expect((await it.status()).reload.byOutcome).toEqual({ unchanged: 3 });
  });

  test('leads to a restart that is held, also by the next brain, and done where one is asked for now', async () => {
    const it = await startFollowed({
      args: ['--', 'sh', '-c', `trap 'exit 9' TERM; echo "start: $COLOR"; ${idle}`],
      reload: restart,
    });
    const wear = (color: string): void => {
      const config = { variables: { COLOR: color } };
      writeFileSync(join(it.directory, 'warp.config.js'), configOf({ reload: restart, config }));
    };
    wear('red');
    expect(await it.reload()).toMatchObject({ outcome: 'restarted', restartInMs: null });
    wear('blue');
    expect(await it.reload()).toMatchObject({
      outcome: 'restart-held',
      changed: { config: ['variable COLOR'] },
      restartInMs: expect.any(Number),
    });
    await it.killBrain();
    expect((await it.status()).reload).toMatchObject({
      byOutcome: { 'restart-held': 1 },
      held: 'restart',
      restartInMs: expect.any(Number),
    });
    expect(it.stdout.text()).toBe('start: \nstart: red\n');
    it.reloadNow().catch(() => undefined); // It is on its trial for 5 s.
    await it.stdout.waitFor('start: blue');
  });

  test('whose brain ends while it waits has no answer, and the next brain is asked again', async () => {
    const it = await startFollowed({
      args: reader(['HUP']),
      reload: { ...signal, quiet: '2s', maxWait: '5s' },
    });
    const answer = it.reload().catch(String);
    await isGathering(it);
    await it.killBrain();
    expect(await answer).toBe('Error: socket hang up');
    expect(await it.reload()).toMatchObject({ outcome: 'unchanged' });
    expect(it.stdout.text()).not.toContain('HUP');
  });
});
