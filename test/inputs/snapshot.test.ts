import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';

import { flag, listOf, noFault, object, perhaps, text } from '../../src/inputs/json-shape.ts';
import {
  containersParser,
  instancesParser,
  parseCertificates,
  parseDomains,
  parseContainer,
  parseNamedThing,
  parseScopedVariables,
  parseServer,
} from '../../src/inputs/snapshot.ts';
import { containerAnswer, instanceAnswer } from './answers.ts';

const parseContainers = (body: unknown) => containersParser().finish(body);
const parseInstances = (body: unknown) => instancesParser().finish(body);

function instanceOf(more: Record<string, unknown>) {
  const parsed = parseInstances({ data: [instanceAnswer('db', more)] });
  return parsed.kind === 'value' ? parsed.value.instances[0] : parsed.problem;
}

describe('a container', () => {
  test('keeps the fields that we read and no other', () => {
    expect(
      parseContainer({ data: containerAnswer('web', { deployment: { version: 'v1.2.0' } }) }),
    ).toEqual({
      kind: 'value',
      value: {
        id: 'c-web',
        name: 'web',
        identifier: 'web',
        deployment: 'v1.2.0',
        state: 'running',
      },
    });
  });

  test.each([[null], [undefined], [{ version: null }], [{ version: '' }], [{}]])(
    'with the deployment %j is in no deployment',
    (deployment) => {
      expect(parseContainer({ data: containerAnswer('web', { deployment }) })).toMatchObject({
        value: expect.not.objectContaining({ deployment: expect.anything() }),
      });
    },
  );
});

describe('an instance', () => {
  test('keeps both addresses, its state and its server', () => {
    expect(instanceOf({})).toEqual({
      id: 'i-db',
      containerId: 'c-db',
      serverId: 's-1',
      hostname: 'host-db',
      readyState: 'active',
      state: 'running',
      isHealthy: true,
      isReady: true,
      isDraining: false,
      ipv4: '172.20.0.3',
      ipv6: 'fd00::21:0:0:1',
    });
  });

  test.each([
    [{ healthy: false }, false],
    [{ healthy: null }, true],
    [{}, true],
    [null, true],
    [undefined, true],
  ])('with the health %j: healthy is %s', (health, isHealthy) => {
    expect(instanceOf({ state: { current: 'running', health } })).toMatchObject({ isHealthy });
  });

  test.each([
    [{ ready: false }, false],
    [{ ready: null }, true],
    [null, true],
  ])('with the readiness %j: ready is %s', (readiness, isReady) => {
    expect(instanceOf({ state: { current: 'running', readiness } })).toMatchObject({ isReady });
  });

  test.each([
    [{ started: '2026-01-01T00:00:00Z' }, true],
    [null, false],
    [undefined, false],
  ])('with the traffic drain %j: draining is %s', (traffic_drain, isDraining) => {
    expect(instanceOf({ traffic_drain })).toMatchObject({ isDraining });
  });

  test('of the platform itself says which service it is', () => {
    expect(instanceOf({ service: 'discovery' })).toMatchObject({ platformService: 'discovery' });
    expect(instanceOf({ service: null })).not.toHaveProperty('platformService');
  });

  test.each([
    [null],
    [undefined],
    [{ ipv6: null, legacy: null }],
    [{ ipv6: null, legacy: { ipv4: null } }],
  ])('with the network %j has no address and no warning', (environment) => {
    const parsed = parseInstances({ data: [instanceAnswer('db', { environment })] });
    expect(parsed).toMatchObject({ value: { warnings: [] } });
    expect(instanceOf({ environment })).not.toHaveProperty('ipv4');
    expect(instanceOf({ environment })).not.toHaveProperty('ipv6');
  });

  test('loses the prefix length of an address', () => {
    const environment = {
      ipv6: { ip: 'fd00::1/96' },
      legacy: { ipv4: { ip: '10.0.0.1/24' } },
    };
    expect(instanceOf({ environment })).toMatchObject({ ipv4: '10.0.0.1', ipv6: 'fd00::1' });
  });

  test.each([
    ['fd00::1', '10.0.0.1 evil.example'],
    ['fd00::1\n6.6.6.6 bank.example', '10.0.0.1\n6.6.6.6 bank.example'],
    ['10.0.0.1', 'fd00::1'],
    ['fe80::1%eth0', '256.0.0.1'],
    ['::', '0.0.0.0'],
    ['fd00::1/96/1\n', '10.0.0'],
    ['0::0', '0.0.0.0/0'],
  ])('with IPv6 %j and IPv4 %j loses what is no address, with a warning', (ip6, ip4) => {
    const environment = { ipv6: { ip: ip6 }, legacy: { ipv4: { ip: ip4 } } };
    const parsed = parseInstances({ data: [instanceAnswer('db', { environment })] });
    const bad = ip6 === 'fd00::1' ? 1 : 2;
    expect(instanceOf({ environment })).not.toHaveProperty('ipv4');
    expect(Object.keys(instanceOf({ environment }) ?? {}).includes('ipv6')).toBe(bad === 1);
    expect(parsed).toMatchObject({
      value: { warnings: [{ code: 'W_BAD_ADDRESS', message: expect.stringContaining('of i-db') }] },
    });
  });

  test('is one of 10,000 with a bad address: one warning, three named', () => {
    const environment = { ipv6: { ip: 'x' }, legacy: null };
    const data = Array.from({ length: 10_000 }, (_, n) =>
      instanceAnswer(`db${n}`, { environment }),
    );
    const parsed = parseInstances({ data });
    expect(parsed).toMatchObject({
      value: {
        warnings: [{ message: expect.stringMatching(/i-db0, .*i-db1, .*i-db2 and 9997 more/) }],
      },
    });
  });
});

