import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { AppAction } from '../../src/core/reload-action.ts';
import type { ReloadCommand, ReloadEvent, ReloadState } from '../../src/core/reload-events.ts';
import { startReloads, transition } from '../../src/core/reload-state.ts';
import type { RestartSpacing } from '../../src/core/restart-spacing.ts';

const quietTime = { quietMs: 500, maxWaitMs: 10_000 };
const hup: AppAction = { kind: 'signal', signal: 1 };
const restart: AppAction = { kind: 'restart' };
const none: AppAction = { kind: 'none' };
const command: AppAction = { kind: 'command', argv: ['nginx', '-s', 'reload'] };

/** An event without its time. */
type Happening = ReloadEvent extends infer Event
  ? Event extends ReloadEvent
    ? Omit<Event, 'nowMs'>
    : never
  : never;

/** A machine with a clock; each call says what the event led to. */
function machine(spacing?: RestartSpacing) {
  let state: ReloadState = startReloads(spacing);
  let nowMs = 1_000_000;
  const happen = (event: Happening): readonly ReloadCommand[] => {
    const [next, commands] = transition(state, { nowMs, ...event }, quietTime);
    state = next;
    return commands;
  };

  return {
    happen,
    state: () => state,
    /** Lets time pass, without firing anything. */
    pass: (ms: number) => {
      nowMs += ms;
    },
    nowMs: () => nowMs,
    changed: (random = 0.5) => happen({ type: 'changed', kinds: ['ist'], random }),
    timer: (timer: 'reload' | 'signal' | 'restart' = 'reload') => happen({ type: 'timer', timer }),
    /** A whole reload from a notification to its action. */
    reload: (action: AppAction, isChanged = true) => {
      happen({ type: 'changed', kinds: ['ist'], random: 0.5 });
      nowMs += 500;
      happen({ type: 'timer', timer: 'reload' });
      happen({ type: 'fetched' });
      return happen({ type: 'applied', isChanged, action });
    },
    /** From a fetch that is under way to its action. */
    complete: (action: AppAction, isChanged = true) => {
      happen({ type: 'fetched' });
      return happen({ type: 'applied', isChanged, action });
    },
  };
}

const setTimer = (delayMs: number, timer: 'reload' | 'signal' | 'restart' = 'reload') => ({
  type: 'set-timer',
  timer,
  delayMs,
});
const finish = (outcome: string, ...waiters: number[]) => ({ type: 'finish', outcome, waiters });
const ist = { type: 'fetch', kinds: new Set(['ist']) };
const fetched = ['ist', 'secrets', 'certificates'];

describe('a notification', () => {
  test('is waited for to be the last one, then fetched, applied and done with', () => {
    const it = machine();

    expect(it.changed()).toEqual([setTimer(500)]);
    it.pass(400);
    expect(it.changed()).toEqual([]);
    it.pass(100);
    expect(it.timer()).toEqual([setTimer(400)]);
    it.pass(400);
    expect(it.timer()).toEqual([ist]);
    expect(it.happen({ type: 'fetched' })).toEqual([{ type: 'apply' }]);
    expect(it.happen({ type: 'applied', isChanged: true, action: none })).toEqual([
      finish('applied'),
    ]);
    expect(it.state().phase).toEqual({ id: 'idle' });
  });

  test('that changed nothing has no action', () => {
    expect(machine().reload(none, false)).toEqual([finish('unchanged')]);
  });

  test('is not waited for longer than the longest wait, however many follow', () => {
    const it = machine();
    const startMs = it.nowMs();
    it.changed();
    while (it.state().phase.id === 'gathering') {
      it.pass(100);
      it.changed();
      it.timer();
    }

    expect(it.nowMs() - startMs).toBe(10_000);
  });

  test('says what is fetched: the kinds of all that came', () => {
    const it = machine();
    it.changed();
    it.happen({ type: 'changed', kinds: ['secrets'], random: 0.5 });
    it.pass(500);

    expect(it.timer()).toEqual([{ type: 'fetch', kinds: new Set(['ist', 'secrets']) }]);
  });

  test('of a connection is one of everything', () => {
    const it = machine();

    expect(it.happen({ type: 'connected' })).toEqual([setTimer(500)]);
    it.pass(500);
    expect(it.timer()).toEqual([{ type: 'fetch', kinds: new Set(fetched) }]);
  });
});

