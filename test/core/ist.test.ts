import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { IstEntry } from '../../src/core/config.ts';
import { type IstInput, type IstMap, resolveIst } from '../../src/core/ist.ts';
import type { Container, Instance } from '../../src/core/snapshot.ts';

const self: Container = { id: 'c-self', name: 'web', identifier: 'web' };

function container(name: string, change: Partial<Container> = {}): Container {
  return { id: `c-${name}`, name, identifier: 'any', ...change };
}

function instance(containerId: string, change: Partial<Instance> = {}): Instance {
  return {
    id: `i-${containerId}`,
    containerId,
    serverId: 'server',
    hostname: 'host',
    readyState: 'active',
    state: 'running',
    isHealthy: true,
    isReady: true,
    isDraining: false,
    ipv4: '10.0.0.1',
    ...change,
  };
}

/** A snapshot in which each container has one good instance. */
function inputOf(
  containers: readonly Container[],
  entries: readonly IstEntry[] = [],
  change: Partial<IstInput> = {},
): IstInput {
  return {
    snapshot: { self, containers, instances: containers.map(({ id }) => instance(id)) },
    entries,
    settings: { family: 'auto', variables: 'all' },
    selfId: 'me',
    ...change,
  };
}

function entry(service: string, names: Partial<IstEntry>): IstEntry {
  return { service, variables: [], hostnames: [], ...names };
}

/** Who has which name: `{name: container id}`. */
function ownersOf(map: IstMap): Record<string, string> {
  return Object.fromEntries(
    map.services.flatMap(({ containerId, hostnames, variables }) =>
      [...hostnames, ...variables].map(({ name }) => [name, containerId]),
    ),
  );
}

async function ownersAmong(names: readonly string[], entries: readonly IstEntry[] = []) {
  return ownersOf(
    await resolveIst(
      inputOf(
        names.map((name) => container(name)),
        entries,
      ),
    ),
  );
}

const codesOf = (map: IstMap) => map.warnings.map(({ code }) => code);

describe('a service of the map', () => {
  test('has its address, its default names and their rules, explicit ones first', async () => {
    const entries = [entry('my-db', { variables: ['DB_HOST'], hostnames: ['db.internal'] })];

    expect(await resolveIst(inputOf([container('my-db')], entries))).toEqual({
      services: [
        {
          name: 'my-db',
          containerId: 'c-my-db',
          hasEntry: true,
          tier: 'best',
          address: '10.0.0.1',
          chosen: { instanceId: 'i-c-my-db', ipv4: '10.0.0.1' },
          others: [],
          hostnames: [
            { name: 'db.internal', rule: 'explicit' },
            { name: 'my-db.warp', rule: 'hostname' },
          ],
          variables: [
            { name: 'DB_HOST', rule: 'explicit' },
            { name: 'WARP_IST_my-db', rule: 'generic' },
            { name: 'WARP_IST_my_db', rule: 'shell' },
          ],
        },
      ],
      conflicts: [],
      warnings: [],
    });
  });

  test('may be the container itself', async () => {
    expect(ownersOf(await resolveIst(inputOf([self])))).toMatchObject({ 'web.warp': 'c-self' });
  });

  test('has names beyond ASCII folded, also where only one of many needs it', async () => {
    expect(await ownersAmong(['db', 'données'])).toMatchObject({ WARP_IST_donnees: 'c-données' });
  });

  test('whose two default variables are one has it once, without a conflict', async () => {
    const map = await resolveIst(inputOf([container('db')]));

    expect(map.services[0]?.variables).toEqual([{ name: 'WARP_IST_db', rule: 'generic' }]);
    expect(map.conflicts).toEqual([]);
  });

  test('whose entry repeats a default name has it once, without a conflict', async () => {
    const entries = [
      entry('db', { variables: ['WARP_IST_db'], hostnames: ['DB.warp', 'db.warp'] }),
    ];
    const map = await resolveIst(inputOf([container('db')], entries));

    expect(map.services[0]?.variables).toEqual([{ name: 'WARP_IST_db', rule: 'explicit' }]);
    expect(map.services[0]?.hostnames).toEqual([{ name: 'DB.warp', rule: 'explicit' }]);
    expect(map.conflicts).toEqual([]);
  });

  test.each([
    ['all', ['DB_HOST', 'WARP_IST_db']],
    ['explicit', ['DB_HOST']],
    ['none', []],
  ] as const)('has with init.ist.variables %s the variables %j', async (variables, names) => {
    const map = await resolveIst(
      inputOf([container('db')], [entry('db', { variables: ['DB_HOST'] })], {
        settings: { family: 'auto', variables },
      }),
    );

    expect(map.services[0]?.variables.map(({ name }) => name)).toEqual(names);
    expect(map.services[0]?.hostnames).toHaveLength(1);
  });
});

