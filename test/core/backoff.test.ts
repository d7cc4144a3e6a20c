import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { parseRetryAfterMs, retryDelayMs } from '../../src/core/backoff.ts';

const backoff = { initialMs: 50, factor: 2, limitMs: 2000 };
const almostOne = 1 - Number.EPSILON;

describe('retryDelayMs', () => {
  test.each([
    [1, 49],
    [2, 99],
    [3, 199],
    [6, 1599],
    [7, 1999],
    [5000, 1999],
  ])('retry %i waits at most %i ms', (attempt, mostMs) => {
    expect(retryDelayMs(backoff, attempt, almostOne)).toBe(mostMs);
  });

  test('jitter is full: chance 0 waits not at all, chance 0.5 half of the ceiling', () => {
    expect(retryDelayMs(backoff, 3, 0)).toBe(0);
    expect(retryDelayMs(backoff, 3, 0.5)).toBe(100);
  });

  test('is a whole number of milliseconds from 0 to the limit, whatever the attempt', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e9 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, random) => {
          const delayMs = retryDelayMs(backoff, attempt, random);
          expect(Number.isInteger(delayMs) && delayMs >= 0 && delayMs <= 2000).toBe(true);
        },
      ),
    );
  });
});

describe('parseRetryAfterMs', () => {
  test.each([
    ['0', 0],
    ['7', 7000],
    ['120', 120_000],
  ])('%s seconds are %i ms', (text, delayMs) => {
    expect(parseRetryAfterMs(text)).toBe(delayMs);
  });

  test.each([undefined, '', '-1', '1.5', 'soon', '9999999', 'Wed, 21 Oct 2026 07:28:00 GMT'])(
    '%s is no number of seconds',
    (text) => {
      expect(parseRetryAfterMs(text)).toBeUndefined();
    },
  );
});