describe('what comes during a reload leads to exactly one more', () => {
  test.each(['fetching', 'applying', 'acting'])('while %s', (phase) => {
    const it = machine();
    it.changed();
    it.pass(500);
    it.timer();
    const steps: (() => unknown)[] = [
      () => it.happen({ type: 'fetched' }),
      () => it.happen({ type: 'applied', isChanged: true, action: command }),
      () => it.happen({ type: 'command-ended', isOk: true }),
    ];
    while (it.state().phase.id !== phase) {
      steps.shift()?.();
    }

    expect([it.changed(), it.changed(), it.changed()]).toEqual([[], [], []]);
    for (const step of steps) {
      step();
    }

    expect(it.state().phase).toEqual({ id: 'gathering' });
    it.pass(500);
    expect(it.timer()).toEqual([ist]);
    it.complete(none, false);
    expect(it.state().phase).toEqual({ id: 'idle' });
  });
});

const asked = { type: 'asked', waiter: 7, isNow: false } as const;
const everything = { type: 'fetch', kinds: new Set([...fetched, 'config']) };

describe('a reload by hand', () => {
  test('waits for quiet, reads the config as well, and is answered', () => {
    const it = machine();

    expect(it.happen(asked)).toEqual([setTimer(500)]);
    it.pass(500);
    expect(it.timer()).toEqual([everything]);
    expect(it.complete(none)).toEqual([finish('applied', 7)]);
  });

  test('is one reload with all that comes until it is quiet, and each who asked is answered', () => {
    const it = machine();
    it.changed();
    it.pass(400);
    expect(it.happen(asked)).toEqual([]);
    it.pass(400);
    expect([it.timer(), it.happen({ ...asked, waiter: 8 })]).toEqual([[setTimer(100)], []]);
    it.pass(100);
    expect(it.timer()).toEqual([setTimer(400)]);
    it.changed();
    it.pass(500);
    expect(it.timer()).toEqual([everything]);
    expect(it.complete(none)).toEqual([finish('applied', 7, 8)]);
    expect([it.timer(), it.state().phase]).toEqual([[], { id: 'idle' }]);
  });

  test('does not wait longer than the longest wait, however many ask', () => {
    const it = machine();
    const startMs = it.nowMs();
    for (let waiter = 1; it.state().phase.id !== 'fetching'; waiter += 1) {
      it.happen({ ...asked, waiter });
      it.pass(100);
      it.timer();
    }

    expect(it.nowMs() - startMs).toBe(10_000);
  });

  test('during another reload follows it, and has its own answer', () => {
    const it = machine();
    it.changed();
    it.pass(500);
    it.timer();

    expect(it.happen(asked)).toEqual([]);
    it.pass(200);
    expect(it.complete(none)).toEqual([finish('applied'), setTimer(300)]);
    it.pass(300);
    expect(it.timer()).toEqual([everything]);
    expect(it.complete(none, false)).toEqual([finish('unchanged', 7)]);
  });

  test('does not wait for the end of a backoff, but for quiet, however long ago what failed was notified', () => {
    const it = machine();
    it.changed();
    it.pass(500);
    it.timer();
    it.pass(20_000);
    it.happen({ type: 'failed', random: 0.9 });

    expect(it.happen(asked)).toEqual([setTimer(500)]);
    it.pass(500);
    expect(it.timer()).toEqual([everything]);
    // The failures before still count.
    expect(it.happen({ type: 'failed', random: 0.5 })).toEqual([
      finish('failed', 7),
      setTimer(1000),
    ]);
  });

  test('during a fetch that fails does not wait for the end of a backoff, either', () => {
    const it = machine();
    it.changed();
    it.pass(500);
    it.timer();
    it.happen(asked);

    expect(it.happen({ type: 'failed', random: 0.9 })).toEqual([
      finish('failed'),
      setTimer(900),
      setTimer(500),
    ]);
    it.pass(500);
    expect(it.timer()).toEqual([everything]);
  });

  test('of a config that is refused says so and is not tried again', () => {
    const it = machine();
    it.happen(asked);
    it.pass(500);
    it.timer();

    expect(it.happen({ type: 'refused' })).toEqual([finish('refused', 7)]);
    expect(it.state().phase).toEqual({ id: 'idle' });
  });

  test('of a config that is refused does not take along what was notified: that goes on with the old one', () => {
    const it = machine();
    it.changed();
    it.pass(400);
    it.happen(asked);
    it.pass(500);
    it.timer();

    expect(it.happen({ type: 'refused' })).toEqual([finish('refused', 7), setTimer(500)]);
    it.pass(500);
    expect(it.timer()).toEqual([{ type: 'fetch', kinds: new Set(fetched) }]);
  });

  test('is answered when the app ends, and afterwards', () => {
    const it = machine();
    it.happen(asked);
    it.happen({ ...asked, waiter: 8 });

    expect(it.happen({ type: 'app-ended' })).toEqual([finish('cancelled', 7, 8)]);
    expect(it.happen({ ...asked, waiter: 9 })).toEqual([finish('cancelled', 9)]);
    expect([it.changed(), it.timer()]).toEqual([[], []]);
  });

  test('is possible again where the app has started after all, and everything is fetched', () => {
    const it = machine();
    it.happen({ type: 'app-ended' });

    expect(it.happen({ type: 'app-started' })).toEqual([setTimer(500)]);
    it.pass(500);
    expect(it.timer()).toEqual([{ type: 'fetch', kinds: new Set(fetched) }]);
    expect(it.happen({ type: 'app-started' })).toEqual([]);
  });
});

