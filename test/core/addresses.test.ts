import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type AddressQuestion, chooseAddress } from '../../src/core/addresses.ts';
import type { Instance } from '../../src/core/snapshot.ts';

function bare(id: string): Instance {
  return {
    id,
    containerId: 'db',
    serverId: 'server',
    hostname: `host-${id}`,
    readyState: 'active',
    state: 'running',
    isHealthy: true,
    isReady: true,
    isDraining: false,
  };
}

function instance(id: string, change: Partial<Instance> = {}): Instance {
  return { ...bare(id), ipv4: `10.0.0.${id.length}`, ipv6: `fd00::${id.length}`, ...change };
}

/** Ids of the platform: 24 hexadecimal digits, of which neighbours share the first ones. */
function idOf(prefix: string, number: number): string {
  return `${prefix}${number.toString(16).padStart(24 - prefix.length, '0')}`;
}

function choose(instances: readonly Instance[], change: Partial<AddressQuestion> = {}) {
  return chooseAddress({ selfId: 'me', previous: undefined, family: 'auto', instances, ...change });
}

const onlyV4 = { ...bare('only-v4'), ipv4: '10.0.0.4' };
const onlyV6 = { ...bare('only-v6'), ipv6: 'fd00::6' };

describe('an instance is no candidate', () => {
  test.each([
    ['before it is active', { readyState: 'configuring' }],
    ['in hibernation', { readyState: 'hibernate' }],
    ['while it is being deleted', { state: 'deleting' }],
    ['after it was deleted', { state: 'deleted' }],
  ])('%s', (_when, change) => {
    expect(choose([instance('a', change)])).toEqual({
      tier: 'none',
      chosen: undefined,
      others: [],
      address: undefined,
    });
  });

  test('without an address', () => {
    expect(choose([bare('a')]).tier).toBe('none');
  });
});

describe('the best instances alone are used:', () => {
  test.each([
    ['healthy before unhealthy', { isHealthy: false }, 'best'],
    ['ready before not ready', { isReady: false }, 'best'],
    ['staying before draining', { isDraining: true }, 'best'],
    ['running before starting', { state: 'starting' }, 'best'],
  ])('%s', (_what, worse, tier) => {
    const { others, chosen, ...rest } = choose([instance('worse', worse), instance('good')]);

    expect([chosen?.instanceId, others, rest.tier]).toEqual(['good', [], tier]);
  });

  test('running but unhealthy before healthy but stopped', () => {
    const choice = choose([
      instance('stopped', { state: 'stopped' }),
      instance('unhealthy', { isHealthy: false }),
    ]);

    expect([choice.tier, choice.chosen?.instanceId]).toEqual(['running', 'unhealthy']);
  });

  test('where none runs, any', () => {
    expect(choose([instance('new', { state: 'new' })])).toMatchObject({
      tier: 'any',
      chosen: { instanceId: 'new' },
    });
  });
});

describe('the address of the family', () => {
  test.each([
    ['auto is IPv4 where there is both', 'auto', [instance('a')], '10.0.0.1'],
    ['auto is IPv6 where there is no IPv4', 'auto', [onlyV6], 'fd00::6'],
    ['ipv4 is IPv4', 'ipv4', [instance('a')], '10.0.0.1'],
    ['ipv6 is IPv6', 'ipv6', [instance('a')], 'fd00::1'],
    ['ipv6 is that of the instance that has one', 'ipv6', [onlyV4, onlyV6], 'fd00::6'],
    ['ipv4 is that of the instance that has one', 'ipv4', [onlyV4, onlyV6], '10.0.0.4'],
  ] as const)('%s', (_what, family, instances, address) => {
    expect(choose(instances, { family }).address).toBe(address);
  });

  test('is undefined where no instance has one, and hostnames still have where to lead', () => {
    expect(choose([onlyV4], { family: 'ipv6' })).toEqual({
      tier: 'best',
      chosen: { instanceId: 'only-v4', ipv4: '10.0.0.4' },
      others: [],
      address: undefined,
    });
  });

  test('comes before health: the other family is of no use to the app', () => {
    const unhealthy = { ...onlyV6, isHealthy: false };

    expect(choose([onlyV4, unhealthy], { family: 'ipv6' }).address).toBe('fd00::6');
  });

  test('an address that an instance lacks is no field of it', () => {
    expect(choose([onlyV6]).chosen).toStrictEqual({ instanceId: 'only-v6', ipv6: 'fd00::6' });
  });
});

describe('a choice stays', () => {
  const three = ['a', 'b', 'c'].map((id) => instance(id));

  test.each(['a', 'b', 'c'])('on %s although other callers would prefer another', (previous) => {
    expect(choose(three, { previous }).chosen?.instanceId).toBe(previous);
    expect(choose(three, { previous }).others).toHaveLength(2);
  });

  test('not when it is gone', () => {
    expect(choose(three, { previous: 'gone' })).toEqual(choose(three));
  });

  test('not when its tier is no longer the best', () => {
    const [first, ...rest] = three;
    const ill = { ...first!, isHealthy: false };

    expect(choose([ill, ...rest], { previous: 'a' }).chosen?.instanceId).not.toBe('a');
  });

  test('while every instance falls to the same tier', () => {
    const ill = three.map((one) => ({ ...one, isHealthy: false }));

    expect(choose(ill, { previous: 'b' })).toMatchObject({
      tier: 'running',
      chosen: { instanceId: 'b' },
    });
  });
});

describe('callers', () => {
  const callers = Array.from({ length: 4000 }, (_, index) => idOf('65f0c0ffee', index));
  const instances = Array.from({ length: 8 }, (_, index) => instance(idOf('65f1beef', index)));

  const choices = (among: readonly Instance[]) =>
    callers.map((selfId) => choose(among, { selfId }).chosen?.instanceId);

  test('spread evenly: each of 8 instances has its eighth of 4,000, give or take a sixth', () => {
    const counts = new Map<string | undefined, number>();
    for (const id of choices(instances)) {
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }

    expect(counts.size).toBe(8);
    expect(Math.min(...counts.values())).toBeGreaterThan(416);
    expect(Math.max(...counts.values())).toBeLessThan(584);
  });

  test('move only if their instance goes, and then to different ones', () => {
    const [gone, ...rest] = instances;
    const before = choices(instances);
    const after = choices(rest);
    const moved = after.filter((_, index) => before[index] === gone?.id);

    expect(after.filter((id, index) => id !== before[index])).toEqual(moved);
    expect(new Set(moved).size).toBe(7);
  });

  test('the order of the instances in the answer makes no difference', () => {
    const ids = fc.uniqueArray(fc.constantFrom('a', 'b', 'ab', 'ba', 'c', '', '0', '00'));

    fc.assert(
      fc.property(ids, fc.constantFrom('a', 'c', undefined), (list, previous) => {
        const forward = list.map((id) => instance(id));

        expect(choose(forward.toReversed(), { previous })).toEqual(choose(forward, { previous }));
      }),
    );
  });
});
