import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Notification } from '../../src/emulator/notification.ts';
import { notificationsBetween } from '../../src/emulator/notifications-between.ts';
import { completePlatform } from '../../src/emulator/platform.ts';
import type { Platform } from '../../src/emulator/platform.ts';
import { checkPlatformFile } from '../../src/emulator/platform-file.ts';
import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import { renderAnswers } from '../../src/emulator/answers.ts';
import { instanceFields, nastyPlatform, serviceFields } from './nasty-platform.ts';

/** Of the platform's own client: those that an edit can lead to. */
const topics = [
  'container.new',
  'container.reconfigured',
  'container.state.changed',
  'container.instance.state.changed',
  'container.instances.reconfigured',
  'container.instance.traffic-drain.reconfigured',
  'container.instance.health.status.changed',
  'container.instance.readiness.status.changed',
  'dns.certificate.state.changed',
  'dns.zone.certificate.ready',
  'environment.updated',
  'environment.scoped-variable.new',
  'environment.scoped-variable.updated',
  'environment.scoped-variable.state.changed',
  'environment.services.reconfigured',
  'environment.deployments.reconfigured',
  'hub.updated',
];

const db = { ipv4: '10.0.0.2', healthy: true, ready: true };

describe('an edit tells of', () => {
  test.each<[what: string, PlatformFile['services'], told: unknown[]]>([
    [
      'an instance at another address',
      { web: {}, db: [{ ...db, ipv4: '10.0.0.3' }] },
      [{ topic: 'container.instances.reconfigured', object: { id: idOf('db') } }],
    ],
    [
      'an instance in another state',
      { web: {}, db: [{ ...db, state: 'stopping' }] },
      [
        {
          topic: 'container.instance.state.changed',
          object: { id: instanceIdOf('db'), state: 'stopping', state_previous: 'running' },
        },
      ],
    ],
    [
      'an instance that is unhealthy',
      { web: {}, db: [{ ...db, healthy: false }] },
      [
        {
          topic: 'container.instance.health.status.changed',
          object: { id: instanceIdOf('db') },
          annotations: { health: 'unhealthy' },
        },
      ],
    ],
    [
      'an instance whose readiness is not known',
      { web: {}, db: [{ ...db, ready: null }] },
      [
        {
          topic: 'container.instance.readiness.status.changed',
          object: { id: instanceIdOf('db') },
          annotations: { ready: 'unknown' },
        },
      ],
    ],
    [
      'an instance that is drained',
      { web: {}, db: [{ ...db, draining: true }] },
      [
        {
          topic: 'container.instance.traffic-drain.reconfigured',
          object: { id: instanceIdOf('db') },
        },
      ],
    ],
    [
      'an instance more',
      { web: {}, db: [db, '10.0.0.9'] },
      [
        { topic: 'container.instances.reconfigured', object: { id: idOf('db') } },
        {
          topic: 'container.instance.state.changed',
          object: { id: instanceIdOf('db', 1), state: 'running', state_previous: 'new' },
        },
      ],
    ],
    [
      'a service in another state',
      { web: {}, db: { state: 'stopped', instances: [db] } },
      [
        {
          topic: 'container.state.changed',
          object: { id: idOf('db'), state: 'stopped', state_previous: 'running' },
        },
      ],
    ],
    [
      'a service with another name',
      {
        web: {},
        db: { name: 'postgres', identifier: 'db', instances: [{ ...db, hostname: 'h' }] },
      },
      [
        { topic: 'container.reconfigured', object: { id: idOf('db') } },
        { topic: 'container.instances.reconfigured', object: { id: idOf('db') } },
      ],
    ],
    [
      'a service in another deployment',
      { web: {}, db: { deployment: 'v2', instances: [db] } },
      [
        { topic: 'container.reconfigured', object: { id: idOf('db') } },
        { topic: 'environment.deployments.reconfigured', context: { containers: null } },
      ],
    ],
    [
      'a service that is gone',
      { web: {} },
      [
        {
          topic: 'container.state.changed',
          object: { id: idOf('db'), state: 'deleted', state_previous: 'running' },
        },
        { topic: 'container.instances.reconfigured', object: { id: idOf('db') } },
        {
          topic: 'container.instance.state.changed',
          object: { id: instanceIdOf('db'), state: 'deleted', state_previous: 'running' },
        },
      ],
    ],
    [
      'a platform service that is new',
      { web: {}, db: [db], dns: { platform_service: 'discovery', instances: [] } },
      [
        { topic: 'container.new', object: { id: idOf('dns') } },
        {
          topic: 'container.state.changed',
          object: { id: idOf('dns'), state: 'running', state_previous: 'new' },
        },
        { topic: 'environment.services.reconfigured', context: { containers: null } },
      ],
    ],
  ])('%s, and of nothing else', (_what, services, told) => {
    const before = platformOf({ services: { web: {}, db: [db] } });
    const after = platformOf({ services });

    expect(notificationsBetween(before, after)).toMatchObject(told);
    expect(notificationsBetween(before, after)).toHaveLength(told.length);
  });

  test.each<[what: string, PlatformFile['secrets'], told: unknown[]]>([
    [
      'a new secret',
      { 'key-a': 'value-1', 'key-b': 'value-2' },
      [{ topic: 'environment.scoped-variable.new' }],
    ],
    ['another value', { 'key-a': 'value-2' }, [{ topic: 'environment.scoped-variable.updated' }]],
    [
      'another duration',
      { 'key-a': { value: 'value-1', duration: '1s' } },
      [{ topic: 'environment.scoped-variable.updated' }],
    ],
    [
      'a secret that is served once from now on',
      { 'key-a': { value: 'value-1', once: true } },
      [{ topic: 'environment.scoped-variable.updated' }],
    ],
    [
      'a secret that is gone',
      {},
      [
        {
          topic: 'environment.scoped-variable.state.changed',
          object: { state: 'deleted', state_previous: 'live' },
        },
      ],
    ],
  ])('%s, and keeps the value and the identifier to itself', (_what, secrets, told) => {
    const before = platformOf({ services: { web: {} }, secrets: { 'key-a': 'value-1' } });
    const after = platformOf({ services: { web: {} }, secrets });

    expect(notificationsBetween(before, after)).toMatchObject(told);
    expect(notificationsBetween(before, after)).toHaveLength(told.length);
    expect(JSON.stringify(notificationsBetween(before, after))).not.toMatch(/key-|value-/);
  });

  test('a certificate that is new, with the zones of its domains once each', () => {
    const domains = ['shop.example.com', '*.example.com', 'example.org'];
    const before = platformOf({ services: { web: {} } });
    const after = platformOf({ services: { web: {} }, certificates: [{ domains }] });
    const told = notificationsBetween(before, after);

    expect(told.map(({ topic }) => topic)).toEqual([
      'dns.certificate.state.changed',
      'dns.zone.certificate.ready',
      'dns.zone.certificate.ready',
    ]);
    expect(told[0]?.context.dns_zones).toEqual(told.slice(1).map(({ object }) => object.id));
  });

  test.each([
    ['key', { private_key: pem(2), bundle: pem(3) }],
    ['bundle', { private_key: pem(1), bundle: pem(4) }],
    ['list of domains', { domains: ['example.com', 'www.example.com'] }],
  ])('a certificate that keeps its id and has another %s', (_what, changes) => {
    const id = '0123456789abcdef01234567';
    const given = { id, domains: ['example.com'], private_key: pem(1), bundle: pem(3) };
    const [before, after] = [given, { ...given, ...changes }].map((certificate) =>
      platformOf({ services: { web: {} }, certificates: [certificate] }),
    );

    expect(notificationsBetween(before!, after!)).toMatchObject([
      {
        topic: 'dns.certificate.state.changed',
        object: { id, state: 'live', state_previous: 'live' },
      },
      { topic: 'dns.zone.certificate.ready' },
    ]);
  });

  test('a certificate that is gone', () => {
    const before = platformOf({
      services: { web: {} },
      certificates: [{ domains: ['a.example'] }],
    });

    expect(notificationsBetween(before, platformOf({ services: { web: {} } }))).toMatchObject([
      { topic: 'dns.certificate.state.changed', object: { state: 'deleted' } },
    ]);
  });

  test.each([
    ['hub', 'hub.updated'],
    ['environment', 'environment.updated'],
  ])('another name of the %s', (key, topic) => {
    const [before, after] = ['old', 'new'].map((name) =>
      platformOf({ services: { web: {} }, [key]: { id: '0'.repeat(24), name } }),
    );

    expect(notificationsBetween(before!, after!)).toMatchObject([
      { topic, object: { id: '0'.repeat(24) } },
    ]);
  });

  test('nothing, where only the order of the services is another', () => {
    const services = {
      web: { deployment: 'v1' },
      db: { deployment: 'v2', instances: [db] },
      dns: { platform_service: 'discovery' },
      vpn: { platform_service: 'vpn' },
    };
    const reversed = Object.fromEntries(Object.entries(services).toReversed());

    expect(
      notificationsBetween(
        platformOf({ self: 'web', services }),
        platformOf({ self: 'web', services: reversed }),
      ),
    ).toEqual([]);
  });
});