describe('a reload by hand, now,', () => {
  const now = { ...asked, isNow: true };

  test('does not wait for quiet, reads the config as well, and is answered', () => {
    const it = machine();

    expect(it.happen(now)).toEqual([everything]);
    expect(it.complete(none)).toEqual([finish('applied', 7)]);
  });

  test('takes along what was being gathered, and who waits', () => {
    const it = machine();
    it.changed();
    it.happen(asked);

    expect(it.happen({ ...now, waiter: 8 })).toEqual([everything]);
    expect(it.complete(none)).toEqual([finish('applied', 7, 8)]);
    expect([it.timer(), it.state().phase]).toEqual([[], { id: 'idle' }]);
  });

  test('during another reload follows it at once, and has its own answer', () => {
    const it = machine();
    it.changed();
    it.pass(500);
    it.timer();

    expect([it.happen(now), it.happen({ ...asked, waiter: 8 })]).toEqual([[], []]);
    expect(it.complete(none)).toEqual([finish('applied'), everything]);
    expect(it.complete(none, false)).toEqual([finish('unchanged', 7, 8)]);
  });

  test('does not wait for the end of a backoff', () => {
    const it = machine();
    it.changed();
    it.pass(500);
    it.timer();
    it.happen({ type: 'failed', random: 0.9 });

    expect(it.happen(now)).toEqual([everything]);
  });

  test('that failed is tried again as any other: with the spacing of restarts', () => {
    const it = machine({ lastAtMs: 1_000_000, gapMs: 60_000 });
    it.happen(now);
    it.happen({ type: 'failed', random: 0 });
    expect(it.timer()).toEqual([everything]);

    expect(it.complete(restart)).toContainEqual(finish('restart-held'));
  });
});

