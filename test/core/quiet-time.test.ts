import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type Burst, extendBurst, msUntilDue } from '../../src/core/quiet-time.ts';

const limits = { quietMs: 500, maxWaitMs: 10_000 };

function burstAt(...timesMs: number[]): Burst {
  return timesMs.reduce<Burst | undefined>(extendBurst, undefined) ?? { firstAtMs: 0, lastAtMs: 0 };
}

describe('a burst', () => {
  test.each([
    ['of one notification is over after the quiet time', [1000], 1000, 500],
    ['is not over 1 ms before', [1000], 1499, 1],
    ['is over at the very millisecond', [1000], 1500, 0],
    ['stays over', [1000], 99_000, 0],
    ['begins its quiet anew with each notification', [1000, 1400], 1400, 500],
    ['that does not end is cut at the longest wait', [1000, 10_900], 10_900, 100],
    ['counts the longest wait from its first notification', [1000, 6000, 10_999], 11_000, 0],
    ['is never over early by a part of a millisecond', [1000.2], 1500, 1],
  ])('%s', (_what, timesMs, nowMs, expected) => {
    expect(msUntilDue(burstAt(...timesMs), limits, nowMs)).toBe(expected);
  });
});

/** When a timer that is set again for as long as it is not due fires at last, and the burst by then. */
function fireOn(gapsMs: readonly number[]) {
  let burst = extendBurst(undefined, 0);
  let nowMs = 0;
  let fireAtMs = msUntilDue(burst, limits, nowMs);
  for (const gapMs of [...gapsMs, Number.POSITIVE_INFINITY]) {
    while (fireAtMs <= nowMs + gapMs) {
      const leftMs = msUntilDue(burst, limits, fireAtMs);
      if (leftMs === 0) return { fireAtMs, burst };
      fireAtMs += leftMs;
    }

    nowMs += gapMs;
    burst = extendBurst(burst, nowMs);
  }

  throw new Error('it never fired');
}

test('one timer that is set again is enough: it fires in the quiet, or maxWaitMs after the first', () => {
  const gapsMs = fc.array(fc.constantFrom(0, 1, 100, 499, 500, 501, 3000), { maxLength: 60 });
  fc.assert(
    fc.property(gapsMs, (gaps) => {
      const { fireAtMs, burst } = fireOn(gaps);
      const isQuiet = fireAtMs === burst.lastAtMs + limits.quietMs;
      const isLong = fireAtMs === burst.firstAtMs + limits.maxWaitMs;

      expect(isQuiet || isLong).toBe(true);
      expect(fireAtMs).toBeLessThanOrEqual(limits.maxWaitMs);
    }),
  );
});
