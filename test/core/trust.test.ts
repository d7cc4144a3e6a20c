import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { Secret } from '../../src/core/secret.ts';
import type { WantedSecrets } from '../../src/core/secret-references.ts';
import type { Container, Instance, Snapshot } from '../../src/core/snapshot.ts';
import {
  type Suspicion,
  type Verdict,
  confirmAfterMs,
  judgeSnapshot,
  mergeSecrets,
  trustedOf,
} from '../../src/core/trust.ts';

const self: Container = { id: 'self', name: 'web', identifier: 'web' };

function container(id: string, change: Partial<Container> = {}): Container {
  return { id, name: id, identifier: id, ...change };
}

function instanceOf(containerId: string): Instance {
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
  };
}

/** An answer with ourselves and these services. */
function answer(ids: readonly string[], change: Partial<Snapshot> = {}): Snapshot {
  const containers = [self, ...ids.map((id) => container(id))];
  return { self, containers, instances: containers.map(({ id }) => instanceOf(id)), ...change };
}

function judge(next: Snapshot, nowMs = 0, suspicion?: Suspicion): Verdict {
  return judgeSnapshot(trustedOf(answer(['a', 'b', 'c', 'd', 'e'])), next, { nowMs, suspicion });
}

/** The verdicts on answers that come one after the other; nothing is accepted in between. */
function judgeAll(...answers: readonly (readonly [nowMs: number, next: Snapshot])[]): string[] {
  let suspicion: Suspicion | undefined;
  return answers.map(([nowMs, next]) => {
    const verdict = judge(next, nowMs, suspicion);
    suspicion = verdict.kind === 'wait' ? verdict.suspicion : undefined;
    return verdict.kind;
  });
}

describe('an answer is accepted at once', () => {
  test.each([
    ['that changes nothing', ['a', 'b', 'c', 'd', 'e']],
    ['with new services', ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']],
    ['that misses less than half of them', ['a', 'b', 'c']],
  ])('%s', (_name, ids) => {
    expect(judge(answer(ids))).toEqual({ kind: 'accept' });
  });

  test('that misses exactly half of them', () => {
    const verdict = judgeSnapshot(trustedOf(answer(['a', 'b'])), answer(['a']), {
      nowMs: 0,
      suspicion: undefined,
    });

    expect(verdict.kind).toBe('accept');
  });

  test('where there was no service, and where we alone have no instance any more', () => {
    const options = { nowMs: 0, suspicion: undefined };
    const alone = answer([]);

    expect(judgeSnapshot(trustedOf(alone), alone, options).kind).toBe('accept');
    expect(judgeSnapshot(trustedOf(alone), { ...alone, instances: [] }, options).kind).toBe(
      'accept',
    );
  });

  test('that misses services which we may not see', () => {
    const ours = { ...self, deployment: 'v2' };
    const hidden = ['x', 'y', 'z'].map((id) => container(id, { deployment: 'v1' }));
    const seen = answer(['a'], { self: ours });
    const before = {
      ...seen,
      containers: [...seen.containers, ...hidden],
      instances: [...seen.instances, ...hidden.map(({ id }) => instanceOf(id))],
    };

    expect(judgeSnapshot(trustedOf(before), seen, { nowMs: 0, suspicion: undefined }).kind).toBe(
      'accept',
    );
  });
});

describe('an answer has to wait for another one', () => {
  test('that misses over half of the services, and says how many', () => {
    const verdict = judge(answer(['a', 'b']), 1000);

    expect(verdict).toMatchObject({
      kind: 'wait',
      retryAfterMs: confirmAfterMs,
      suspicion: { sinceMs: 1000, vanished: new Set(['c', 'd', 'e']) },
      warning: { code: 'W_SERVICES_VANISHED', message: expect.stringMatching(/^3 of 5 services /) },
    });
  });

  test('that has the containers and no instances', () => {
    const all = answer(['a', 'b', 'c', 'd', 'e']);

    expect(judge({ ...all, instances: [] }).kind).toBe('wait');
  });

  test('in which they are all being deleted', () => {
    const all = answer(['a', 'b', 'c', 'd', 'e']);
    const instances = all.instances.map((it) => ({ ...it, state: 'deleting' }));

    expect(judge({ ...all, instances }).kind).toBe('wait');
  });

  test.each([
    ['of another container', answer(['a'], { self: container('other') })],
    ['without our own container', answer(['a'], { containers: [container('a')] })],
  ])('%s, however often it comes', (_name, foreign) => {
    expect(judgeAll([0, foreign], [10_000, foreign], [60_000, foreign])).toEqual([
      'wait',
      'wait',
      'wait',
    ]);
  });
});

describe('two answers agree', () => {
  const half = answer(['a', 'b']);

  test('when they miss the same services, 10 s apart and not sooner', () => {
    expect(judgeAll([0, half], [confirmAfterMs - 1, half], [confirmAfterMs, half])).toEqual([
      'wait',
      'wait',
      'accept',
    ]);
  });

  test('when some services are back: those that both miss are gone', () => {
    const less = answer(['a']);

    expect(judgeAll([0, less], [confirmAfterMs, half])).toEqual(['wait', 'accept']);
  });

  test('not when the second one misses a service that the first one had: it has one witness', () => {
    const other = answer(['c', 'd']);

    expect(judgeAll([0, half], [confirmAfterMs, other], [2 * confirmAfterMs - 1, other])).toEqual([
      'wait',
      'wait',
      'wait',
    ]);
  });

  test('not when a foreign answer came between them', () => {
    const foreign = answer([], { self: container('other') });

    expect(judgeAll([0, half], [5000, foreign], [confirmAfterMs, half])).toEqual([
      'wait',
      'wait',
      'wait',
    ]);
  });

  test('not by a clock that was set back', () => {
    expect(judge(half, 0, { sinceMs: 50_000, vanished: new Set(['c', 'd', 'e']) })).toMatchObject({
      kind: 'wait',
      retryAfterMs: confirmAfterMs,
      suspicion: { sinceMs: 0 },
    });
  });
});

test('no service is given up by one answer alone, and each by the same answer twice', () => {
  const services = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), {
    minLength: 1,
  });
  fc.assert(
    fc.property(services, services, (had, has) => {
      const before = answer(had);
      const next = answer(has);
      const first = judgeSnapshot(trustedOf(before), next, { nowMs: 0, suspicion: undefined });
      const gone = had.filter((id) => !has.includes(id)).length;

      expect(first.kind).toBe(gone > had.length / 2 ? 'wait' : 'accept');
      const suspicion = first.kind === 'wait' ? first.suspicion : undefined;
      expect(
        judgeSnapshot(trustedOf(before), next, { nowMs: confirmAfterMs, suspicion }).kind,
      ).toBe('accept');
    }),
  );
});

