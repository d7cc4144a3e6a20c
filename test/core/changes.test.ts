import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { changesBetween, hasChanges } from '../../src/core/changes.ts';
import type { VariableRule } from '../../src/core/config.ts';
import { emptyConfig } from '../../src/core/empty-config.ts';
import type { Variable } from '../../src/core/environment.ts';
import {
  type Knowledge,
  type KnowledgeInput,
  knowInstances,
  knowledgeOf,
} from '../../src/core/knowledge.ts';
import { chosenInstances } from '../../src/core/memo.ts';
import { resolveInputs } from '../../src/core/resolve.ts';
import { Secret } from '../../src/core/secret.ts';
import { type Settings, resolveSettings } from '../../src/core/settings.ts';
import type { Container, Instance } from '../../src/core/snapshot.ts';

const defaults = resolveSettings({ commandLine: {}, environment: {}, init: emptyConfig.init });
const self: Container = { id: 'self', name: 'web', identifier: 'web' };

type Db = Partial<Instance> & { readonly id: string };

function instance({ id, ...change }: Db, containerId: string): Instance {
  return {
    id,
    containerId,
    serverId: 'server',
    hostname: 'host',
    readyState: 'active',
    state: 'running',
    isHealthy: true,
    isReady: true,
    isDraining: false,
    ipv4: `10.0.0.${id}`,
    ...change,
  };
}

function instancesOf(db: readonly Db[]): readonly Instance[] {
  return db.map((it) => instance(it, 'c-db'));
}

type World = {
  readonly db?: readonly Db[];
  readonly names?: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly certificates?: Readonly<Record<string, string>>;
  readonly argv?: readonly string[];
  readonly rules?: readonly VariableRule[];
  readonly settings?: Partial<Settings>;
};

/** What an app knows beside a service `db` (and others) with these instances; addresses stay where they were. */
async function know(world: World, before?: Known): Promise<Known> {
  const settings = { ...defaults, ...world.settings };
  const names = world.names ?? ['db'];
  const containers = names.map((name) => ({ id: `c-${name}`, name, identifier: name }));
  const instances = containers.flatMap(({ id, name }) =>
    (name === 'db' ? (world.db ?? [{ id: '1' }]) : [{ id: '9' }]).map((it) => instance(it, id)),
  );
  const resolved = await resolveInputs({
    config: { ...emptyConfig, settings },
    platform: {
      snapshot: { self, containers: [self, ...containers], instances },
      self: { selfId: 'me', instance: undefined, warnings: [] },
    },
    written: {
      inherited: new Map(Object.entries(world.variables ?? {})),
      dotenv: [],
      rules: world.rules ?? [],
    },
    user: undefined,
    secrets: undefined,
    argv: [],
    stackBytes: undefined,
    ...(before !== undefined && { chosen: before.chosen }),
  });
  const secrets = new Map(
    Object.entries(world.secrets ?? {}).map(([name, text]) => [name, new Secret(text)]),
  );
  const input: KnowledgeInput = {
    resolved,
    instances,
    secrets,
    certificates: new Map(Object.entries(world.certificates ?? {})),
    argv: world.argv ?? ['app'],
    settings,
  };
  return { knowledge: knowledgeOf(input), chosen: chosenInstances(resolved.ist) };
}

type Known = { readonly knowledge: Knowledge; readonly chosen: ReadonlyMap<string, string> };

async function changesOf(before: World, after: World) {
  const known = await know(before);
  return changesBetween(known.knowledge, (await know(after, known)).knowledge);
}

const same = { names: [], isUrgent: false };
const calm = { names: ['db'], isUrgent: false };
const urgent = { names: ['db'], isUrgent: true };

describe('no difference', () => {
  test('is none in any kind, and values of one content are one value', async () => {
    const world = {
      secrets: { key: 'a' },
      certificates: { 'a.example': 'PEM' },
      variables: { A: '1' },
    };
    const changes = await changesOf(world, { ...world });

    expect(changes).toEqual({ ist: same, secrets: same, certificates: same, config: same });
    expect(hasChanges(changes)).toBe(false);
  });

  test('is the order of instances in the answer', async () => {
    const changes = await changesOf(
      { db: [{ id: '1' }, { id: '2' }] },
      { db: [{ id: '2' }, { id: '1' }] },
    );

    expect(changes.ist).toEqual(same);
  });
});

