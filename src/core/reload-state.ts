// The reload as a table: (state, event) -> (next state, commands). No clock, no network, no process.
//
//           .------------- asked: now -------------.
//           |                                      v
//   idle --changed, asked--> gathering -- due --> fetching --fetched--> applying --applied--> acting --> idle
//                               ^                    |                     |
//                               '- connected, asked- waiting <- failed, distrusted
//
// - One at a time. What comes meanwhile is one wish, and leads to exactly one more reload.
// - Who asks by hand waits for quiet like everybody else, but not for the end of a backoff; who asks for it now, for nothing.
// - What failed is tried again, for ever, and changes nothing until then. What was refused for an edit of the config is
//   not: that waits for the next reload by hand, and what was notified goes on with the old one.
// - An action that cannot be done yet is held and blocks nothing: a signal that no process catches so far, a restart too
//   soon after the last one. Files are kept fresh meanwhile, and each reload decides anew: where the difference is gone,
//   so is the action.
// - A timer that nobody waits for any more does no harm, so none is ever cleared.
import { type QuietTime, msUntilDue } from './quiet-time.ts';
import {
  onApplied,
  onCommandEnd,
  onRestartEnd,
  onSignalSent,
  onSignalUntaken,
  signalDelayMs,
} from './reload-act.ts';
import type { ReloadEvent, ReloadState, Transition } from './reload-events.ts';
import { onFailure, onRefusal, waitLess } from './reload-fail.ts';
import {
  type EventOf,
  type Now,
  answer,
  begin,
  extendWish,
  gather,
  heldRestartInMs,
  runOf,
  settle,
} from './reload-moves.ts';
import type { RestartSpacing } from './restart-spacing.ts';

/** @param spacing - What a predecessor of this process knew of restarts. */
export function startReloads(spacing?: RestartSpacing): ReloadState {
  return { phase: { id: 'idle' }, wish: undefined, held: undefined, spacing, failures: 0 };
}

/** An event that does not fit the phase changes nothing. */
export function transition(
  state: ReloadState,
  event: ReloadEvent,
  quietTime: QuietTime,
): Transition {
  const now = { nowMs: event.nowMs, quietTime };
  switch (event.type) {
    case 'changed':
    case 'connected':
    case 'asked':
      return onWish(state, event, now);
    case 'timer':
      return onTimer(state, event, now);
    case 'fetched':
      return state.phase.id === 'fetching'
        ? [{ ...state, phase: { id: 'applying', run: state.phase.run } }, [{ type: 'apply' }]]
        : [state, []];
    case 'failed':
    case 'distrusted':
      return onFailure(state, event, now);
    case 'refused':
      return onRefusal(state, now);
    case 'applied':
      return onApplied(state, event, now);
    case 'signal-sent':
      return onSignalSent(state, now);
    case 'signal-untaken':
      return onSignalUntaken(state, now);
    case 'command-ended':
      return onCommandEnd(state, event, now);
    case 'restart-ended':
      return onRestartEnd(state, event, now);
    case 'app-ended':
      return [
        { ...state, phase: { id: 'ended' }, wish: undefined, held: undefined },
        answer('cancelled', [...runOf(state).waiters, ...(state.wish?.waiters ?? [])]),
      ];
    case 'app-started':
      // What was said meanwhile is not known.
      return state.phase.id === 'ended'
        ? onWish({ ...state, phase: { id: 'idle' } }, { ...event, type: 'connected' }, now)
        : [state, []];
  }
}

function onWish(
  state: ReloadState,
  event: EventOf<'changed' | 'connected' | 'asked'>,
  now: Now,
): Transition {
  const next = { ...state, wish: extendWish(state.wish, event) };
  switch (state.phase.id) {
    case 'idle':
      return isNow(event) ? begin(next) : gather(next, now);
    case 'gathering':
      // Its timer sees for itself that it was too early.
      return isNow(event) ? begin(next) : [next, []];
    case 'waiting':
      if (event.type === 'asked') {
        return event.isNow ? begin(next) : gather(next, now);
      }

      return event.type === 'connected' || state.phase.after === 'refusal'
        ? gather({ ...next, failures: 0 }, now)
        : waitLess(next, event);
    case 'fetching':
    case 'applying':
    case 'acting':
      return [next, []];
    case 'ended':
      return [state, event.type === 'asked' ? answer('cancelled', [event.waiter]) : []];
  }
}

function isNow(event: EventOf<'changed' | 'connected' | 'asked'>): boolean {
  return event.type === 'asked' && event.isNow;
}

function onTimer(state: ReloadState, { timer }: EventOf<'timer'>, now: Now): Transition {
  const { phase, held } = state;
  switch (timer) {
    case 'reload': {
      const delayMs = reloadDelayMs(state, now);
      if (delayMs === undefined) {
        return [state, []];
      }

      return delayMs === 0 ? begin(state) : [state, [{ type: 'set-timer', timer, delayMs }]];
    }
    case 'signal':
      if (held?.kind !== 'signal' || phase.id === 'acting') {
        return [state, []];
      }

      // The app would read files of which some are old and some are new.
      return phase.id === 'applying'
        ? [state, [{ type: 'set-timer', timer, delayMs: signalDelayMs(0) }]]
        : [state, [{ type: 'send-signal', signal: held.signal }]];
    case 'restart': {
      const delayMs = heldRestartInMs(state, now.nowMs);
      if (delayMs === undefined || delayMs > 0) {
        return [state, delayMs === undefined ? [] : [{ type: 'set-timer', timer, delayMs }]];
      }

      // The end of a reload looks at it, too.
      return 'run' in phase ? [state, []] : settle(state, now);
    }
  }
}

/** Undefined where no reload is to come. */
function reloadDelayMs(
  { phase, wish }: ReloadState,
  { nowMs, quietTime }: Now,
): number | undefined {
  switch (phase.id) {
    case 'gathering':
      return wish?.burst === undefined ? 0 : msUntilDue(wish.burst, quietTime, nowMs);
    case 'waiting':
      return Math.max(0, Math.ceil(phase.dueAtMs - nowMs));
    case 'idle':
    case 'fetching':
    case 'applying':
    case 'acting':
    case 'ended':
      return undefined;
  }
}
