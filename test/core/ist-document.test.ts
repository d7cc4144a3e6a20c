import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { formatIstDocument, planIstFile } from '../../src/core/ist-document.ts';
import type { IstMap, IstService } from '../../src/core/ist.ts';

const db: IstService = {
  name: 'my-db',
  containerId: 'c-db',
  hasEntry: true,
  tier: 'best',
  chosen: { instanceId: 'i-1', ipv4: '10.0.0.1', ipv6: 'fd00::1' },
  others: [{ instanceId: 'i-2', ipv4: '10.0.0.2' }],
  address: '10.0.0.1',
  hostnames: [
    { name: 'db.internal', rule: 'explicit' },
    { name: 'my-db.warp', rule: 'hostname' },
  ],
  variables: [
    { name: '__proto__', rule: 'explicit' },
    { name: 'WARP_IST_my-db', rule: 'generic' },
  ],
};
const gone: IstService = {
  name: 'gone\ud800',
  containerId: 'c-gone',
  hasEntry: false,
  tier: 'none',
  others: [],
  hostnames: [],
  variables: [],
};
const map: IstMap = { services: [gone, db], conflicts: [], warnings: [] };

describe('ist.json', () => {
  test('has services, hostnames and variables, and `null` where there is nothing', () => {
    const text = formatIstDocument(map, 'all');
    expect(text.endsWith('}\n')).toBe(true);
    expect(text).toContain('"__proto__":"10.0.0.1"');
    expect(JSON.parse(text)).toEqual({
      version: 1,
      services: [
        {
          name: 'gone\ud800',
          containerId: 'c-gone',
          tier: 'none',
          address: null,
          chosen: null,
          others: [],
          hostnames: [],
          variables: [],
        },
        {
          name: 'my-db',
          containerId: 'c-db',
          tier: 'best',
          address: '10.0.0.1',
          chosen: { instanceId: 'i-1', ipv4: '10.0.0.1', ipv6: 'fd00::1' },
          others: [{ instanceId: 'i-2', ipv4: '10.0.0.2', ipv6: null }],
          hostnames: ['db.internal', 'my-db.warp'],
          variables: ['__proto__', 'WARP_IST_my-db'],
        },
      ],
      hostnames: {
        'db.internal': ['10.0.0.1', '10.0.0.2', 'fd00::1'],
        'my-db.warp': ['10.0.0.1', '10.0.0.2', 'fd00::1'],
      },
      variables: Object.fromEntries([
        ['__proto__', '10.0.0.1'],
        ['WARP_IST_my-db', '10.0.0.1'],
      ]),
    });
  });

  test('has of each name the addresses that /etc/hosts has', () => {
    expect(JSON.parse(formatIstDocument(map, 'chosen'))).toMatchObject({
      hostnames: { 'my-db.warp': ['10.0.0.1', 'fd00::1'] },
    });
  });

  test('has each name as it is, whatever it is made of', () => {
    const names = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', '\x7f', '\ud800', '{') });
    fc.assert(
      fc.property(names, (name) => {
        const named: IstService = { ...db, variables: [{ name, rule: 'generic' }], hostnames: [] };
        const text = formatIstDocument({ ...map, services: [named] }, 'all');
        expect(JSON.parse(text)).toMatchObject({ variables: { [name]: '10.0.0.1' } });
      }),
    );
  });

  test('has every key also where there is no service', () => {
    expect(formatIstDocument({ services: [], conflicts: [], warnings: [] }, 'all')).toBe(
      '{"version":1,"services":[],"hostnames":{},"variables":{}}\n',
    );
  });

  test('is for everybody to read, in the state directory, if there is one', () => {
    const settings = { hosts: { addresses: 'all', onError: 'warn' } } as const;
    const input = { settings, uid: 7, gid: 8 };
    const usable = { kind: 'usable', path: '/run/warp-init' } as const;
    expect(planIstFile(map, { ...input, state: usable })).toMatchObject({
      path: '/run/warp-init/ist.json',
      owner: { mode: 0o644, uid: 7, gid: 8 },
    });
    expect(planIstFile(map, { ...input, state: { kind: 'none', tried: [] } })).toBeUndefined();
  });
});
