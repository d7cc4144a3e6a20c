import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { IstMap } from '../../src/core/ist.ts';
import {
  type Memo,
  chosenInstances,
  decodeMemo,
  emptyMemo,
  encodeMemo,
  memoSizeLimitBytes,
} from '../../src/core/memo.ts';
import { Secret } from '../../src/core/secret.ts';

const decoder = new TextDecoder();

/** Text of an environment: undecodable bytes are lone surrogates. */
const text = fc.string({
  unit: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('\udc80', '\udcff', '"', '\n')),
});
const texts = fc.array(text, { maxLength: 3 });
const facts = fc.array(fc.tuple(text, text), { maxLength: 3 }).map((list) => new Map(list));
const secrets = facts.map(
  (map) => new Map([...map].map(([name, value]) => [name, new Secret(value)])),
);
const knowledge = fc.record({
  services: fc.array(
    fc.record({
      name: text,
      variables: texts,
      hostnames: texts,
      address: fc.option(fc.ipV4(), { nil: undefined }),
      hostAddresses: texts,
      live: texts,
    }),
    { maxLength: 3 },
  ),
  secrets,
  certificates: facts,
  config: facts,
});
const memos: fc.Arbitrary<Memo> = fc.record({
  chosen: facts,
  secrets,
  served: secrets,
  writtenCertificates: fc.array(fc.tuple(text, text), { maxLength: 3 }),
  trusted: fc.option(fc.record({ selfId: text, services: texts.map((ids) => new Set(ids)) }), {
    nil: undefined,
  }),
  identity: fc.record(
    {
      hub: fc.record({ id: text, name: text }),
      environment: fc.record({ id: text, name: text }),
      server: fc.record({ id: text, hostname: text }),
    },
    { requiredKeys: [] },
  ),
  written: fc.option(
    fc.record({
      config: fc.record({
        args: fc.option(texts, { nil: undefined }),
        variables: fc.array(fc.record({ name: text, kind: fc.constant('literal'), value: text })),
        port: fc.option(fc.nat(), { nil: undefined }),
        ist: fc.array(fc.record({ service: text, variables: texts, hostnames: texts })),
        init: fc.constantFrom({}, { user: 'daemon', limits: { nofile: 1024 } }),
      }),
      dotenv: fc.array(fc.record({ path: text, values: facts }), { maxLength: 2 }),
    }),
    { nil: undefined },
  ),
  told: fc.option(knowledge, { nil: undefined }),
  spacing: fc.option(fc.record({ lastAtMs: fc.nat(), gapMs: fc.nat() }), { nil: undefined }),
  command: fc.option(fc.record({ pid: fc.nat().map((n) => n + 2), startTicks: text }), {
    nil: undefined,
  }),
});

function open(map: ReadonlyMap<string, Secret> | undefined): unknown {
  return [...(map ?? [])].map(([name, secret]) => [name, secret.reveal()]);
}

/** The same memo with its secrets in the open, for comparison. */
function opened(memo: Memo | undefined): unknown {
  return [memo, open(memo?.secrets), open(memo?.served), open(memo?.told?.secrets)];
}

describe('a memo', () => {
  test('is after the way through pid1 what it was before, secrets included', () => {
    fc.assert(
      fc.property(memos, (memo) => {
        expect(opened(decodeMemo(encodeMemo(memo)))).toEqual(opened(memo));
      }),
    );
  });

  test.each([
    ['an empty one', ''],
    ['no JSON', '{"version":2'],
    ['no object', 'null'],
    ['one of a version before', '{"version":1,"chosen":{}}'],
    ['one without a secret value', change({ secrets: [['key']] })],
    ['one with a number for a name', change({ chosen: [[1, 'i']] })],
    ['one with a certificate without its fingerprint', change({ writtenCertificates: [['a']] })],
    ['one with half of what was told', change({ told: { services: [] } })],
    ['one with an impossible time', change({ spacing: { lastAtMs: -1, gapMs: 1 } })],
    ['one with half of what was written', change({ written: { config: {}, dotenv: [] } })],
    ['one with a service that is no text', change({ trusted: { selfId: 'c', services: [1] } })],
    ['one with a hub without a name', change({ identity: { hub: { id: null } } })],
    [
      'one with a command that would be every process',
      change({ command: { pid: 1, startTicks: '1' } }),
    ],
    ['one of a later version', change({ version: 99 })],
  ])('%s is none', (_name, json) => {
    expect(decodeMemo(new TextEncoder().encode(json))).toBeUndefined();
  });

  test('is never made of any bytes but its own', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeMemo(bytes)).toBeUndefined();
      }),
    );
  });
});

/** The empty memo as JSON, with other fields. */
function change(fields: Readonly<Record<string, unknown>>): string {
  const json: unknown = JSON.parse(decoder.decode(encodeMemo(emptyMemo)));
  return JSON.stringify(Object.assign(json ?? {}, fields));
}

const megabytes = (count: number) => 'x'.repeat(count * 1024 * 1024);

describe('where not everything fits into pid1', () => {
  const told = {
    services: [],
    secrets: new Map<string, Secret>(),
    certificates: new Map<string, string>(),
    config: new Map([['variable BIG', megabytes(8)]]),
  };
  const spacing = { lastAtMs: 1, gapMs: 60_000 };
  const memo = { ...emptyMemo, told, spacing };

  test('what the app was told is left out first, and the secrets stay', () => {
    const big = { ...memo, secrets: new Map([['key', new Secret(megabytes(9))]]) };
    const bytes = encodeMemo(big);

    expect(bytes.length).toBeLessThanOrEqual(memoSizeLimitBytes);
    expect(decodeMemo(bytes)).toMatchObject({ told: undefined, spacing });
    expect(decodeMemo(bytes)?.secrets.get('key')?.reveal()).toBe(megabytes(9));
  });

  test('secrets that alone are too large are left out, and the rest stays', () => {
    const bytes = encodeMemo({ ...memo, secrets: new Map([['key', new Secret(megabytes(17))]]) });

    expect(decodeMemo(bytes)).toEqual({ ...emptyMemo, spacing });
  });
});

test('the chosen instances of a map are those that its services lead to', () => {
  const service = {
    name: 'db',
    hasEntry: false,
    others: [],
    tier: 'best',
    hostnames: [],
    variables: [],
  } as const;
  const map: IstMap = {
    services: [
      { ...service, containerId: 'c1', chosen: { instanceId: 'i1', ipv4: '10.0.0.1' } },
      { ...service, containerId: 'c2' },
    ],
    conflicts: [],
    warnings: [],
  };

  expect(chosenInstances(map)).toEqual(new Map([['c1', 'i1']]));
});