/** A machine whose fetch has failed this often, and what the last failure led to. */
function failing(times: number) {
  const it = machine();
  it.changed();
  it.pass(500);
  it.timer();
  for (let time = 1; time < times; time += 1) {
    it.happen({ type: 'failed', random: 0 });
    it.timer();
  }

  return { ...it, last: it.happen({ type: 'failed', random: 0.5 }) };
}

describe('a fetch that failed', () => {
  test.each([
    [1, 500],
    [2, 1000],
    [3, 2000],
    [7, 30_000],
    [50, 30_000],
  ])('%i times in a row is tried again after up to twice %i ms', (times, delayMs) => {
    expect(failing(times).last).toEqual([finish('failed'), setTimer(delayMs)]);
  });

  test('is tried again for what it was for and for what came since, not before its time', () => {
    const it = failing(1);
    expect(it.happen({ type: 'changed', kinds: ['secrets'], random: 0.5 })).toEqual([]);
    it.pass(499);
    expect(it.timer()).toEqual([setTimer(1)]);
    it.pass(1);
    expect(it.timer()).toEqual([{ type: 'fetch', kinds: new Set(['ist', 'secrets']) }]);
  });

  test.each([
    [0, 0],
    [0.5, 1000],
    [0.9999, 1999],
  ])('waits up to 2 s once the platform notifies: chance %f gives %i ms', (random, delayMs) => {
    expect(failing(7).changed(random)).toEqual([setTimer(delayMs)]);
  });

  test('that is due within 2 s is not waited for less, or more notifications would mean less of a spread', () => {
    const it = failing(3);

    expect(it.changed(0.1)).toEqual([]);
    it.pass(2000);
    expect(it.timer()).toEqual([ist]);
  });

  test('waits no longer than 2 s once the platform notifies, however often it has failed', () => {
    const it = failing(7);
    it.changed(0.75);
    it.pass(1499);
    expect([it.changed(0), it.timer()]).toEqual([[], [setTimer(1)]]);
    it.pass(1);
    expect(it.timer()).toEqual([ist]);
    expect(it.happen({ type: 'failed', random: 0.5 })).toEqual([
      finish('failed'),
      setTimer(30_000),
    ]);
  });

  test('is not waited for when the platform is back', () => {
    const it = failing(7);

    expect(it.happen({ type: 'connected' })).toEqual([setTimer(500)]);
    it.pass(500);
    it.timer();
    expect(it.happen({ type: 'failed', random: 0.5 })).toEqual([finish('failed'), setTimer(500)]);
  });

  test('answers who asked, once', () => {
    const it = machine();
    it.happen(asked);
    it.pass(500);
    it.timer();

    expect(it.happen({ type: 'failed', random: 0 })).toEqual([finish('failed', 7), setTimer(0)]);
    it.timer();
    expect(it.complete(none)).toEqual([finish('applied')]);
  });

  test('in the writing is as one in the fetching', () => {
    const it = machine();
    it.changed();
    it.pass(500);
    it.timer();
    it.happen({ type: 'fetched' });

    expect(it.happen({ type: 'failed', random: 0.5 })).toEqual([finish('failed'), setTimer(500)]);
  });
});

test('an answer that is not trusted is asked for again when trust.ts says', () => {
  const it = machine();
  it.changed();
  it.pass(500);
  it.timer();

  expect(it.happen({ type: 'distrusted', retryAfterMs: 10_000 })).toEqual([
    finish('distrusted'),
    setTimer(10_000),
  ]);
  expect(it.changed()).toEqual([]);
  it.pass(10_000);
  expect(it.timer()).toEqual([ist]);
});

