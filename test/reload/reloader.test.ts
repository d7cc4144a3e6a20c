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

test('what was fetched for an app that has ended is not taken for what is fetched for the next one', async () => {
  const fetches: (() => void)[] = [];
  let fetched = 0;
  let applied = 0;
  const reloader = startReloader({
    fetch: () =>
      new Promise((resolve) => {
        const mine = fetches.length + 1;
        fetches.push(() => {
          fetched = mine;
          resolve({ type: 'fetched' });
        });
      }),
    apply: () => {
      applied = fetched;
      return Promise.resolve({ type: 'applied', isChanged: true, action: { kind: 'none' } });
    },
    sendSignal: () => false,
    runCommand: () => Promise.resolve(false),
    restart: () => Promise.resolve('cancelled'),
    remember: () => undefined,
    onFinish: () => undefined,
    onDefect: (error) => {
      throw error;
    },
    quietTime: () => ({ quietMs: 5, maxWaitMs: 50 }),
    nowMs,
    random: () => 0.5,
  });
  onTestFinished(() => reloader.appEnded());
  reloader.changed(['ist']);
  await eventually(() => expect(fetches).toHaveLength(1));
  reloader.appEnded();
  reloader.appStarted();
  await eventually(() => expect(reloader.state().phase.id).toBe('fetching'));
  // There is one at a time.
  expect(fetches).toHaveLength(1);
  fetches[0]?.();
  await eventually(() => expect(fetches).toHaveLength(2));
  expect(applied).toBe(0);
  fetches[1]?.();
  await eventually(() => expect(applied).toBe(2));
});
