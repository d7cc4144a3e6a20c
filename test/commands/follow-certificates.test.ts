// Certificates while the app runs: what is served without them takes none away, and a private key alone is a change.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import { describeContainer } from '../helpers/container.ts';
import { reader, shop, startFollowed } from './follow-rig.ts';
import type { Followed } from './follow-rig.ts';

const path = '/v1/containers/certificates';
const bundle = '-----BEGIN CERTIFICATE-----\nleaf\n-----END CERTIFICATE-----\n';
const keyOf = (text: string) => `-----BEGIN PRIVATE KEY-----\n${text}\n-----END PRIVATE KEY-----\n`;

function platform(key: string): PlatformFile {
  return {
    ...shop(),
    certificates: [{ domains: ['shop.example'], private_key: keyOf(key), bundle }],
  };
}

function start(): Promise<Followed> {
  return startFollowed({
    platform: platform('first'),
    args: reader(['HUP']),
    reload: { action: 'signal' },
    init: { certificates: { directory: '/run/tls' } },
  });
}

const keyPath = '/run/tls/shop.example/privkey.pem';
const beingRenewed = [{ id: '1', domains: ['shop.example'], private_key: '', bundle: '' }];

function keyIn(it: Followed): string {
  return readFileSync(it.inside(keyPath), 'utf8');
}

/** In the directory that the link leads to now. */
function served(it: Followed): string[] {
  return readdirSync(it.inside('/run/tls'));
}

describeContainer('a certificate', () => {
  test.each<[string, readonly object[], string]>([
    ['is being renewed, and served without its text', beingRenewed, 'unchanged'],
    ['is missing in one answer, with all others', [], 'distrusted'],
  ])('that %s stays, also for the successor of a brain', async (_how, answer, outcome) => {
    const it = await start();
    it.emulator.setAnswer(path, answer);
    await it.killBrain();
    expect(await it.reload()).toMatchObject({ outcome });
    expect(keyIn(it)).toBe(keyOf('first'));
    expect(it.stdout.text()).not.toContain('HUP');
    it.emulator.setAnswer(path, undefined);
    expect(await it.reload()).toMatchObject({ outcome: 'unchanged' });
  });

  test('whose private key alone is another one is told', async () => {
    const it = await start();
    it.emulator.setPlatform(platform('second'));
    expect(await it.reload()).toMatchObject({
      outcome: 'signaled',
      changed: { certificates: ['shop.example'] },
    });
    expect(keyIn(it)).toBe(keyOf('second'));
  });

  test.each<[string, (key: string, rootOnly: string) => void]>([
    ['a link to a file of root', (key, rootOnly) => symlinkSync(rootOnly, key)],
    ['a link to an endless device', (key) => symlinkSync('/dev/zero', key)],
    ['a FIFO', (key) => execFileSync('mkfifo', [key])],
    ['another key', (key) => writeFileSync(key, keyOf('planted'))],
  ])('whose key the app has replaced by %s is not written from it', async (_what, plant) => {
    const it = await start();
    const rootOnly = join(it.directory, 'root-only');
    writeFileSync(rootOnly, keyOf('of root'), { mode: 0o600 });
    rmSync(it.inside(keyPath));
    plant(it.inside(keyPath), rootOnly);
    it.emulator.setAnswer(path, beingRenewed);
    await it.killBrain();
    await it.reload();
    expect(served(it)).toEqual([]);
    it.emulator.setAnswer(path, undefined);
    await it.reload();
    expect(keyIn(it)).toBe(keyOf('first'));
  });
});
