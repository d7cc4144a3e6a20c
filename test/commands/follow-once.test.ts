// Secrets that the platform serves once, and what may happen to the one answer that has them.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { describeContainer } from '../helpers/container.ts';
import { idle, reader, shop, startFollowed } from './follow-rig.ts';
import type { Followed } from './follow-rig.ts';

/** Nothing but built-ins, to be there before the brain has loaded what it needs next. */
const endsBrain = `read -r children < /proc/1/task/1/children
for child in $children; do [ $child = $$ ] || kill -KILL $child; done
trap 'exit 7' TERM
echo "start: $KEY"
${idle}`;

describeContainer('a secret that is served once', () => {
  test('is known to the successor of a brain that ended as soon as the app ran', async () => {
    const once = { key: { value: 'correct-horse', once: true } };
    const it = await startFollowed({
      platform: shop('10.0.0.20', once),
      args: ['--', 'sh', '-c', endsBrain],
      init: { secrets: { env: { KEY: 'key' } } },
    });
    await it.emulator.update(shop('10.0.0.21', once));
    await it.counted('applied', 1);
    expect(it.host('my-db.warp')).toBe('10.0.0.21');
    expect(it.stderr.text()).not.toContain('W_SECRET');
  });

  test.each<[string, Spoilt]>([
    [
      'is not believed',
      async ({ emulator, counted }) => {
        await emulator.update({ ...rotated, services: { web: '10.0.0.10' } });
        await counted('distrusted', 1);
      },
    ],
    [
      'is not complete',
      async ({ emulator, counted }) => {
        emulator.setAnswer('/v1/environment/instances', 7);
        await emulator.update(rotated);
        await counted('failed', 1);
        emulator.setAnswer('/v1/environment/instances', undefined);
      },
    ],
    [
      'does not go with an edit of the config',
      async ({ directory, emulator, reload }) => {
        const path = join(directory, 'warp.config.js');
        const config = readFileSync(path, 'utf8');
        writeFileSync(path, config.replace('"KEY":"key"', '"KEY":"key","OTHER":"unknown"'));
        emulator.setPlatform(rotated);
        expect(await reload()).toMatchObject({ outcome: 'refused' });
        writeFileSync(path, config);
      },
    ],
  ])('and rotated is not lost with an answer that %s', async (_how, spoil) => {
    const [lives, dies] = await Promise.all([startRotating(spoil), startRotating(spoil)]);
    // Nobody is told, so that the next answer is that of a reload by hand.
    dies.emulator.setPlatform(rotated);
    await dies.killBrain();
    for (const it of [lives, dies]) {
      it.emulator.setPlatform(rotated);
      await it.reload();
      await it.stdout.waitFor('HUP');
      expect(readFileSync(it.inside(keyFile), 'utf8')).toBe('battery-staple');
    }
  });
});

describeContainer('a secret that is served once', () => {
  test('and cannot be used is there for the config that can use it', async () => {
    const it = await startFollowed({
      platform: once('Y29ycmVjdC1ob3JzZQ=='),
      init: { secrets: { files: { secret: 'key', path: keyFile, decode: 'base64' } } },
    });
    await it.emulator.update(once('battery staple!'));
    await it.stderr.waitFor('W_SECRET_UNUSABLE');
    expect(readFileSync(it.inside(keyFile), 'utf8')).toBe('correct-horse');

    it.emulator.setPlatform(once('battery staple!'));
    const path = join(it.directory, 'warp.config.js');
    writeFileSync(path, readFileSync(path, 'utf8').replace(',"decode":"base64"', ''));
    await it.killBrain();
    await it.reload();
    expect(readFileSync(it.inside(keyFile), 'utf8')).toBe('battery staple!');
  });
});

const keyFile = '/run/app/key';
const once = (value: string) => shop('10.0.0.20', { key: { value, once: true } });
const rotated = once('battery-staple');

type Spoilt = (it: Followed) => Promise<void>;

/** @returns One whose new key is served, and lost for whoever asks next. */
async function startRotating(spoil: Spoilt): Promise<Followed> {
  const it = await startFollowed({
    platform: once('correct-horse'),
    args: reader(['HUP']),
    reload: { action: 'signal' },
    init: {
      platform: { deadline: '1s' },
      secrets: { env: { KEY: 'key' }, files: { secret: 'key', path: keyFile } },
    },
  });
  await spoil(it);
  expect(readFileSync(it.inside(keyFile), 'utf8')).toBe('correct-horse');
  return it;
}
