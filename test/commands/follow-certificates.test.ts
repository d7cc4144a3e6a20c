// Certificates while the app runs: what is served without them takes none away, and a private key alone is a change.
import { readFileSync } from 'node:fs';
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

function keyIn(it: Followed): string {
  return readFileSync(it.inside('/run/tls/shop.example/privkey.pem'), 'utf8');
}

describeContainer('a certificate', () => {
  test.each<[string, readonly object[], string]>([
    [
      'is being renewed, and served without its text',
      [{ id: '1', domains: ['shop.example'], private_key: '', bundle: '' }],
      'unchanged',
    ],
    ['is missing in one answer, with all others', [], 'distrusted'],
  ])('that %s stays, also for the successor of a brain', async (_how, served, outcome) => {
    const it = await start();
    it.emulator.setAnswer(path, served);
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
});
