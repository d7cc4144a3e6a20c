// What a brain leaves to its successor: secrets, addresses, what the operator has written, what the app was told.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { tarGz } from '../apply/tar-writer.ts';
import { askSocket } from '../emulator/rig.ts';
import { describeContainer } from '../helpers/container.ts';
import { eventually } from '../helpers/process.ts';
import { configOf, fingerprint, idle, reader, shop, startFollowed } from './follow-rig.ts';

const secretFile = '/run/app/key';
const wantsKey = { secrets: { env: { KEY: 'key' }, files: { secret: 'key', path: secretFile } } };
const tellsKey = ['--', 'sh', '-c', `trap 'exit 7' TERM; echo "start: $KEY"; ${idle}`];

describeContainer('a secret', () => {
  test('that is served once stays, through restarts of the app and the death of the brain', async () => {
    const once = { key: { value: 'correct-horse', once: true } };
    const it = await startFollowed({
      platform: shop('10.0.0.20', once),
      args: tellsKey,
      reload: { action: 'restart' },
      init: wantsKey,
    });
    await it.killBrain();
    await it.killBrain();
    await it.emulator.update(shop('10.0.0.21', once));
    await it.stdout.waitFor('start: correct-horse\nstart: correct-horse\n');
    expect(readFileSync(it.inside(secretFile), 'utf8')).toBe('correct-horse');
    expect(it.stderr.text()).not.toContain('W_SECRET');
  });

  test('that becomes empty or is gone keeps its value, that is rotated is a change', async () => {
    const it = await startFollowed({
      platform: shop('10.0.0.20', { key: 'correct-horse' }),
      args: reader(['HUP']),
      reload: { on: { secrets: 'signal' } },
      init: wantsKey,
    });
    const before = fingerprint(it.inside(secretFile));
    await it.emulator.update(shop('10.0.0.20', { key: '' }));
    await it.stderr.waitFor(/W_SECRET_BECAME_EMPTY/);
    await it.counted('unchanged', 2);
    await it.emulator.update(shop('10.0.0.20'));
    await it.counted('unchanged', 3);
    await it.killBrain();
    expect(fingerprint(it.inside(secretFile))).toBe(before);
    expect(it.stdout.text()).not.toContain('HUP');
    await it.emulator.update(shop('10.0.0.20', { key: 'battery-staple' }));
    await it.stdout.waitFor('HUP');
    expect(readFileSync(it.inside(secretFile), 'utf8')).toBe('battery-staple');
    expect((await it.status()).reload.last).toMatchObject({
      changed: { secrets: ['key'], ist: [] },
    });
  });
});

const archive = (content: string) => tarGz([{ path: 'a', content }]).toString('base64');

describeContainer(
  'a secret whose new value cannot be used keeps its old one, and holds up nothing else:',
  () => {
    test.each([
      ['no base64', { key: '!', bundle: archive('one'), big: '1' }, 'key', 'not base64'],
      ['a broken archive', { key: 'b25l', bundle: 'b25l', big: '1' }, 'bundle', 'neither a tar'],
      [
        'too long for a variable',
        { key: 'b25l', bundle: archive('one'), big: 'x'.repeat(140_000) },
        'big',
        'BIG',
      ],
    ])('%s', async (_what, secrets, identifier, why) => {
      const good = { key: 'b25l', bundle: archive('one'), big: '1', other: 'correct-horse' };
      const it = await startFollowed({
        platform: shop('10.0.0.20', good),
        args: reader(['HUP']),
        reload: { action: 'signal' },
        init: {
          envFile: '/run/app/env',
          secrets: {
            env: { BIG: 'big' },
            files: [
              { secret: 'key', path: secretFile, decode: 'base64' },
              { secret: 'bundle', path: '/run/app/bundle', decode: 'base64', unpack: 'tar' },
              { secret: 'other', path: '/run/app/other' },
            ],
          },
        },
      });
      const read = (path: string) => readFileSync(it.inside(path), 'utf8');
      const shown = () => ({
        key: read(secretFile),
        bundle: read('/run/app/bundle/a'),
        big: /^BIG='?(.*?)'?$/m.exec(read('/run/app/env'))?.[1],
        other: read('/run/app/other'),
      });
      const bad = { ...secrets, other: 'battery-staple' };
      await it.emulator.update(shop('10.0.0.21', bad));
      await it.stdout.waitFor('HUP: 10.0.0.20 10.0.0.21 10.0.0.21');
      const kept = { key: 'one', bundle: 'one', big: '1', other: 'battery-staple' };
      expect(shown()).toEqual(kept);
      const warning = expect.objectContaining({
        code: 'W_SECRET_UNUSABLE',
        msg: expect.stringMatching(new RegExp(`^The new value of secret "${identifier}" .*${why}`)),
      });
      expect(it.log()).toContainEqual(warning);
      // Who asks by hand is told that not all is as the platform has it.
      const report = { outcome: 'unchanged', problem: expect.stringContaining(identifier) };
      expect(await it.reload()).toMatchObject(report);

      await it.killBrain();
      expect(await it.reload()).toMatchObject(report);
      expect(shown()).toEqual(kept);
      const next = { key: 'dHdv', bundle: archive('two'), big: '2', other: 'battery-staple' };
      await it.emulator.update(shop('10.0.0.22', next));
      await it.stdout.waitFor('HUP: 10.0.0.20 10.0.0.22 10.0.0.22');
      expect(shown()).toEqual({ ...kept, key: 'two', bundle: 'two', big: '2' });
      expect(await it.reload()).toMatchObject({ outcome: 'unchanged', problem: null });
      expect(it.stdout.text().match(/HUP/g)).toHaveLength(2);
    });
  },
);