test('services come by code point, beyond U+FFFF last, not in the order of UTF-16', async () => {
  const names = ['b', '\ue000', '😀', 'B', '', '😁', '\uffff', 'b-'];
  const map = await resolveIst(inputOf(names.map((name) => container(name))));

  expect(map.services.map(({ name }) => name)).toEqual([
    '',
    'B',
    'b',
    'b-',
    '\ue000',
    '\uffff',
    '😀',
    '😁',
  ]);
});

describe('a container sees', () => {
  const all = [
    container('blue', { deployment: 'v1' }),
    container('green', { deployment: 'v2' }),
    container('shared'),
  ];

  test.each([
    ['its deployment and what is in none, if it is in one', 'v1', ['blue', 'shared']],
    ['what is in none, if nothing else is in its deployment', 'v3', ['shared']],
    ['everything, if it is in none', undefined, ['blue', 'green', 'shared']],
  ])('%s', async (_what, deployment, names) => {
    const input = inputOf(all);
    const me = deployment === undefined ? self : { ...self, deployment };
    const map = await resolveIst({ ...input, snapshot: { ...input.snapshot, self: me } });

    expect(map.services.map(({ name }) => name)).toEqual(names);
  });

  const balanced = inputOf([], [], {
    snapshot: {
      self,
      containers: [container('lb')],
      instances: [instance('c-lb', { platformService: 'loadbalancer' })],
    },
  });

  test('no service of the platform that no entry names', async () => {
    expect(await resolveIst(balanced)).toEqual({ services: [], conflicts: [], warnings: [] });
  });

  test('a service of the platform that an entry names, by its default names too', async () => {
    const map = await resolveIst({ ...balanced, entries: [entry('lb', { variables: ['LB'] })] });

    expect(ownersOf(map)).toMatchObject({ LB: 'c-lb', 'lb.warp': 'c-lb' });
  });
});

describe('of services that want one name, it has', () => {
  test.each([
    ['the explicit one before the default one', ['my-db', 'db'], 'my-db.warp', 'c-db'],
    ['the explicit one in other letter case', ['other', 'db-2'], 'OTHER.warp', 'c-db-2'],
    ['the generic one before the shell one', ['a_b', 'a-b'], 'WARP_IST_a_b', 'c-a_b'],
    ['the one without an entry', ['a b', 'a:b'], 'a-b.warp', 'c-a:b'],
    ['the first in order', ['x:b', 'x b', 'x;b'], 'x-b.warp', 'c-x b'],
    ['the first of two explicit ones', ['e2', 'e1'], 'same.internal', 'c-e1'],
  ])('%s', async (_who, names, name, owner) => {
    const owners = await ownersAmong(names, [
      entry('db', { hostnames: ['my-db.warp'] }),
      entry('db-2', { hostnames: ['OTHER.warp'] }),
      entry('a b', { variables: ['SOMETHING'] }),
      entry('e2', { hostnames: ['same.internal'] }),
      entry('e1', { hostnames: ['same.internal'] }),
    ]);

    expect(owners[name]).toBe(owner);
  });

  const two = [container('db', { id: 'c-1' }), container('db', { id: 'c-2' })];

  test('the first container id, if they are called alike', async () => {
    expect(ownersOf(await resolveIst(inputOf(two)))).toEqual({
      'db.warp': 'c-1',
      WARP_IST_db: 'c-1',
    });
  });

  test('the one that can be reached, if they are called alike', async () => {
    const input = inputOf(two, [], {
      snapshot: { self, containers: two, instances: [instance('c-2')] },
    });

    expect(ownersOf(await resolveIst(input))).toMatchObject({ 'db.warp': 'c-2' });
  });

  test('nobody, while its owner cannot be reached: no caller may end at another service', async () => {
    const containers = [container('a b'), container('a-b')];
    const map = await resolveIst(
      inputOf(containers, [], { snapshot: { self, containers, instances: [instance('c-a-b')] } }),
    );

    expect(ownersOf(map)).toEqual({ 'WARP_IST_a-b': 'c-a-b' });
    expect(map.conflicts).toContainEqual({
      kind: 'hostname',
      name: 'a-b.warp',
      winner: 'a b',
      losers: ['a-b'],
    });
  });

  test('one of them, if variables differ in letter case only: those are two names', async () => {
    expect(await ownersAmong(['DB', 'db'])).toMatchObject({
      WARP_IST_DB: 'c-DB',
      WARP_IST_db: 'c-db',
      'db.warp': 'c-DB',
    });
  });
});