function secrets(values: Readonly<Record<string, string>>): Map<string, Secret> {
  return new Map(Object.entries(values).map(([name, text]) => [name, new Secret(text)]));
}

const none: WantedSecrets = { secrets: [], isAll: false };

function wanting(...identifiers: readonly string[]): WantedSecrets {
  return {
    ...none,
    secrets: identifiers.map((identifier) => ({
      kind: 'env',
      identifier,
      variable: identifier,
      where: 'init.secrets.env',
    })),
  };
}

/** [value of `key` after the answer, what changed, codes of the warnings]. */
function merge(
  previous: Readonly<Record<string, string>>,
  fetched: Readonly<Record<string, string>>,
  wanted = wanting('key'),
): [value: string | undefined, changed: readonly string[], codes: readonly string[]] {
  const { values, changedIdentifiers, warnings } = mergeSecrets(
    secrets(previous),
    secrets(fetched),
    wanted,
  );
  return [values.get('key')?.reveal(), changedIdentifiers, warnings.map(({ code }) => code)];
}

describe('a wanted secret', () => {
  test.each([
    ['stays as it is', { key: 'old' }, { key: 'old' }, 'old', []],
    ['is rotated', { key: 'old' }, { key: 'new' }, 'new', ['key']],
    ['is new', {}, { key: 'new' }, 'new', ['key']],
    ['that is no longer served stays', { key: 'old' }, {}, 'old', []],
    ['was never served', {}, {}, undefined, []],
    ['was empty from the start and stays so', { key: '' }, { key: '' }, '', []],
    ['was empty and gets a value', { key: '' }, { key: 'new' }, 'new', ['key']],
    ['is new and empty: whether that may be is not for us to say', {}, { key: '' }, '', ['key']],
  ])('%s', (_name, previous, fetched, value, changed) => {
    expect(merge(previous, fetched)).toEqual([value, changed, []]);
  });

  test('that becomes empty keeps its value, and a warning names it', () => {
    expect(merge({ key: 'old' }, { key: '' })).toEqual(['old', [], ['W_SECRET_BECAME_EMPTY']]);

    const [warning] = mergeSecrets(
      secrets({ key: 'hunter2' }),
      secrets({ key: '' }),
      wanting('key'),
    ).warnings;
    expect(warning?.message).toContain('"key"');
    expect(JSON.stringify(warning)).not.toContain('hunter2');
  });
});

describe('a secret that nobody wants', () => {
  test('is not kept, neither a new nor an old one', () => {
    expect(merge({ key: 'old' }, { key: 'new' }, none)).toEqual([undefined, [], []]);
  });

  test('is kept with `env: "all"`, if it can be a variable', () => {
    const { values } = mergeSecrets(secrets({ OLD: 'a' }), secrets({ NEW: 'b', 'tls.key': 'c' }), {
      ...none,
      isAll: true,
    });

    expect([...values.keys()]).toEqual(['OLD', 'NEW']);
  });
});

function judgeLost(
  nowMs: number,
  lostCertificates: readonly string[],
  suspicion?: Suspicion,
): Verdict {
  return judgeSnapshot(undefined, answer(['a']), { nowMs, suspicion, lostCertificates });
}

describe('certificates of which none is left', () => {
  test('are gone when another answer agrees, 10 s later', () => {
    const first = judgeLost(1000, ['shop.example']);
    const suspicion = first.kind === 'wait' ? first.suspicion : undefined;

    expect(first).toMatchObject({
      kind: 'wait',
      retryAfterMs: confirmAfterMs,
      warning: { code: 'W_CERTIFICATES_VANISHED' },
    });
    expect(judgeLost(1000 + confirmAfterMs - 1, ['shop.example'], suspicion).kind).toBe('wait');
    expect(judgeLost(1000 + confirmAfterMs, ['shop.example'], suspicion).kind).toBe('accept');
    // Another one has a single witness.
    expect(judgeLost(1000 + confirmAfterMs, ['b.example'], suspicion).kind).toBe('wait');
  });
});