describe('health, readiness and drain alone', () => {
  test.each([
    ['becomes unhealthy', { isHealthy: false }],
    ['becomes unready', { isReady: false }],
    ['begins to drain', { isDraining: true }],
    ['is stopped and can be started again', { state: 'stopped' }],
  ])('are not urgent: each of two instances %s, and comes back', async (_what, ill) => {
    const well = [{ id: '1' }, { id: '2' }];
    for (const id of ['1', '2']) {
      const sick = well.map((it) => (it.id === id ? { ...it, ...ill } : it));

      expect((await changesOf({ db: well }, { db: sick })).ist).toEqual(calm);
      expect((await changesOf({ db: sick }, { db: well })).ist).toEqual(calm);
    }
  });

  test('of the only instance is no change at all', async () => {
    expect((await changesOf({}, { db: [{ id: '1', isHealthy: false }] })).ist).toEqual(same);
  });
});

describe('it is urgent that', () => {
  test.each([
    ['the address in use is gone', [{ id: '1' }], [{ id: '2' }]],
    ['the instance in use has another address', [{ id: '1' }], [{ id: '1', ipv4: '10.9.9.9' }]],
    ['the instance in use is being deleted', [{ id: '1' }], [{ id: '1', state: 'deleting' }]],
    [
      'one of two is being deleted',
      [{ id: '1' }, { id: '2' }],
      [{ id: '1', state: 'deleting' }, { id: '2' }],
    ],
    ['the service has its first instance', [], [{ id: '1' }]],
    ['an instance is added', [{ id: '1' }], [{ id: '1' }, { id: '2' }]],
    ['an instance is removed', [{ id: '1' }, { id: '2' }], [{ id: '1' }]],
  ])('%s', async (_what, before, after) => {
    expect((await changesOf({ db: before }, { db: after })).ist).toEqual(urgent);
  });

  test('a service is new, or removed, and nobody else is named', async () => {
    const both = { names: ['cache', 'db'] };
    const change = { names: ['cache'], isUrgent: true };

    expect((await changesOf({}, both)).ist).toEqual(change);
    expect((await changesOf(both, {})).ist).toEqual(change);
  });

  test('not that an instance is added where hosts holds the chosen one alone', async () => {
    const hosts = { addresses: 'chosen', onError: 'warn' } as const;
    const before = { db: [{ id: '1' }], settings: { hosts } };

    expect((await changesOf(before, { ...before, db: [{ id: '1' }, { id: '2' }] })).ist).toEqual(
      same,
    );
  });
});

test('an address that the app still uses is gone with its instance, though another one replaced it in the files', async () => {
  const told = await know({ db: [{ id: '1' }] });
  const ill = await know({ db: [{ id: '1', isHealthy: false }, { id: '2' }] }, told);
  const gone = await know({ db: [{ id: '2' }] }, ill);

  expect(changesBetween(ill.knowledge, gone.knowledge).ist.isUrgent).toBe(false);
  expect(changesBetween(told.knowledge, gone.knowledge).ist).toEqual(urgent);
});

test('an instance that was there without being used is no news when health makes it used', async () => {
  const hosts = { addresses: 'chosen', onError: 'warn' } as const;
  const before = { db: [{ id: '1' }], settings: { hosts } };
  const told = await know(before);
  const db = [{ id: '1' }, { id: '2' }, { id: '3', state: 'starting' }];
  const more = await know({ ...before, db }, told);
  const known = knowInstances(told.knowledge, more.knowledge, instancesOf(db));
  const change = async (ill: Partial<Instance>, well: string) => {
    const now = db.map((it) => (it.id === well ? { id: well } : { ...it, ...ill }));
    return changesBetween(known, (await know({ ...before, db: now }, more)).knowledge).ist;
  };

  expect(await change({ isHealthy: false }, '2')).toEqual(calm);
  // It did not run at that time.
  expect(await change({ isHealthy: false }, '3')).toEqual(urgent);
  // The one that the app uses is not there any more.
  expect(await change({ state: 'deleting' }, '2')).toEqual(urgent);
  expect(knowInstances(known, more.knowledge, instancesOf(db))).toBe(known);
});

test('a new instance is urgent on the day it is used, and not on the day it is started', async () => {
  const told = await know({ db: [{ id: '1' }] });
  const starting = await know({ db: [{ id: '1' }, { id: '2', state: 'starting' }] }, told);
  const running = await know({ db: [{ id: '1' }, { id: '2' }] }, starting);

  expect(changesBetween(told.knowledge, starting.knowledge).ist).toEqual(same);
  expect(changesBetween(told.knowledge, running.knowledge).ist).toEqual(urgent);
});

function passwordOf(value: string, from: string): Variable {
  return { name: 'PW', value: new Secret(value), origin: 'secret', from };
}

