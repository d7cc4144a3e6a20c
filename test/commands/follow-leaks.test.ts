// What a reload command prints is log, and the log holds no secret: neither a value nor a line of one.
import { expect, test } from 'vitest';

import { askControlSocket } from '../../src/inputs/control-client.ts';
import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import { tarGz } from '../apply/tar-writer.ts';
import { describeContainer } from '../helpers/container.ts';
import { reader, shop, startFollowed } from './follow-rig.ts';

const key = '-----BEGIN PRIVATE KEY-----\nkey-of-the-certificate\n-----END PRIVATE KEY-----\n';
const bundle = '-----BEGIN CERTIFICATE-----\nleaf\n-----END CERTIFICATE-----\n';

const base64 = (text: string) => Buffer.from(text).toString('base64');

const platform = (db: string): PlatformFile => ({
  ...shop(db, {
    text: 'first-line-of-a-file\n  second-line-of-it\n',
    encoded: base64('in-base64-on-the-platform'),
    archive: tarGz([{ path: 'a', content: 'member-of-an-archive' }]).toString('base64'),
    named: 'value-of-a-variable',
  }),
  token: 'token-of-the-instance',
  certificates: [{ domains: ['shop.example'], private_key: key, bundle }],
});

describeContainer('the output of a reload command', () => {
  test('is in the log without any secret that it can read', async () => {
    const secrets = [
      'first-line',
      'second-line',
      'in-base64',
      'member-of',
      'value-of',
      'key-of-the',
      'token-of-the',
    ];
    const it = await startFollowed({
      platform: platform('10.0.0.20'),
      secrets,
      reload: {
        action: 'command',
        command: [
          'sh',
          '-c',
          'cat /run/text /run/decoded /run/unpacked/a /run/tls/*/privkey.pem /run/tls/*/fullchain.pem; echo; echo "<$NAMED>"; env; echo the end',
        ],
      },
      init: {
        certificates: { directory: '/run/tls' },
        secrets: {
          env: { NAMED: 'named' },
          files: [
            { secret: 'text', path: '/run/text' },
            { secret: 'encoded', path: '/run/decoded', decode: 'base64' },
            { secret: 'archive', path: '/run/unpacked', decode: 'base64', unpack: 'tar' },
          ],
        },
      },
    });
    await it.emulator.update(platform('10.0.0.21'));
    await it.counted('command-ok', 1);
    const answer = await askControlSocket({
      socketPath: it.inside('/run/warp-init/control.sock'),
      method: 'GET',
      path: '/log',
      deadlineMs: 5000,
    });
    for (const log of [it.stderr.text(), 'text' in answer ? answer.text : '']) {
      expect(log).toContain('the end');
      expect(log).toContain('<[secret]>');
      expect(log).toContain('-----BEGIN CERTIFICATE-----');
      expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
    }
  });
});

const document = (name: string) => shop('10.0.0.20', { doc: `A_ONE=1\n${name}=2\n` });

describeContainer('the names in a document that is a secret', () => {
  test('are in no log and no report, and no change of the config', async () => {
    const it = await startFollowed({
      platform: document('NAME_OF_A_CUSTOMER'),
      secrets: ['OF_A_CUSTOMER', 'OF_ANOTHER'],
      reload: { on: { secrets: 'signal', config: 'restart' }, signal: 'SIGHUP' },
      args: reader(['HUP']),
      init: { secrets: { dotenv: ['doc'] } },
    });
    await it.emulator.update(document('NAME_OF_ANOTHER'));
    await it.stdout.waitFor('HUP');
    await it.counted('signaled', 1);
    expect((await it.status()).reload.last).toMatchObject({
      changed: { secrets: ['doc'], config: [] },
    });
  });
});