describe('a signal', () => {
  const send = { type: 'send-signal', signal: 1 };

  test('that is taken ends the reload, and the app knows', () => {
    const it = machine();

    expect(it.reload(hup)).toEqual([send]);
    expect(it.happen({ type: 'signal-sent' })).toEqual([{ type: 'remember' }, finish('signaled')]);
  });

  test('that nobody catches is tried again, from 100 ms growing to 1 s, as long as it takes', () => {
    const it = machine();
    it.reload(hup);

    expect(it.happen({ type: 'signal-untaken' })).toEqual([
      setTimer(100, 'signal'),
      finish('signal-held'),
    ]);
    for (const delayMs of [200, 400, 800, 1000, 1000, 1000]) {
      it.pass(delayMs);
      expect(it.timer('signal')).toEqual([send]);
      expect(it.happen({ type: 'signal-untaken' })).toEqual([setTimer(delayMs, 'signal')]);
    }

    expect(it.timer('signal')).toEqual([send]);
    expect(it.happen({ type: 'signal-sent' })).toEqual([{ type: 'remember' }, finish('signaled')]);
    expect(it.timer('signal')).toEqual([]);
  });

  test('that nobody catches for half a minute is tried every 10 s from then on', () => {
    const it = machine();
    it.reload(hup);
    const delaysMs = Array.from({ length: 50 }, () => {
      const [timer] = it.happen({ type: 'signal-untaken' });
      it.timer('signal');
      return timer?.type === 'set-timer' ? timer.delayMs : Number.NaN;
    });
    const atMs = delaysMs.map((_, index) => delaysMs.slice(0, index).reduce((a, b) => a + b, 0));

    expect(delaysMs.filter((_, index) => (atMs[index] ?? 0) < 29_000).at(-1)).toBe(1000);
    expect(delaysMs.filter((_, index) => (atMs[index] ?? 0) > 60_000)).not.toContain(1000);
    expect(delaysMs.slice(-10)).toEqual(Array.from({ length: 10 }, () => 10_000));
  });

  test('that is held blocks no reload, and two that are held are one', () => {
    const it = machine();
    it.reload(hup);
    it.happen({ type: 'signal-untaken' });

    expect(it.reload(hup)).toEqual([send]);
    expect(it.happen({ type: 'signal-sent' })).toEqual([{ type: 'remember' }, finish('signaled')]);
    expect(it.timer('signal')).toEqual([]);
  });

  test('that is held is dropped when the difference is gone', () => {
    const it = machine();
    it.reload(hup);
    it.happen({ type: 'signal-untaken' });
    it.reload(none);

    expect(it.timer('signal')).toEqual([]);
  });

  test('is not sent while files are being written', () => {
    const it = machine();
    it.reload(hup);
    it.happen({ type: 'signal-untaken' });
    it.changed();
    it.pass(500);
    it.timer();
    expect(it.timer('signal')).toEqual([send]);
    it.happen({ type: 'signal-untaken' });
    it.happen({ type: 'fetched' });

    expect(it.timer('signal')).toEqual([setTimer(100, 'signal')]);
  });

  test('that is held is given up when the app ends', () => {
    const it = machine();
    it.reload(hup);
    it.happen({ type: 'signal-untaken' });
    it.happen({ type: 'app-ended' });

    expect(it.timer('signal')).toEqual([]);
  });
});

describe('an action that is held when files could not be written', () => {
  test.each([
    ['signal', hup],
    ['restart', restart],
  ] as const)('(a %s) waits for them: the app would find half of them', (kind, action) => {
    const it = machine({ lastAtMs: 1_000_000, gapMs: 60_000 });
    it.reload(action);
    it.happen({ type: 'signal-untaken' });
    expect(it.state().held?.kind).toBe(kind);
    it.changed();
    it.pass(500);
    it.timer();
    it.happen({ type: 'fetched' });
    it.happen({ type: 'failed', random: 0.5 });
    it.pass(60_000);
    expect(it.timer(kind)).toEqual([]);
    expect(it.timer()).toEqual([ist]);
    expect(it.complete(action)).toContainEqual(
      kind === 'signal' ? { type: 'send-signal', signal: 1 } : { type: 'restart' },
    );
  });
});