function knowing(value: string, from = 'key', variable = passwordOf(value, from)): Knowledge {
  return knowledgeOf({
    resolved: {
      ist: { services: [], conflicts: [], warnings: [] },
      variables: [variable],
    },
    instances: [],
    secrets: new Map([[from, new Secret(value)]]),
    certificates: new Map(),
    argv: [],
    settings: defaults,
  });
}

const limits = (soft: bigint) => [{ resource: 7, name: 'nofile', soft, hard: 9n }];

describe('of secrets, certificates and config', () => {
  const world = {
    secrets: { kept: 'a', rotated: 'b' },
    certificates: { 'a.example': 'PEM 1', 'b.example': 'PEM' },
    variables: { KEPT: '1', CHANGED: '1', GONE: '1' },
  };

  test('every difference is urgent and has a name', async () => {
    const changes = await changesOf(world, {
      secrets: { kept: 'a', rotated: 'c', added: 'd' },
      certificates: { 'a.example': 'PEM 2', 'b.example': 'PEM' },
      variables: { KEPT: '1', CHANGED: '2' },
      argv: ['app', '--verbose'],
      settings: { user: 'node' },
    });

    expect(changes.secrets).toEqual({ names: ['rotated', 'added'], isUrgent: true });
    expect(changes.certificates).toEqual({ names: ['a.example'], isUrgent: true });
    expect(changes.config).toEqual({
      names: ['args', 'variable CHANGED', 'variable GONE', 'init.user'],
      isUrgent: true,
    });
    expect(changes.ist).toEqual(same);
  });

  test('settings count by their content, whatever holds it', async () => {
    const before = { settings: { rewrite: new Map([[1, 2]]), limits: limits(5n) } };

    expect(
      (await changesOf(before, { settings: { rewrite: new Map([[1, 2]]), limits: limits(5n) } }))
        .config,
    ).toEqual(same);
    expect(
      (await changesOf(before, { settings: { rewrite: new Map(), limits: limits(6n) } })).config
        .names,
    ).toEqual(['init.limits', 'init.rewrite']);
  });

  test('what is for init alone, such as the level of the log, is no change for the app', async () => {
    expect(
      hasChanges(await changesOf({}, { settings: { logLevel: 'debug', follow: false } })),
    ).toBe(false);
  });

  test('the variable of a secret changes with the secret, and under config only if it leads to another one', () => {
    expect(changesBetween(knowing('a'), knowing('b'))).toEqual({
      ist: same,
      secrets: { names: ['key'], isUrgent: true },
      certificates: same,
      config: same,
    });
    expect(changesBetween(knowing('a'), knowing('a', 'other')).config.names).toEqual([
      'variable PW',
    ]);
  });

  test('a name that a document or another secret gives is part of the secret, and named nowhere', () => {
    const [one, two] = ['ONE', 'TWO'].map((name) =>
      knowing(name, 'doc', { ...passwordOf(name, 'doc'), name, isBulk: true }),
    );

    expect(one && two && changesBetween(one, two)).toEqual({
      ist: same,
      secrets: { names: ['doc'], isUrgent: true },
      certificates: same,
      config: same,
    });
  });
});

test('a variable that the config has replaced is not the service’s any more, its hostname still is', async () => {
  const rules = [{ name: 'WARP_IST_db', kind: 'literal', value: 'mine' }] as const;
  const [db] = (await know({ rules })).knowledge.services;

  expect(db).toMatchObject({ name: 'db', variables: [], hostnames: ['db.warp'] });
});

function knowledge(services: Knowledge['services']): Knowledge {
  return { services, secrets: new Map(), certificates: new Map(), config: new Map() };
}

test('what has changed does not depend on the places in which services stand', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const one = fc.constantFrom('10.0.0.1', '10.0.0.2');
  const services = fc
    .uniqueArray(fc.record({ name: names, address: fc.option(one, { nil: undefined }) }), {
      selector: ({ name }) => name,
    })
    .map((list) =>
      list.map(({ name, address }) => ({
        name,
        address,
        variables: address === undefined ? [] : [`WARP_IST_${name}`],
        hostnames: [`${name}.warp`],
        hostAddresses: address === undefined ? [] : [address],
        live: ['10.0.0.1'],
      })),
    );
  fc.assert(
    fc.property(services, services, (before, after) => {
      const straight = changesBetween(knowledge(before), knowledge(after)).ist;
      const crossed = changesBetween(knowledge(before), knowledge(after.toReversed())).ist;
      expect({ ...straight, names: straight.names.toSorted() }).toEqual({
        ...crossed,
        names: crossed.names.toSorted(),
      });
    }),
  );
});