async function warningOf(names: readonly string[], entries: readonly IstEntry[] = []) {
  const map = await resolveIst(
    inputOf(
      names.map((name) => container(name)),
      entries,
    ),
  );
  return map.warnings.find(({ message }) => message.includes(' a-b.warp'));
}

describe('the warning of a conflict', () => {
  test('says who has the name, and shows the entry that would give it to the other', async () => {
    const map = await resolveIst(
      inputOf([container('a-b', { id: 'c-2' }), container('a\nb', { id: 'c-1' })]),
    );

    expect(map.warnings[1]).toEqual({
      code: 'W_IST_CONFLICT',
      message:
        'The hostname a-b.warp is the name of several services: "a\\nb" (c-1) has it, and not "a-b" (c-2)',
      where: 'ist in warp.config.js',
      fix: 'Put { service: "a-b", hostnames: ["a-b.warp"] } into `ist` to give the name to "a-b", or the same for "a\\nb" to keep it there.',
    });
  });

  test('shows an entry that keeps what the present one holds', async () => {
    const entries = [entry('a-b', { variables: ['X'], hostnames: ['y'] })];

    expect((await warningOf(['a-b', 'a b'], entries))?.fix).toContain(
      '{ service: "a-b", variables: ["X"], hostnames: ["y", "a-b.warp"] }',
    );
  });

  test.each(['a b', 'a-b'])('ends with the entry that it shows, for %s', async (service) => {
    const entries = [entry(service, { hostnames: ['a-b.warp'] })];
    const map = await resolveIst(inputOf([container('a b'), container('a-b')], entries));

    expect(map.warnings.filter(({ message }) => message.includes(' a-b.warp'))).toEqual([]);
    expect(map.conflicts).toContainEqual(
      expect.objectContaining({ name: 'a-b.warp', winner: service }),
    );
  });

  test('of two explicit names shows the entry without the name', async () => {
    const entries = [
      entry('a b', { hostnames: ['a-b.warp'] }),
      entry('z', { variables: ['Z'], hostnames: ['A-B.warp', 'z.internal'] }),
    ];

    expect((await warningOf(['a b', 'z'], entries))?.fix).toContain(
      '{ service: "z", variables: ["Z"], hostnames: ["z.internal"] }',
    );
  });

  test('of services called alike says that no entry helps', async () => {
    const map = await resolveIst(
      inputOf([container('db', { id: 'c-1' }), container('db', { id: 'c-2' })]),
    );

    expect(map.warnings.map(({ fix }) => fix)).toEqual(
      Array(2).fill('Rename one of these containers, or keep them apart by deployments.'),
    );
  });

  test('names five of a hundred losers, and says how many more there are', async () => {
    const names = Array.from(
      { length: 101 },
      (_, index) => `a${String.fromCodePoint(0x2e80 + index)}@b`,
    );
    const map = await resolveIst(inputOf(names.map((name) => container(name))));
    const { message } = map.warnings.find(({ message: text }) => text.includes('a--b.warp'))!;

    expect(message).toMatch(/ and 95 more$/);
    expect(message.match(/@b/g)).toHaveLength(12);
  });
});