describe('a command', () => {
  test('that ended well told the app; one that failed did not', () => {
    const it = machine();

    expect(it.reload(command)).toEqual([{ type: 'run-command', argv: ['nginx', '-s', 'reload'] }]);
    expect(it.happen({ type: 'command-ended', isOk: false })).toEqual([finish('command-failed')]);
    it.reload(command);
    expect(it.happen({ type: 'command-ended', isOk: true })).toEqual([
      { type: 'remember' },
      finish('command-ok'),
    ]);
  });
});

/** After a refusal that no edit of the config explains. */
function refused() {
  const it = machine();
  it.changed();
  it.pass(500);
  it.timer();
  expect(it.happen({ type: 'refused' })).toEqual([finish('refused'), setTimer(60_000)]);
  return it;
}

describe('what is refused without a new config', () => {
  test('is tried again a minute later: an image or a user may have changed', () => {
    const it = refused();
    it.pass(59_999);

    expect(it.timer()).toEqual([setTimer(1)]);
    it.pass(1);
    expect(it.timer()).toEqual([ist]);
  });

  test('is tried again with the next notification', () => {
    const it = refused();

    expect(it.changed()).toEqual([setTimer(500)]);
  });
});

describe('a restart', () => {
  const ended = { type: 'restart-ended', outcome: 'restarted' } as const;

  test('is done at once if there was none, and then at least a minute apart', () => {
    const it = machine();

    expect(it.reload(restart)).toEqual([{ type: 'restart' }]);
    expect(it.happen(ended)).toEqual([{ type: 'remember' }, finish('restarted')]);
    // The reload itself waits for half a second of quiet.
    expect(it.reload(restart)).toEqual([setTimer(59_500, 'restart'), finish('restart-held')]);
    it.pass(59_499);
    expect(it.timer('restart')).toEqual([setTimer(1, 'restart')]);
    it.pass(1);
    expect(it.timer('restart')).toEqual([{ type: 'restart' }]);
    it.happen(ended);
    expect(it.reload(restart)).toEqual([setTimer(119_500, 'restart'), finish('restart-held')]);
  });

  test('that is held is dropped when the difference is gone', () => {
    const it = machine();
    it.reload(restart);
    it.happen(ended);
    it.reload(restart);
    it.reload(none);
    it.pass(60_000);

    expect(it.timer('restart')).toEqual([]);
  });

  test('that is due during a fetch is decided by that fetch, and done after it if it failed', () => {
    const it = machine();
    it.reload(restart);
    it.happen(ended);
    it.reload(restart);
    it.changed();
    it.pass(60_000);
    it.timer();

    expect(it.timer('restart')).toEqual([]);
    expect(it.happen({ type: 'failed', random: 0.5 })).toEqual([
      finish('failed'),
      setTimer(500),
      { type: 'restart' },
    ]);
    it.happen(ended);
    expect(it.state().phase).toEqual({ id: 'gathering' });
  });

  test('whose timer is early during a fetch is waited for again, since that fetch may come to nothing', () => {
    const it = machine();
    it.reload(restart);
    it.happen(ended);
    it.reload(restart);
    it.happen({ ...asked, isNow: true });
    it.pass(59_499);

    expect(it.timer('restart')).toEqual([setTimer(1, 'restart')]);
    expect(it.happen({ type: 'refused' })).toEqual([finish('refused', 7)]);
    it.pass(1);
    expect(it.timer('restart')).toEqual([{ type: 'restart' }]);
  });

  test('by hand is held as any other, which is the answer, and done when the minute is over', () => {
    const it = machine();
    it.reload(restart);
    it.happen(ended);
    it.happen(asked);
    it.pass(500);
    it.timer();

    expect(it.complete(restart)).toEqual([setTimer(59_500, 'restart'), finish('restart-held', 7)]);
    it.pass(59_500);
    expect(it.timer('restart')).toEqual([{ type: 'restart' }]);
    expect(it.happen(ended)).toEqual([{ type: 'remember' }, finish('restarted')]);
  });

  test('by hand, now, does not wait for the minute, and counts; nor does one that is held', () => {
    const it = machine();
    it.reload(restart);
    it.happen(ended);
    it.reload(restart);
    expect(it.state().held).toEqual({ kind: 'restart' });
    it.happen({ ...asked, isNow: true });

    expect(it.complete(restart)).toEqual([{ type: 'restart' }]);
    expect(it.happen(ended)).toEqual([{ type: 'remember' }, finish('restarted', 7)]);
    expect(it.state().spacing?.gapMs).toBe(120_000);
  });

  test('keeps the distance that a predecessor knew of', () => {
    const it = machine({ lastAtMs: 1_000_000, gapMs: 240_000 });

    expect(it.reload(restart)[0]).toEqual(setTimer(239_500, 'restart'));
  });

  test('that is refused tells nobody, and is tried again when the next one may be', () => {
    const it = machine();
    it.reload(restart);

    expect(it.happen({ ...ended, outcome: 'restart-refused' })).toEqual([
      setTimer(60_000, 'restart'),
      finish('restart-refused'),
    ]);
    it.pass(59_999);
    expect(it.timer('restart')).toEqual([setTimer(1, 'restart')]);
    it.pass(1);
    expect(it.timer('restart')).toEqual([{ type: 'restart' }]);
    expect(it.happen({ ...ended, outcome: 'restart-refused' })[0]).toEqual(
      setTimer(60_000, 'restart'),
    );
  });

  test.each(['restart-refused', 'cancelled'] as const)(
    'that is none (%s) counts for none: the next one by hand keeps the distance to the last that was one',
    (outcome) => {
      const it = machine();
      const byHand = (isNow = false) => {
        it.happen({ ...asked, isNow });
        it.pass(isNow ? 0 : 500);
        it.timer();
        return it.complete(restart);
      };
      byHand();
      it.happen({ ...ended, outcome });
      expect(byHand()).toEqual([{ type: 'restart' }]);
      it.happen(ended);
      byHand(true);
      it.happen({ ...ended, outcome });
      expect(byHand()).toEqual([setTimer(59_500, 'restart'), finish('restart-held', 7)]);
    },
  );

  test.each([
    ['that fell back counts as told: the same plan would end in the same way', 'fell-back', true],
    ['that was cancelled told nobody', 'cancelled', false],
  ] as const)('%s', (_what, outcome, isTold) => {
    const it = machine();
    it.reload(restart);

    expect(it.happen({ type: 'restart-ended', outcome })).toEqual([
      ...(isTold ? [{ type: 'remember' }] : []),
      finish(outcome),
    ]);
  });
});