describe('for any two platforms', () => {
  test('the same one leads to no notification', () => {
    fc.assert(
      fc.property(nastyPlatform, (file) => {
        expect(notificationsBetween(platformOf(file), platformOf(file))).toEqual([]);
      }),
    );
  });

  test('every notification has the shape, a known topic and the environment', () => {
    fc.assert(
      fc.property(nastyPlatform, nastyPlatform, (first, second) => {
        const after = platformOf(second);
        for (const told of notificationsBetween(platformOf(first), after)) {
          expect(problemsOf(told, after)).toEqual([]);
        }
      }),
    );
  });

  test('no difference in what the API answers about a container stays untold', () => {
    fc.assert(
      fc.property(edit, ([first, second]) => {
        const before = platformOf({ services: { web: {}, db: first } });
        const after = platformOf({ services: { web: {}, db: second } });
        const told = notificationsBetween(before, after);
        const named = new Set(told.flatMap(({ context }) => context.containers ?? []));

        expect([...changedContainers(before, after)].filter((id) => !named.has(id))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

/** A service, and the same after one field of it, or of its instance, was changed, added or taken away. */
const edit: fc.Arbitrary<readonly [object, object]> = fc.oneof(
  editOf(serviceFields, ['name', 'identifier', 'deployment', 'state', 'platform_service']),
  editOf(instanceFields, [
    'hostname',
    'server',
    'ipv4',
    'ipv6',
    'healthy',
    'ready',
    'draining',
    'ready_state',
    'state',
  ]).map(([first, second]) => [{ instances: [first] }, { instances: [second] }] as const),
);

function editOf<Fields extends object>(fields: fc.Arbitrary<Fields>, names: (keyof Fields)[]) {
  return fc
    .tuple(fields, fields, fc.constantFrom(...names))
    .map(([before, other, name]): readonly [Fields, Fields] => {
      const after = { ...before };
      delete after[name];
      return [before, name in other ? { ...after, [name]: other[name] } : after];
    });
}

function pem(content: number): string {
  return `-----BEGIN ${content}`;
}

function platformOf(file: unknown): Platform {
  return completePlatform(checkPlatformFile(file, 'here'), 'here');
}

function idOf(key: string): string {
  return platformOf({ services: { [key]: {} } }).self.id;
}

function instanceIdOf(key: string, index = 0): string {
  const { self } = platformOf({ services: { [key]: ['10.0.0.1', '10.0.0.2'] } });
  return self.instances[index]?.id ?? '';
}

function problemsOf({ topic, object, context, annotations = {} }: Notification, after: Platform) {
  const nullable = [
    'label',
    'hub_id',
    'account_id',
    'dns_zones',
    'containers',
    'clusters',
  ] as const;
  return [
    ...(topics.includes(topic) ? [] : [`unknown topic ${topic}`]),
    ...(/^[0-9a-f]{24}$/.test(object.id) ? [] : [`object.id is ${object.id}`]),
    ...(topic.endsWith('state.changed') === (object.state_previous !== undefined)
      ? []
      : [`${topic} with the earlier state ${object.state_previous}`]),
    ...(context.environments?.join() === after.environment.id ? [] : ['another environment']),
    ...nullable.filter((name) => context[name] === undefined),
    ...Object.keys(annotations).filter((name) => name !== 'health' && name !== 'ready'),
  ];
}

/** Ids of the containers about which any answer differs; the order of an answer is not one. */
function changedContainers(before: Platform, after: Platform): Set<string> {
  const [earlier, later] = [before, after].map(answersByContainer);
  const ids = [...earlier!.keys(), ...later!.keys()];
  return new Set(ids.filter((id) => earlier!.get(id) !== later!.get(id)));
}

function answersByContainer(platform: Platform): Map<string, string> {
  const answers = renderAnswers(platform);
  return new Map(
    platform.services.map(({ id }) => [
      id,
      [
        answers.findBody('/v1/container', id),
        ...JSON.parse(String(answers.findBody('/v1/container/instances', id)))
          .data.map((one: unknown) => JSON.stringify(one))
          .toSorted(),
      ].join('\n'),
    ]),
  );
}
