import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  type RestartSpacing,
  restartDelayMs,
  spaceRestarts,
} from '../../src/core/restart-spacing.ts';

const minuteMs = 60_000;

/** Restarts as soon as each may be; the gaps between them, in minutes. */
function dance(count: number): number[] {
  let spacing: RestartSpacing | undefined;
  let nowMs = 5;
  return Array.from({ length: count }, () => {
    spacing = spaceRestarts(spacing, nowMs);
    const delayMs = restartDelayMs(spacing, nowMs);
    nowMs += delayMs;
    return delayMs / minuteMs;
  });
}

describe('restarts', () => {
  test('the first one may be at once', () => {
    expect(restartDelayMs(undefined, 0)).toBe(0);
  });

  test('that follow each other are 1, 2, 4, 8 and then always 15 minutes apart', () => {
    expect(dance(7)).toEqual([1, 2, 4, 8, 15, 15, 15]);
  });

  test.each([
    [2 * 8 * minuteMs - 1, 15],
    [2 * 8 * minuteMs, 1],
  ])('%i ms after the last one, of a gap of 8 minutes, the gap is %i minutes', (elapsedMs, gap) => {
    const spacing = { lastAtMs: 1000, gapMs: 8 * minuteMs };

    expect(spaceRestarts(spacing, 1000 + elapsedMs).gapMs).toBe(gap * minuteMs);
  });

  test('a clock of another boot holds none up', () => {
    const spacing = { lastAtMs: 1e9, gapMs: minuteMs };

    expect([restartDelayMs(spacing, 10), spaceRestarts(spacing, 10).gapMs]).toEqual([0, minuteMs]);
  });

  test('are at least a minute apart, whenever they are wanted', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 40 * minuteMs }), { maxLength: 30 }), (waits) => {
        let spacing: RestartSpacing | undefined;
        let nowMs = 0;
        const restarts: number[] = [];
        for (const waitMs of waits) {
          nowMs += waitMs;
          if (restartDelayMs(spacing, nowMs) === 0) {
            restarts.push(nowMs);
            spacing = spaceRestarts(spacing, nowMs);
          }
        }

        const gaps = restarts.slice(1).map((timeMs, index) => timeMs - (restarts[index] ?? 0));
        expect(gaps.filter((gapMs) => gapMs < minuteMs)).toEqual([]);
      }),
    );
  });
});