/** What the world answers to a command, if it is a good one. */
const answers = {
  fetch: fc.constantFrom<Happening>(
    { type: 'fetched' },
    { type: 'failed', random: 0.5 },
    { type: 'distrusted', retryAfterMs: 10_000 },
    { type: 'refused' },
  ),
  apply: fc.constantFrom<Happening>(
    ...[none, hup, command, restart].map(
      (action) => ({ type: 'applied', isChanged: true, action }) as const,
    ),
    { type: 'failed', random: 0.5 },
    { type: 'refused' },
  ),
  'send-signal': fc.constantFrom<Happening>({ type: 'signal-sent' }, { type: 'signal-untaken' }),
  'run-command': fc.boolean().map((isOk): Happening => ({ type: 'command-ended', isOk })),
  restart: fc.constantFrom<Happening>(
    { type: 'restart-ended', outcome: 'restarted' },
    { type: 'restart-ended', outcome: 'restart-refused' },
  ),
} as const;

type Work = keyof typeof answers;

type Disturbance = Happening | 'asked' | 'asked now';

const disturbance = fc.constantFrom<Disturbance>(
  { type: 'changed', kinds: ['ist'], random: 0.5 },
  { type: 'changed', kinds: ['secrets'], random: 0.5 },
  { type: 'connected' },
  'asked',
  'asked now',
);

