// resolveIst and encodeServiceName as callers get them; the rules themselves are tested in test/core.
import { describe, expect, test } from 'vitest';

import { defineConfig, encodeServiceName, resolveIst } from '../../src/api/index.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import { errorOf } from './error-of.ts';

function instance(id: string, containerId: string, ipv4: string) {
  return {
    id,
    containerId,
    serverId: 's',
    hostname: id,
    readyState: 'active',
    state: 'running',
    isHealthy: true,
    isReady: true,
    isDraining: false,
    ipv4,
  };
}

const web = { id: 'c-web', name: 'web', identifier: 'web' };
const db = { id: 'c-db', name: 'my-db', identifier: 'my-db' };
const snapshot: Pick<Snapshot, 'self' | 'containers' | 'instances'> = {
  self: web,
  containers: [web, db],
  instances: [
    instance('i-web', 'c-web', '10.0.0.1'),
    instance('i-db1', 'c-db', '10.0.0.20'),
    instance('i-db2', 'c-db', '10.0.0.21'),
  ],
};

describe('resolveIst', () => {
  test('gives what ist.json has, and conflicts and warnings', async () => {
    const { version, services, hostnames, variables, conflicts, warnings } = await resolveIst({
      snapshot,
    });

    expect(version).toBe(1);
    expect(services.map(({ name }) => name)).toEqual(['my-db', 'web']);
    expect(hostnames['my-db.warp']?.toSorted()).toEqual(['10.0.0.20', '10.0.0.21']);
    expect(variables['WARP_IST_my_db']).toBe(hostnames['my-db.warp']?.[0]);
    expect([conflicts, warnings]).toEqual([[], []]);
  });

  test('takes names and options from a config as it is written, also from a function', async () => {
    const config = defineConfig(() => ({
      ist: { service: 'my-db', hostnames: 'DB.Internal', variables: ['DB_HOST'] },
      init: { ist: { variables: 'explicit' }, hosts: { addresses: 'chosen' } },
    }));
    const { hostnames, variables } = await resolveIst({ snapshot, config });

    expect(Object.keys(variables)).toEqual(['DB_HOST']);
    expect(hostnames['db.internal']).toEqual([variables['DB_HOST']]);
  });

  test('lets each instance choose for itself, and keeps a choice that is still good', async () => {
    const choiceOf = async (instanceId: string) =>
      (await resolveIst({ snapshot, instanceId })).variables['WARP_IST_my-db'];
    const choices = await Promise.all(Array.from({ length: 20 }, (_, n) => choiceOf(`i-${n}`)));
    const kept = await resolveIst({ snapshot, previous: new Map([['c-db', 'i-db2']]) });
    const alsoKept = await resolveIst({ snapshot, previous: new Map([['c-db', 'i-db1']]) });

    expect(new Set(choices)).toEqual(new Set(['10.0.0.20', '10.0.0.21']));
    expect(kept.variables['WARP_IST_my-db']).toBe('10.0.0.21');
    expect(alsoKept.variables['WARP_IST_my-db']).toBe('10.0.0.20');
  });

  test('without an instance id asks as the container does, also where the variable is empty', async () => {
    const unknown = await resolveIst({ snapshot });

    expect(await resolveIst({ snapshot, instanceId: 'c-web' })).toEqual(unknown);
    expect(await resolveIst({ snapshot, instanceId: '' })).toEqual(unknown);
  });

  test('names every problem of a config', async () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- As a caller without types would write it.
    const config = { ist: [{ servce: 'my-db' }], init: { hosts: { addresses: 'some' } } } as never;
    const error = await errorOf(resolveIst({ snapshot, config }));

    expect(error).toMatchObject({ code: 'E_CONFIG' });
    expect(error.message).toMatch(/Cannot use the config, which has \d problems:/);
    expect(error.message).toContain('init.hosts.addresses');
  });
});

test('encodeServiceName folds what is not ASCII in variables, and writes punycode in hostnames', () => {
  expect(encodeServiceName('Größe 1')).toEqual({
    hostname: 'xn--gre-1-mqa4n.warp',
    generic: 'WARP_IST_Grosse_1',
    shell: 'WARP_IST_Grosse_1',
  });
  expect(encodeServiceName('---').hostname).toBeUndefined();
});