describe('items that came before the rest of their answer', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => instanceAnswer(name));

  test('stand before it', () => {
    const parser = instancesParser();
    parser.take(a);
    parser.take(b);

    expect(parser.finish({ data: [c] })).toEqual(parseInstances({ data: [a, b, c] }));
  });

  test.each([
    ['among them', [a, {}, c], { data: [b] }, 'data[1].id is missing'],
    [
      'twice among them',
      [{ id: 1 }, {}],
      { data: [b] },
      'data[0].id: expected string, received number',
    ],
    ['in the rest', [a, b], { data: [c, {}] }, 'data[3].id is missing'],
    ['the rest', [a, b], { data: {} }, 'data: expected array, received object'],
  ])('with one of the wrong shape %s are named by their place', (_, before, rest, problem) => {
    const parser = instancesParser();
    before.forEach((item) => parser.take(item));

    expect(parser.finish(rest)).toEqual({ kind: 'problem', problem });
  });
});

function instances(last: unknown) {
  return { data: [instanceAnswer('a'), instanceAnswer('b'), last] };
}

describe('an answer of the wrong shape is named by path and type', () => {
  test.each([
    [parseInstances, {}, 'data: expected array, received undefined'],
    [parseInstances, null, 'data: expected array, received undefined'],
    [parseInstances, { data: {} }, 'data: expected array, received object'],
    [parseInstances, { data: ['x'] }, 'data[0]: expected object, received string'],
    [parseInstances, { data: [null] }, 'data[0]: expected object, received null'],
    [
      parseInstances,
      instances({ ...instanceAnswer('c'), state: {} }),
      'data[2].state.current is missing',
    ],
    [
      parseInstances,
      instances({ ...instanceAnswer('c'), state: { current: 7 } }),
      'data[2].state.current: expected string, received number',
    ],
    [
      parseInstances,
      instances({ ...instanceAnswer('c'), environment: { ipv6: { ip: ['x'] } } }),
      'data[2].environment.ipv6.ip: expected string, received array',
    ],
    [
      parseInstances,
      instances({ ...instanceAnswer('c'), traffic_drain: 'x' }),
      'data[2].traffic_drain: expected object, received string',
    ],
    [
      parseContainers,
      { data: [{ ...containerAnswer('a'), name: null }] },
      'data[0].name: expected string, received null',
    ],
    [parseContainer, { data: null }, 'data: expected object, received null'],
    [parseContainer, 'text', 'data: expected object, received undefined'],
    [parseNamedThing, { data: { id: 'x' } }, 'data.name is missing'],
    [
      parseServer,
      { data: { id: 'x', hostname: 5 } },
      'data.hostname: expected string, received number',
    ],
    [
      parseDomains,
      { data: [{ id: 'x', domains: ['a', 1] }] },
      'data[0].domains[1]: expected string, received number',
    ],
    [parseScopedVariables, { data: [] }, 'data: expected object, received array'],
    [
      parseScopedVariables,
      { data: { ok: 'x', 'my secret': 4 } },
      'data["my secret"]: expected string, received number',
    ],
  ])('$2', (parse, body, problem) => {
    expect(parse(body)).toEqual({ kind: 'problem', problem });
  });
});