describe('whatever happens in whatever order', () => {
  test('one reload at a time, no last change is lost, and every question has one answer', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(disturbance, fc.constant('answer'), fc.nat({ max: 30_000 })), {
          maxLength: 40,
        }),
        fc.gen(),
        (script, gen) => {
          const world = simulate((work) => gen(() => answers[work]));
          for (const step of script) {
            if (typeof step === 'number') {
              world.pass(step);
            } else if (step === 'answer') {
              world.answer();
            } else {
              world.disturb(step);
            }
          }

          world.settle();
          expect(world.answered()).toEqual(world.asked());
          expect(world.lastFetch()).toBeGreaterThanOrEqual(world.lastChange());
        },
      ),
    );
  });
});

/** Timers, the work under way, and what must hold after each event. */
function simulate(choose: (work: Work) => Happening) {
  let state = startReloads();
  let nowMs = 0;
  let clock = 0;
  let waiter = 0;
  let lastChange = 0;
  let lastFetch = 0;
  const timers = new Map<string, number>();
  const work: Work[] = [];
  const answered: number[] = [];

  function happen(event: Happening): void {
    const [next, commands] = transition(state, { nowMs, ...event }, quietTime);
    state = next;
    for (const each of commands) {
      switch (each.type) {
        case 'set-timer':
          timers.set(each.timer, nowMs + each.delayMs);
          break;
        case 'finish':
          answered.push(...each.waiters);
          break;
        case 'remember':
          break;
        case 'fetch':
          lastFetch = clock;
          work.push(each.type);
          break;
        case 'apply':
        case 'run-command':
        case 'restart':
        case 'send-signal':
          work.push(each.type);
          break;
      }
    }

    // A signal that is held may be tried beside a fetch; nothing else is done beside anything.
    expect(work.filter((it) => it !== 'send-signal').length).toBeLessThanOrEqual(1);
  }

  function fireUntil(endMs: number): void {
    for (;;) {
      const [name, dueMs] = [...timers].toSorted(([, a], [, b]) => a - b)[0] ?? ['', Infinity];
      if (dueMs > endMs || (name !== 'reload' && name !== 'signal' && name !== 'restart')) {
        break;
      }

      nowMs = Math.max(nowMs, dueMs);
      timers.delete(name);
      happen({ type: 'timer', timer: name });
    }

    nowMs = Math.max(nowMs, endMs);
  }

  function answer(good?: Happening): void {
    const next = work.shift();
    if (next !== undefined) {
      happen(good ?? choose(next));
    }
  }

  const goodAnswers: Record<Work, Happening> = {
    fetch: { type: 'fetched' },
    apply: { type: 'applied', isChanged: false, action: none },
    'send-signal': { type: 'signal-sent' },
    'run-command': { type: 'command-ended', isOk: true },
    restart: { type: 'restart-ended', outcome: 'restarted' },
  };

  return {
    answer,
    pass: (ms: number) => fireUntil(nowMs + ms),
    disturb: (event: Disturbance) => {
      clock += 1;
      lastChange = clock;
      happen(
        event === 'asked' || event === 'asked now'
          ? { type: 'asked', waiter: (waiter += 1), isNow: event === 'asked now' }
          : event,
      );
    },
    /** From here on all goes well. */
    settle: () => {
      for (let round = 0; round < 100; round += 1) {
        for (let count = 0; work.length > 0; count += 1) {
          // A reload for each change, and some that were tried again.
          expect(count).toBeLessThan(1000);
          answer(goodAnswers[work[0] ?? 'fetch']);
        }

        fireUntil(nowMs + 100_000);
      }

      expect([state.phase.id, work]).toEqual(['idle', []]);
    },
    answered: () => answered.toSorted((a, b) => a - b),
    asked: () => Array.from({ length: waiter }, (_, index) => index + 1),
    lastFetch: () => lastFetch,
    lastChange: () => lastChange,
  };
}
