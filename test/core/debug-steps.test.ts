// What is written before the start, as `debug` shows it: certificates, the env file, ist.json.
import { describe, expect, test } from 'vitest';

import { formatJson } from '../../src/core/debug-report.ts';
import { formatTable } from '../../src/core/debug-table.ts';
import { reportOf, snapshotOf } from './debug-rig.ts';

const snapshot = snapshotOf(['my-db'], {
  certificates: [
    { id: 'cert1', domains: ['*.shop.example', 'shop.example'] },
    { id: 'cert2', domains: ['api.example'] },
    { id: 'cert3', domains: ['../etc'] },
  ],
});
const config = {
  init: { certificates: { directory: '/etc/tls', mode: '0440' }, envFile: '/srv/app.env' },
};

describe('debug shows before the start', () => {
  test('domains and paths of certificates, the env file and ist.json', async () => {
    const state = { kind: 'usable', path: '/run/warp-init' } as const;
    const report = await reportOf({ snapshot, config, state });

    expect(report.steps.slice(2)).toEqual([
      {
        kind: 'write-certificates',
        path: '/etc/tls',
        mode: '0440',
        uid: 1000,
        gid: 1000,
        certificates: [
          {
            certificateId: 'cert1',
            domains: ['*.shop.example', 'shop.example'],
            fullchain: '/etc/tls/_.shop.example/fullchain.pem',
            privkey: '/etc/tls/_.shop.example/privkey.pem',
          },
          {
            certificateId: 'cert2',
            domains: ['api.example'],
            fullchain: '/etc/tls/api.example/fullchain.pem',
            privkey: '/etc/tls/api.example/privkey.pem',
          },
        ],
      },
      { kind: 'write-env-file', path: '/srv/app.env', mode: '0600', uid: 1000, gid: 1000 },
      { kind: 'write-ist', path: '/run/warp-init/ist.json', mode: '0644', uid: 0, gid: 0 },
    ]);
    expect(formatTable(report)).toContain(
      [
        '  /etc/tls                        2 certificates, mode 0440, uid 1000, gid 1000',
        '  /etc/tls/_.shop.example/fullchain.pem',
        '                                  /etc/tls/_.shop.example/privkey.pem,',
        '                                  *.shop.example, shop.example',
        '  /etc/tls/api.example/fullchain.pem',
        '                                  /etc/tls/api.example/privkey.pem, api.example',
        '  /srv/app.env                    the environment of the app, mode 0600,',
        '                                  uid 1000, gid 1000',
        '  /run/warp-init/ist.json         the IST map, mode 0644, uid 0, gid 0',
        '',
      ].join('\n'),
    );
    expect(report.problems).toEqual([]);
  });

  test('as a problem an env file that would put secrets on a disk, wherever they come from', async () => {
    for (const world of [
      { config, inherited: { KEY: 'warp-secret:key' } },
      { config: { init: { ...config.init, secrets: { env: { KEY: 'key' } } } } },
      { config, inherited: { KEY: 'warp-secret:key' }, secrets: { key: 'hunter2' } },
    ]) {
      const report = await reportOf({ snapshot, ...world });
      expect(report.problems).toEqual([
        expect.objectContaining({ code: 'E_ENV_FILE_DISK', exitStatus: 78 }),
      ]);
      expect(formatTable(report) + formatJson(report)).not.toContain('hunter2');
    }
  });

  test('as a problem certificates without a platform', async () => {
    const { problems } = await reportOf({ snapshot: null, config });
    expect(problems).toEqual([
      expect.objectContaining({ code: 'E_CERTIFICATES_STANDALONE', exitStatus: 69 }),
    ]);
  });

  test('the token as a removed variable where it is hidden from the app', async () => {
    const inherited = { CYCLE_API_TOKEN: 'hunter2', A: 'b' };
    const hidden = await reportOf({ config: { init: { hideToken: true } }, inherited });
    expect(hidden.removedVariables).toEqual(['CYCLE_API_TOKEN']);
    expect(formatTable(hidden)).toContain('CYCLE_API_TOKEN');
    expect((await reportOf({ inherited })).removedVariables).toEqual([]);
  });
});