describe('a warning says that', () => {
  test('a service has no address, and it has no names', async () => {
    const map = await resolveIst(
      inputOf([], [], { snapshot: { self, containers: [container('db')], instances: [] } }),
    );

    expect(codesOf(map)).toEqual(['W_NO_ADDRESS']);
    expect(map.services).toEqual([
      {
        name: 'db',
        containerId: 'c-db',
        hasEntry: false,
        tier: 'none',
        others: [],
        hostnames: [],
        variables: [],
      },
    ]);
  });

  test('a service has no address of the family, and it has hostnames only', async () => {
    const map = await resolveIst(
      inputOf([container('db')], [], { settings: { family: 'ipv6', variables: 'all' } }),
    );

    expect(codesOf(map)).toEqual(['W_NO_ADDRESS_OF_FAMILY']);
    expect(ownersOf(map)).toEqual({ 'db.warp': 'c-db' });
  });

  test('the family is not there only where variables are wanted', async () => {
    const map = await resolveIst(
      inputOf([container('db')], [], { settings: { family: 'ipv6', variables: 'none' } }),
    );

    expect(map.warnings).toEqual([]);
  });

  test.each([
    ['does not exist', 'dbx', 'No service is called "dbx"'],
    ['is not visible', 'green', 'The service "green" is in another deployment'],
  ])('the service of an entry %s', async (_what, service, message) => {
    const input = inputOf([container('green', { deployment: 'v2' })], [entry(service, {})]);
    const me = { ...self, deployment: 'v1' };
    const map = await resolveIst({ ...input, snapshot: { ...input.snapshot, self: me } });

    expect(map.services).toEqual([]);
    expect(map.warnings[0]).toMatchObject({ code: 'W_IST_UNKNOWN_SERVICE' });
    expect(map.warnings[0]?.message).toContain(message);
  });

  test.each([
    ['a name of hyphens gives no hostname', '---', ['W_IST_NO_HOSTNAME']],
    ['a label has 64 octets', 'a'.repeat(64), ['W_IST_LONG_HOSTNAME']],
    ['a name with NUL has a shell variable only', 'a\0b', ['W_IST_NO_VARIABLE']],
    ['nothing, for a label of 63 octets', 'a'.repeat(63), []],
  ])('%s', async (_what, name, codes) => {
    expect(codesOf(await resolveIst(inputOf([container(name)])))).toEqual(codes);
  });

  test.each(['---', 'a'.repeat(64), 'a\0b', '\0'])(
    'a default name is bad only as long as no entry gives a better one: %j',
    async (name) => {
      const entries = [entry(name, { variables: ['X'], hostnames: ['x'] })];

      expect(codesOf(await resolveIst(inputOf([container(name)], entries)))).toEqual([]);
    },
  );
});

const chosenWith = async (previous: string, among: readonly Instance[]) => {
  const snapshot = { self, containers: [container('db')], instances: among };
  const map = await resolveIst(
    inputOf([], [], { snapshot, previous: new Map([['c-db', previous]]) }),
  );
  return map.services[0]?.chosen?.instanceId;
};

test('a choice stays as long as the instance is one of the best', async () => {
  const instances = ['a', 'b', 'c', 'd'].map((id) =>
    instance('c-db', { id, ipv4: `10.0.0.${id}` }),
  );
  for (const { id } of instances) {
    const ill = instances.map((one) => (one.id === id ? { ...one, isHealthy: false } : one));

    expect(await chosenWith(id, instances)).toBe(id);
    expect(await chosenWith(id, ill)).not.toBe(id);
  }
});

