// Answers that parse and cannot be true: the old ones stay. The two answers that agree are 10 s apart: the slow test.
import { expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import { describeContainer } from '../helpers/container.ts';
import { fingerprint, reader, startFollowed } from './follow-rig.ts';
import type { Followed } from './follow-rig.ts';
import { within } from './live-rig.ts';

function shop(...services: readonly string[]): PlatformFile {
  const all = services.map((name, index) => [name, `10.0.0.${20 + index}`]);
  return { self: 'web', services: { web: '10.0.0.10', ...Object.fromEntries(all) } };
}

const five = ['a', 'b', 'c', 'd', 'e'];
const signal = {
  reload: { action: 'signal' },
  init: { platform: { deadline: '1s' } },
  args: reader(['HUP']),
};

async function startDistrusting(): Promise<Followed & { readonly expectUntouched: () => void }> {
  const it = await startFollowed({ platform: shop(...five), ...signal });
  const before = fingerprint(it.inside('/etc/hosts'));
  return {
    ...it,
    expectUntouched: () => {
      expect(fingerprint(it.inside('/etc/hosts'))).toBe(before);
      expect(it.stdout.text()).not.toContain('HUP');
    },
  };
}

describeContainer('an answer that is suspicious', () => {
  test('of which over half of the services are gone counts when another one agrees, 10 s later', async () => {
    const [lives, killed] = await Promise.all([startDistrusting(), startDistrusting()]);
    const startedMs = Date.now();
    for (const it of [lives, killed]) {
      await it.emulator.update(shop('a', 'b'));
      await it.counted('distrusted', 1);
      expect(await it.reload()).toMatchObject({
        outcome: 'distrusted',
        problem: expect.stringContaining('3 of 5 services are gone'),
      });
    }

    process.kill(await killed.brain(), 'SIGKILL');
    lives.expectUntouched();
    await killed.counted('distrusted', 1);
    killed.expectUntouched();
    await within(15_000, () => expect(lives.stdout.text()).toContain('HUP'));
    expect(Date.now() - startedMs).toBeGreaterThan(9900);
    expect(lives.host('c.warp') + lives.host('d.warp') + lives.host('e.warp')).toBe('');
    await within(15_000, () => expect(killed.stdout.text()).toContain('HUP'));
    expect(killed.host('c.warp')).toBe('');
  });

  test('for any other reason changes nothing, and is forgotten when a good one comes', async () => {
    const self = '/v1/container';
    const ends = await Promise.all([
      distrust('/v1/environment/containers', () => [], 'failed'),
      distrust('/v1/environment/instances', () => [], 'distrusted'),
      // We are nobody of this environment, or somebody else of it.
      distrust(self, () => foreign, 'failed'),
      distrust(self, ({ id }) => ({ ...foreign, id }), 'distrusted'),
    ]);
    expect(ends).toEqual(['10.0.0.25', '10.0.0.25', '10.0.0.25', '10.0.0.25']);
  });
});

const foreign = { id: 'f'.repeat(24), name: 'a', identifier: 'a', state: { current: 'running' } };

type DataOf = (another: { readonly id: string }) => unknown;

/** @returns The address of the service that is new in the first good answer. */
async function distrust(path: string, dataOf: DataOf, outcome: string): Promise<string> {
  const it = await startDistrusting();
  const another = it.emulator.platform.services.find(({ name }) => name === 'a');
  it.emulator.setAnswer(path, dataOf({ id: another?.id ?? '' }));
  expect(await it.reload()).toMatchObject({ outcome });
  it.emulator.dropConnections();
  await it.killBrain();
  it.expectUntouched();
  it.emulator.setAnswer(path, undefined);
  expect(await it.reload()).toMatchObject({ outcome: 'unchanged' });
  it.expectUntouched();
  await it.emulator.update(shop(...five, 'f'));
  await it.stdout.waitFor('HUP');
  return it.host('f.warp');
}
