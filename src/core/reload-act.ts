// The second half of a reload: what was decided is done, or held until it can be. Events of reload-state.ts.
import type { ReloadState, Transition, Wish } from './reload-events.ts';
import { refusedAgainMs } from './reload-fail.ts';
import { type EventOf, type Now, finish, restart } from './reload-moves.ts';
import { restartDelayMs } from './restart-spacing.ts';

export function onApplied(state: ReloadState, event: EventOf<'applied'>, now: Now): Transition {
  if (state.phase.id !== 'applying') {
    return [state, []];
  }

  const { run } = state.phase;
  const next: ReloadState = { ...state, held: undefined, failures: 0 };
  switch (event.action.kind) {
    case 'none':
      return finish(next, event.isChanged ? 'applied' : 'unchanged', now);
    case 'signal': {
      const { signal } = event.action;
      return [
        {
          ...next,
          phase: { id: 'acting', run, action: 'signal' },
          held: { kind: 'signal', signal, attempts: 0 },
        },
        [{ type: 'send-signal', signal }],
      ];
    }
    case 'command':
      return [
        { ...next, phase: { id: 'acting', run, action: 'command' } },
        [{ type: 'run-command', argv: event.action.argv }],
      ];
    case 'restart':
      return onRestartWanted(next, run, now);
  }
}

function onRestartWanted(state: ReloadState, run: Wish, now: Now): Transition {
  const delayMs = run.isNow ? 0 : restartDelayMs(state.spacing, now.nowMs);
  if (delayMs === 0) {
    return restart(state, run, now.nowMs);
  }

  const [next, commands] = finish({ ...state, held: { kind: 'restart' } }, 'restart-held', now);
  return [next, [{ type: 'set-timer', timer: 'restart', delayMs }, ...commands]];
}

/** With the first delays some half a minute: most apps have booted by then. */
const eagerAttempts = 32;

/** From 100 ms to 1 s while the app may be booting, then up to 10 s, as long as it takes. */
export function signalDelayMs(attempts: number): number {
  return attempts < eagerAttempts
    ? Math.min(100 * 2 ** attempts, 1000)
    : Math.min(1000 * 2 ** (attempts - eagerAttempts + 1), 10_000);
}

export function onSignalSent(state: ReloadState, now: Now): Transition {
  if (state.held?.kind !== 'signal') {
    return [state, []];
  }

  const next = { ...state, held: undefined };
  const [settled, commands] =
    state.phase.id === 'acting'
      ? finish(next, 'signaled', now)
      : [next, [{ type: 'finish', outcome: 'signaled', waiters: [] } as const]];
  return [settled, [{ type: 'remember' }, ...commands]];
}

export function onSignalUntaken(state: ReloadState, now: Now): Transition {
  const { held, phase } = state;
  if (held?.kind !== 'signal') {
    return [state, []];
  }

  const next: ReloadState = { ...state, held: { ...held, attempts: held.attempts + 1 } };
  const [settled, commands] = phase.id === 'acting' ? finish(next, 'signal-held', now) : [next, []];
  const delayMs = signalDelayMs(held.attempts);
  return [settled, [{ type: 'set-timer', timer: 'signal', delayMs }, ...commands]];
}

export function onCommandEnd(
  state: ReloadState,
  { isOk }: EventOf<'command-ended'>,
  now: Now,
): Transition {
  if (state.phase.id !== 'acting' || state.phase.action !== 'command') {
    return [state, []];
  }

  // One that failed has told the app nothing: the next reload finds the same difference.
  const [next, commands] = finish(state, isOk ? 'command-ok' : 'command-failed', now);
  return [next, isOk ? [{ type: 'remember' }, ...commands] : commands];
}

export function onRestartEnd(
  state: ReloadState,
  { outcome }: EventOf<'restart-ended'>,
  now: Now,
): Transition {
  if (state.phase.id !== 'acting' || state.phase.action !== 'restart') {
    return [state, []];
  }

  switch (outcome) {
    case 'restarted':
    case 'fell-back': {
      // One that fell back counts as told: another try with the same plan would end in the same way.
      const [next, commands] = finish(state, outcome, now);
      return [next, [{ type: 'remember' }, ...commands]];
    }
    // These were none, so they count for none: whoever repairs the reason and asks for another need not wait.
    case 'restart-refused': {
      const held = { kind: 'restart', notBeforeMs: now.nowMs + refusedAgainMs } as const;
      const [next, commands] = finish(
        { ...state, held, spacing: state.phase.before },
        outcome,
        now,
      );
      return [
        next,
        [{ type: 'set-timer', timer: 'restart', delayMs: refusedAgainMs }, ...commands],
      ];
    }
    case 'cancelled':
      return finish({ ...state, spacing: state.phase.before }, outcome, now);
  }
}
