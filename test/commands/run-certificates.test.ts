// `init.certificates`: the platform's certificates as files for the app. helpers/container.ts looks for secrets in stderr.
import { describe, expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import {
  describeContainer,
  refusalOf,
  refused,
  runContainer,
  startPlatform,
} from '../helpers/container.ts';
import { isRoot } from '../helpers/pid1.ts';

const privateKey = '-----BEGIN PRIVATE KEY-----\ncorrect-horse\n-----END PRIVATE KEY-----\n';
const bundle = '-----BEGIN CERTIFICATE-----\nleaf\n-----END CERTIFICATE-----\n';
const shop: PlatformFile = {
  token: 'token-of-the-instance',
  self: 'web',
  services: { web: '10.0.0.10' },
  certificates: [
    { domains: ['shop.example', 'www.shop.example'], private_key: privateKey, bundle },
    { domains: ['*.shop.example'], private_key: privateKey, bundle },
  ],
};
const config = 'module.exports = { init: { certificates: { directory: "/run/app/tls" } } };';
const path = '/v1/containers/certificates';
const secrets = ['correct-horse'];

describeContainer('certificates', () => {
  test('are files below the directory before the app starts', async () => {
    const emulator = await startPlatform(shop);
    const ended = await runContainer({
      emulator,
      config,
      secrets,
      args: [
        '--',
        'sh',
        '-c',
        'cd /run/app/tls && find . -type f | sort && cat shop.example/privkey.pem _.shop.example/fullchain.pem; stat -c "%a %u" . shop.example shop.example/*',
      ],
    });
    expect(ended).toMatchObject({
      status: 0,
      stdout: [
        './_.shop.example/fullchain.pem',
        './_.shop.example/privkey.pem',
        './shop.example/fullchain.pem',
        './shop.example/privkey.pem',
        `${privateKey}${bundle}700 0`,
        '700 0',
        '400 0',
        '400 0',
        '',
      ].join('\n'),
      stderr: '',
    });
    expect(emulator.requests.filter((request) => request.path === path)).toHaveLength(1);
  });

  test('are not asked for where nobody wants them', async () => {
    const emulator = await startPlatform(shop);
    expect((await runContainer({ emulator })).status).toBe(0);
    expect(emulator.requests.map((request) => request.path)).not.toContain(path);
  });

  test('that there are none of leave an empty directory', async () => {
    const emulator = await startPlatform({ self: 'web', services: { web: '10.0.0.10' } });
    const args = ['--', 'sh', '-c', 'ls -A /run/app/tls/ && echo empty'];
    expect(await runContainer({ emulator, config, args })).toMatchObject({
      status: 0,
      stdout: 'empty\n',
      stderr: '',
    });
  });

  test('that two have one first domain are a warning, and one of them is there', async () => {
    const one = { domains: ['shop.example'], private_key: privateKey, bundle };
    const emulator = await startPlatform({
      ...shop,
      certificates: [
        { ...one, id: '651586fca6078e98982dbd90' },
        { ...one, id: '6a0000000000000000000000', bundle: `${bundle}newer` },
      ],
    });
    const args = ['--', 'cat', '/run/app/tls/shop.example/fullchain.pem'];
    const ended = await runContainer({ emulator, config, args, secrets });
    expect(ended).toMatchObject({ status: 0, stdout: `${bundle}newer` });
    expect(ended.log()).toEqual([expect.objectContaining({ code: 'W_CERTIFICATE_REPEATED' })]);
  });

  test('without a platform end the start', async () => {
    expect(refusalOf(await runContainer({ config }))).toEqual(
      refused({
        status: 69,
        code: 'E_CERTIFICATES_STANDALONE',
        message: 'Cannot fetch certificates, because there is no platform',
        where: 'init.certificates',
        fix: 'leave out init.certificates',
      }),
    );
  });

  test('for a user that does not exist end the start before the platform is asked for them', async () => {
    const emulator = await startPlatform(shop);
    const owned = config.replace('"/run/app/tls"', '"/run/app/tls", user: "ngnix"');
    expect(refusalOf(await runContainer({ emulator, config: owned }))).toEqual(
      refused({
        status: 78,
        code: 'E_USER',
        message: 'Cannot give files to "ngnix"',
        where: '/etc/passwd',
        fix: /./,
      }),
    );
    expect(emulator.requests.map((request) => request.path)).not.toContain(path);
  });

  test('are shown by `debug` with their paths, without a key being read', async () => {
    const emulator = await startPlatform(shop);
    const args = ['debug', '--format', 'json', '--', 'true'];
    const ended = await runContainer({ emulator, config, args, secrets });
    expect(JSON.parse(ended.stdout)).toMatchObject({
      problems: [],
      steps: expect.arrayContaining([
        expect.objectContaining({ kind: 'write-certificates', path: '/run/app/tls' }),
      ]),
    });
    expect(ended.stdout).not.toContain('correct-horse');
  });
});

describe.skipIf(!isRoot)('needs root', () => {
  describeContainer('certificates', () => {
    test('belong to the app, or to whom the config names, and nobody else reads the key', async () => {
      const emulator = await startPlatform(shop);
      const args = ['--user', '4321:8765', '--', 'sh', '-c', 'cat /run/app/tls/shop.example/*'];
      const own = await runContainer({ emulator, config, args, secrets });
      expect(own).toMatchObject({ status: 0, stdout: bundle + privateKey });
      const other = config.replace('"/run/app/tls"', '"/run/app/tls", user: 99, mode: "0440"');
      const refusedRead = await runContainer({ emulator, config: other, args });
      expect(refusedRead.status).not.toBe(0);
      expect(refusedRead.stdout).not.toContain('correct-horse');
      const byGroup = await runContainer({
        emulator,
        config: other.replace('user: 99', 'user: 99, group: 8765'),
        args,
        secrets,
      });
      expect(byGroup).toMatchObject({ status: 0, stdout: bundle + privateKey });
    });
  });
});
