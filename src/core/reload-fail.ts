// A reload that came to nothing: when it is tried again, and with what. Events of reload-state.ts.
import { type Backoff, retryDelayMs } from './backoff.ts';
import type { ReloadState, Transition, Wish } from './reload-events.ts';
import { type EventOf, type Now, finish, settle, wishAgain } from './reload-moves.ts';

const backoff: Backoff = { initialMs: 1000, factor: 2, limitMs: 60_000 };

export function onFailure(
  state: ReloadState,
  event: EventOf<'failed' | 'distrusted'>,
  now: Now,
): Transition {
  if (state.phase.id !== 'fetching' && state.phase.id !== 'applying') {
    return [state, []];
  }

  const { run } = state.phase;
  const failures = event.type === 'failed' ? state.failures + 1 : 0;
  const delayMs =
    event.type === 'failed' ? retryDelayMs(backoff, failures, event.random) : event.retryAfterMs;
  const next: ReloadState = {
    ...state,
    phase: { id: 'waiting', dueAtMs: event.nowMs + delayMs, after: 'failure' },
    wish: wishAgain(run, state.wish),
    // What was to be told is superseded, and half of it is written: the next attempt decides anew, for all of it.
    held: state.phase.id === 'applying' ? undefined : state.held,
    failures,
  };
  const [settled, commands] = settle(next, now);
  return [
    settled,
    [
      { type: 'finish', outcome: event.type, waiters: run.waiters },
      { type: 'set-timer', timer: 'reload', delayMs },
      ...commands,
    ],
  ];
}

/** Until something else than the platform may have changed: an image, a user, a limit. */
export const refusedAgainMs = 60_000;

export function onRefusal(state: ReloadState, now: Now): Transition {
  if (state.phase.id !== 'fetching' && state.phase.id !== 'applying') {
    return [state, []];
  }

  const { run } = state.phase;
  const next = { ...state, failures: 0 };
  if (!run.isNotified) {
    return finish(next, 'refused', now);
  }

  const again = { ...next, wish: wishAgain(withoutConfig(run), state.wish) };
  if (run.kinds.has('config')) {
    return finish(again, 'refused', now);
  }

  const dueAtMs = now.nowMs + refusedAgainMs;
  const [settled, commands] = settle(
    { ...again, phase: { id: 'waiting', dueAtMs, after: 'refusal' } },
    now,
  );
  return [
    settled,
    [
      { type: 'finish', outcome: 'refused', waiters: run.waiters },
      { type: 'set-timer', timer: 'reload', delayMs: refusedAgainMs },
      ...commands,
    ],
  ];
}

function withoutConfig(run: Wish): Wish {
  return { ...run, kinds: new Set([...run.kinds].filter((kind) => kind !== 'config')) };
}

/** A platform that notifies is there: what failed before need not wait out its backoff. */
const leftAtMostMs = 2000;

/**
 * With full jitter, as all hear of one change at one moment; not again for the next one, which would wear it down. Not
 * where an answer was not trusted: another one has to be some time apart.
 */
export function waitLess(state: ReloadState, { nowMs, random }: EventOf<'changed'>): Transition {
  const { phase } = state;
  if (phase.id !== 'waiting' || state.failures === 0 || phase.dueAtMs <= nowMs + leftAtMostMs) {
    return [state, []];
  }

  const delayMs = Math.floor(leftAtMostMs * random);
  return [
    { ...state, phase: { ...phase, dueAtMs: nowMs + delayMs } },
    [{ type: 'set-timer', timer: 'reload', delayMs }],
  ];
}