test('secrets keep every identifier, and show no value', () => {
  const body: unknown = JSON.parse(
    '{"data":{"constructor":"one","__proto__":"two","":"","db":"three"}}',
  );
  const parsed = parseScopedVariables(body);
  const secrets = parsed.kind === 'value' ? parsed.value : new Map<string, never>();
  expect([...secrets].map(([identifier, secret]) => [identifier, secret.reveal()])).toEqual([
    ['constructor', 'one'],
    ['__proto__', 'two'],
    ['', ''],
    ['db', 'three'],
  ]);
  expect(JSON.stringify([...secrets])).not.toContain('three');
});

test('certificates lose their private key where only domains are wanted', () => {
  const data = [{ id: 'x', domains: ['a.example'], private_key: 'PRIVATE', bundle: 'b' }];
  expect(parseDomains({ data })).toEqual({
    kind: 'value',
    value: [{ id: 'x', domains: ['a.example'] }],
  });
});

test('a certificate without its key is a problem that names the key and shows nothing', () => {
  const data = [{ id: 'x', domains: [], private_key: 42, bundle: 'PRIVATE' }];
  expect(parseCertificates({ data })).toEqual({
    kind: 'problem',
    problem: 'data[0].private_key: expected string, received number',
  });
});

test('a shape takes what a schema of valibot takes, and blames the same', () => {
  const schema = v.object({
    id: v.string(),
    isUp: v.nullish(v.boolean()),
    list: v.array(v.string()),
    inner: v.nullish(v.object({ id: v.string(), parts: v.array(v.object({ at: v.string() })) })),
  });
  const shape = object({
    id: text,
    isUp: perhaps(flag),
    list: listOf(text),
    inner: perhaps(object({ id: text, parts: listOf(object({ at: text })) })),
  });
  const odd = fc.constantFrom(undefined, null, 'x', '', true, 1, {}, [], [null], { id: null });
  const often = <T>(right: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 4, arbitrary: right }, { weight: 1, arbitrary: odd });
  const part = fc.record({ at: often(fc.constant('x')) }, { requiredKeys: [] });
  const inner = fc.record(
    { id: often(fc.constant('x')), parts: often(fc.array(often(part), { maxLength: 3 })) },
    { requiredKeys: ['id'] },
  );
  const whole = fc.record(
    {
      id: often(fc.constant('x')),
      isUp: often(fc.constant(false)),
      list: often(fc.array(often(fc.constant('x')), { maxLength: 3 })),
      inner: often(inner),
    },
    { requiredKeys: ['id', 'list'] },
  );
  let matches = 0;
  fc.assert(
    fc.property(often(whole), (candidate) => {
      const fault = noFault();
      const isOk = shape(candidate, fault);
      matches += isOk ? 1 : 0;
      const [issue] = v.safeParse(schema, candidate, { abortEarly: true }).issues ?? [];
      expect(isOk).toBe(issue === undefined);
      expect(fault.path).toEqual((issue?.path ?? []).map(({ key }) => key));
      // For a key that is missing valibot expects the key, in quotes.
      const expected = issue?.expected?.toLowerCase();
      expect(fault.expected).toBe(expected?.startsWith('"') === true ? undefined : expected);
      expect(fault.received).toBe(issue?.input);
    }),
    { numRuns: 3000 },
  );
  expect(matches).toBeGreaterThan(100);
});
