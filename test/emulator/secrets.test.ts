import { describe, expect, test } from 'vitest';
import { completePlatform } from '../../src/emulator/platform.ts';
import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import { checkPlatformFile } from '../../src/emulator/platform-file.ts';
import { createState, respond } from '../../src/emulator/respond.ts';
import type { ApiState } from '../../src/emulator/respond.ts';

type Secrets = NonNullable<PlatformFile['secrets']>;

describe('a secret', () => {
  test('without limits is served again and again', () => {
    const state = stateAt(0, { a: 'one', b: '' });

    expect(served(state, 1)).toEqual([
      { a: 'one', b: '' },
      { a: 'one', b: '' },
    ]);
  });

  test('to be served once is in one answer only', () => {
    const state = stateAt(0, { a: { value: 'one', once: true }, b: 'two' });

    expect(served(state, 1)).toEqual([{ a: 'one', b: 'two' }, { b: 'two' }]);
  });

  test.each([
    ['500ms', 499, 500],
    ['30s', 29_999, 30_000],
    ['2m', 119_999, 120_000],
    ['1h', 3_599_999, 3_600_000],
  ])(
    'with a duration of %s is served after %i ms, and not after %i ms',
    (duration, lastMs, overMs) => {
      const state = stateAt(1_000_000, { a: { value: 'one', duration } });

      expect(served(state, 1_000_000 + lastMs)[0]).toEqual({ a: 'one' });
      expect(served(state, 1_000_000 + overMs)[0]).toEqual({});
    },
  );

  test('may be called `__proto__`', () => {
    const state = stateAt(0, JSON.parse('{"__proto__": "one"}'));

    expect(Object.entries(served(state, 0)[0] ?? {})).toEqual([['__proto__', 'one']]);
  });

  test('is not served to a wrong token, and not used up by it', () => {
    const state = stateAt(0, { a: { value: 'one', once: true } });
    const [refused, next] = respond(state, { ...request, token: 'wrong' }, 0);

    expect(refused.status).toBe(401);
    expect(served(next, 0)[0]).toEqual({ a: 'one' });
  });

  test('is neither served again nor rejuvenated by a new platform that leaves it as it was', () => {
    const secrets = { a: { value: 'one', once: true }, b: { value: 'two', duration: '1s' } };
    const [, used] = respond(stateAt(0, secrets), request, 0);

    expect(served(stateAt(900, secrets, used), 999)[0]).toEqual({ b: 'two' });
    expect(served(stateAt(900, secrets, used), 1000)[0]).toEqual({});
  });

  test('is new where a new platform gives it another value', () => {
    const limits = { once: true, duration: '1s' };
    const [, used] = respond(stateAt(0, { a: { value: 'one', ...limits } }), request, 0);
    const changed = stateAt(900, { a: { value: 'two', ...limits } }, used);

    expect(served(changed, 1899)[0]).toEqual({ a: 'two' });
    expect(served(changed, 1900)[0]).toEqual({});
  });
});

const request = { method: 'GET', target: '/v1/environment/scoped-variables', token: 'emulator' };

function stateAt(nowMs: number, secrets: Secrets, earlier?: ApiState): ApiState {
  const file = checkPlatformFile({ services: { web: {} }, secrets }, 'here');
  return createState(completePlatform(file, 'here'), nowMs, earlier);
}

/** The first two answers at `nowMs`. */
function served(state: ApiState, nowMs: number): object[] {
  const [first, next] = respond(state, request, nowMs);
  const [second] = respond(next, request, nowMs);
  return [first, second].map(({ body }) => JSON.parse(body.toString()).data);
}
