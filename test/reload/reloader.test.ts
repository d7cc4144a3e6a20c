// The reloader with real timers: when a restart is done that was held back.
import { expect, onTestFinished, test } from 'vitest';

import type { ReloadOutcome } from '../../src/core/reload-events.ts';
import type { RestartSpacing } from '../../src/core/restart-spacing.ts';
import { nowMs } from '../../src/inputs/monotonic-clock.ts';
import { type Reloader, startReloader } from '../../src/reload/reloader.ts';
import { eventually } from '../helpers/process.ts';

/** Every reload leads to a restart. */
function startRestarter(spacing: RestartSpacing) {
  const restartsAtMs: number[] = [];
  const outcomes: ReloadOutcome[] = [];
  const reloader: Reloader = startReloader(
    {
      fetch: () => Promise.resolve({ type: 'fetched' }),
      apply: () =>
        Promise.resolve({ type: 'applied', isChanged: true, action: { kind: 'restart' } }),
      sendSignal: () => false,
      runCommand: () => Promise.resolve(false),
      restart: () => {
        restartsAtMs.push(nowMs());
        return Promise.resolve('restarted');
      },
      remember: () => undefined,
      onFinish: (outcome) => outcomes.push(outcome),
      onDefect: (error) => {
        throw error;
      },
      quietTime: () => ({ quietMs: 50, maxWaitMs: 1000 }),
      nowMs,
      random: () => 0.5,
    },
    spacing,
  );
  onTestFinished(() => reloader.appEnded());
  return { reloader, restartsAtMs, outcomes };
}

/** A minute since the last restart is over in so long. */
function minuteOverIn(ms: number): RestartSpacing {
  return { lastAtMs: nowMs() - 60_000 + ms, gapMs: 60_000 };
}

test('a restart by hand within a minute of the last is done when the minute is over; who asked was told before', async () => {
  const spacing = minuteOverIn(800);
  const { reloader, restartsAtMs, outcomes } = startRestarter(spacing);
  const answers = await Promise.all([reloader.ask(false), reloader.ask(false)]);

  expect([answers, restartsAtMs]).toEqual([['restart-held', 'restart-held'], []]);
  await eventually(() => expect(outcomes).toEqual(['restart-held', 'restarted']));
  expect(restartsAtMs).toHaveLength(1);
  expect(restartsAtMs[0]).toBeGreaterThanOrEqual(spacing.lastAtMs + spacing.gapMs);
  expect(reloader.state().spacing?.gapMs).toBe(120_000);
});

test('a restart by hand, now, is done within the minute, also where another one is held', async () => {
  const { reloader, restartsAtMs } = startRestarter(minuteOverIn(59_000));
  expect(await reloader.ask(false)).toBe('restart-held');
  expect(await reloader.ask(true)).toBe('restarted');
  expect(restartsAtMs).toHaveLength(1);
  expect(reloader.state().held).toBeUndefined();
});