describeContainer('what the operator edits', () => {
  test('waits for a reload by hand, also where another brain comes before that', async () => {
    const init = { dotenv: './.env' };
    const it = await startFollowed({
      args: reader(['HUP']),
      reload: { action: 'signal' },
      init,
      files: { '.env': 'COLOR=red\n' },
    });
    rmSync(join(it.directory, '.env'));
    writeFileSync(join(it.directory, 'warp.config.js'), 'module.exports = {');
    await it.killBrain();
    expect((await it.status()).reload.byOutcome).toEqual({ unchanged: 1 });

    writeFileSync(join(it.directory, '.env'), 'COLOR=blue\n');
    const config = { variables: { SIZE: 'large' } };
    writeFileSync(
      join(it.directory, 'warp.config.js'),
      configOf({ reload: { action: 'signal' }, init, config }),
    );
    await it.killBrain();
    expect((await it.status()).reload.byOutcome).toEqual({ unchanged: 1 });
    expect(it.stdout.text()).toMatch(/^start: .*\n$/);

    expect(await it.reload()).toMatchObject({
      outcome: 'signaled',
      changed: { config: ['variable COLOR', 'variable SIZE'] },
    });
    await it.killBrain();
    expect((await it.status()).reload.byOutcome).toEqual({ unchanged: 1 });
  });
});

describeContainer('a change that comes while there is no brain', () => {
  test('is told once by the next one', async () => {
    const it = await startFollowed({ args: reader(['HUP']), reload: { action: 'signal' } });
    process.kill(await it.brain(), 'SIGKILL');
    await it.emulator.update(shop('10.0.0.21'));
    await it.stdout.waitFor('HUP: 10.0.0.20 10.0.0.21 10.0.0.21');
    await it.killBrain();
    expect(await it.reload()).toMatchObject({ outcome: 'unchanged' });
    expect(it.stdout.text().match(/HUP/g)).toHaveLength(1);
  });

  test('and is taken back is not told', async () => {
    const it = await startFollowed({ args: reader(['HUP']), reload: { action: 'signal' } });
    process.kill(await it.brain(), 'SIGSTOP');
    await it.emulator.update(shop('10.0.0.21'));
    await it.emulator.update(shop());
    await it.killBrain();
    expect((await it.status()).reload.byOutcome).toEqual({ unchanged: 1 });
    expect(it.stdout.text()).not.toContain('HUP');
  });
});

describeContainer('the map on the control socket', () => {
  test('is that of ist.json, also where the platform has not answered this brain yet', async () => {
    const it = await startFollowed({ platform: shop('10.0.0.21') });
    const map = readFileSync(it.inside('/run/warp-init/ist.json'), 'utf8');
    const asked = async () =>
      (await askSocket(it.inside('/run/warp-init/control.sock'), '/ist', { method: 'GET' })).body;
    expect(map).toContain('10.0.0.21');
    expect(await asked()).toEqual(JSON.parse(map));

    it.emulator.setFault('error-rate=1');
    const before = await it.brain();
    process.kill(before, 'SIGKILL');
    await it.brain(before);
    expect(await eventually(asked)).toEqual(JSON.parse(map));
    expect((await it.status()).reload.lastSuccessMs).toBeNull();
  });
});