describe('whatever the services are called', () => {
  const awkwardNames = [
    'my-db',
    'my db',
    'my=db',
    'my:db',
    'my_db',
    'MY-DB',
    'my-db-',
    'é',
    'e',
    '✅',
    '-',
    '',
    'db\n',
    'db',
    '#',
    '\0',
    'ß',
    'ss',
    'Ⅷ',
    'VIII',
    '😀',
    '\ud83d',
    'a@b',
    'a@b@c',
    '\u2028',
    'a'.repeat(300),
    '✅'.repeat(300),
    '-'.repeat(300),
  ];
  const name = fc.constantFrom(...awkwardNames);
  const containers = fc.uniqueArray(
    fc.record(
      {
        id: fc.nat(11).map((index) => `c${index}`),
        name,
        identifier: fc.constant('any'),
        deployment: fc.constantFrom('v1', 'v2'),
      },
      { requiredKeys: ['id', 'name', 'identifier'] },
    ),
    { selector: ({ id }) => id },
  );
  const instances = fc.uniqueArray(
    fc.record(
      {
        containerId: fc.nat(11).map((index) => `c${index}`),
        id: fc.nat(40).map((index) => `i${index}`),
        isHealthy: fc.boolean(),
        state: fc.constantFrom('running', 'running', 'stopped', 'deleting'),
        ipv4: fc.constantFrom('10.0.0.1', '10.0.0.2'),
        ipv6: fc.constantFrom('fd00::1', 'fd00::2'),
      },
      { requiredKeys: ['containerId', 'id', 'isHealthy', 'state'] },
    ),
    { selector: ({ id }) => id, maxLength: 30 },
  );
  const entries = fc.uniqueArray(
    fc.record({
      service: name,
      variables: fc.array(fc.constantFrom('DB', 'WARP_IST_my_db', 'WARP_IST_e')),
      hostnames: fc.array(fc.constantFrom('db', 'my-db.warp', 'MY-DB.warp', 'xn--7ca.warp')),
    }),
    { selector: ({ service }) => service },
  );
  const input: fc.Arbitrary<IstInput> = fc.record({
    snapshot: fc.record({
      self: fc.constantFrom(self, { ...self, deployment: 'v1' }),
      containers,
      instances: instances.map((list) =>
        list.map((one) => {
          const { ipv4: _, ...rest } = instance(one.containerId);
          return { ...rest, ...one };
        }),
      ),
    }),
    entries,
    settings: fc.record({
      family: fc.constantFrom('auto', 'ipv4', 'ipv6'),
      variables: fc.constantFrom('all', 'explicit', 'none'),
    }),
    selfId: fc.constant('me'),
  });

  const holds = async (property: (map: IstMap, given: IstInput) => void | Promise<void>) =>
    fc.assert(
      fc.asyncProperty(input, async (given) => {
        await property(await resolveIst(given), given);
      }),
    );

  test('a name belongs to one service, which can be reached', async () => {
    await holds(({ services }) => {
      const hostnames = services.flatMap((one) => one.hostnames.map((h) => h.name.toLowerCase()));
      const variables = services.flatMap((one) => one.variables.map((v) => v.name));

      expect(new Set(hostnames).size).toBe(hostnames.length);
      expect(new Set(variables).size).toBe(variables.length);

      for (const one of services) {
        expect(one.hostnames.length > 0 && one.chosen === undefined).toBe(false);
        expect(one.variables.length > 0 && one.address === undefined).toBe(false);
      }
    });
  });

  test('a name that no entry gave fits into hosts and the environment', async () => {
    await holds(({ services }) => {
      for (const { name: one, rule } of services.flatMap((s) => [...s.hostnames, ...s.variables])) {
        const form = {
          explicit: /^[^\s#=\0]+$/,
          hostname: /^[a-z0-9-]+\.warp$/,
          generic: /^WARP_IST_[!-"$-<>-~]*$/,
          shell: /^WARP_IST_\w*$/,
        };

        expect(one).toMatch(form[rule]);
      }
    });
  });

  test('a name that an entry gives exists if one of its services can be reached, or is a conflict', async () => {
    await holds((map, { entries: given }) => {
      const names = new Set(Object.keys(ownersOf(map)).map((one) => one.toLowerCase()));
      const contested = new Set(map.conflicts.map((one) => one.name.toLowerCase()));

      for (const service of map.services.filter(({ chosen }) => chosen !== undefined)) {
        const own = given.find((one) => one.service === service.name)?.hostnames ?? [];
        const lost = own.filter(
          (one) => !names.has(one.toLowerCase()) && !contested.has(one.toLowerCase()),
        );

        expect(lost).toEqual([]);
      }
    });
  });

  test('a conflict is a warning, unless an entry gives the name to one service alone', async () => {
    await holds(({ conflicts, warnings, services }, { entries: given }) => {
      const seen = new Set(services.map((one) => one.containerId));
      const wanting = (conflict: IstMap['conflicts'][number]) =>
        services.filter(
          (one) =>
            seen.has(one.containerId) &&
            given
              .filter(({ service }) => service === one.name)
              .flatMap((own) => (conflict.kind === 'hostname' ? own.hostnames : own.variables))
              .some((text) =>
                conflict.kind === 'hostname'
                  ? text.toLowerCase() === conflict.name.toLowerCase()
                  : text === conflict.name,
              ),
        );

      expect(warnings.filter(({ code }) => code === 'W_IST_CONFLICT')).toHaveLength(
        conflicts.filter((conflict) => wanting(conflict).length !== 1).length,
      );
    });
  });

  test('the order in which the platform and the config list things makes no difference', async () => {
    await holds(async (map, given) => {
      const { self: me, containers: boxes, instances: list } = given.snapshot;
      const turned = {
        ...given,
        entries: given.entries.toReversed(),
        snapshot: { self: me, containers: boxes.toReversed(), instances: list.toReversed() },
      };
      const { warnings, ...rest } = await resolveIst(turned);
      const { warnings: before, ...same } = map;

      expect(rest).toEqual(same);
      expect(new Set(warnings)).toEqual(new Set(before));
    });
  });

  test('asked again with its own answer, it chooses the same', async () => {
    await holds(async ({ services }, given) => {
      const previous = new Map(
        services.flatMap(({ containerId, others }) =>
          others.slice(-1).map(({ instanceId }) => [containerId, instanceId] as const),
        ),
      );
      const again = await resolveIst({ ...given, previous });

      for (const one of again.services.filter(({ containerId }) => previous.has(containerId))) {
        expect(one.chosen?.instanceId).toBe(previous.get(one.containerId));
      }
    });
  });

  test('no warning has a second line or a control character', async () => {
    await holds(({ warnings }) => {
      for (const { message, where, fix } of warnings) {
        expect(message + where + fix).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
      }
    });
  });
});
