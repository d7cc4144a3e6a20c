// The moves of a reload from phase to phase, and what it is asked for: the parts that the events of reload-state.ts share.
import type { ChangeKind } from './changes.ts';
import { type QuietTime, extendBurst, msUntilDue } from './quiet-time.ts';
import type {
  ReloadCommand,
  ReloadEvent,
  ReloadOutcome,
  ReloadState,
  Transition,
  Wish,
} from './reload-events.ts';
import { restartDelayMs, spaceRestarts } from './restart-spacing.ts';

export type Now = { readonly nowMs: number; readonly quietTime: QuietTime };

export type EventOf<Type extends ReloadEvent['type']> = Extract<
  ReloadEvent,
  { readonly type: Type }
>;

const noWish: Wish = {
  kinds: new Set(),
  burst: undefined,
  isNotified: false,
  waiters: [],
  isNow: false,
};

export function extendWish(
  wish: Wish = noWish,
  event: EventOf<'changed' | 'connected' | 'asked'>,
): Wish {
  const burst = extendBurst(wish.burst, event.nowMs);
  switch (event.type) {
    case 'asked':
      return {
        ...wish,
        burst,
        kinds: union(wish.kinds, [...fetchedKinds, 'config']),
        waiters: [...wish.waiters, event.waiter],
        isNow: wish.isNow || event.isNow,
      };
    case 'changed':
    case 'connected':
      return {
        ...wish,
        burst,
        kinds: union(wish.kinds, event.type === 'changed' ? event.kinds : fetchedKinds),
        isNotified: true,
      };
  }
}

const fetchedKinds = ['ist', 'secrets', 'certificates'] as const satisfies readonly ChangeKind[];

/** A reload that failed, and what has come meanwhile. Its waiters have their answer, and its burst is long over. */
export function wishAgain(run: Wish, wish: Wish = noWish): Wish {
  return {
    ...wish,
    kinds: union(run.kinds, wish.kinds),
    isNotified: run.isNotified || wish.isNotified,
  };
}

/** Waits until notifications and requests are over. */
export function gather(state: ReloadState, { nowMs, quietTime }: Now): Transition {
  const delayMs = msUntilDue(state.wish?.burst ?? extendBurst(undefined, nowMs), quietTime, nowMs);
  return [
    { ...state, phase: { id: 'gathering' } },
    [{ type: 'set-timer', timer: 'reload', delayMs }],
  ];
}

export function begin(state: ReloadState): Transition {
  const run = state.wish ?? noWish;
  return [
    { ...state, phase: { id: 'fetching', run }, wish: undefined },
    [{ type: 'fetch', kinds: run.kinds }],
  ];
}

export function restart(state: ReloadState, run: Wish, nowMs: number): Transition {
  return [
    {
      ...state,
      phase: { id: 'acting', run, action: 'restart', before: state.spacing },
      held: undefined,
      spacing: spaceRestarts(state.spacing, nowMs),
    },
    [{ type: 'restart' }],
  ];
}

export function finish(state: ReloadState, outcome: ReloadOutcome, now: Now): Transition {
  const [next, commands] = settle({ ...state, phase: { id: 'idle' } }, now);
  return [next, [{ type: 'finish', outcome, waiters: runOf(state).waiters }, ...commands]];
}

/** What a state leads to that no reload occupies. */
export function settle(state: ReloadState, now: Now): Transition {
  const { phase, wish } = state;
  if (heldRestartInMs(state, now.nowMs) === 0) {
    return restart(state, noWish, now.nowMs);
  }

  if (wish === undefined || phase.id === 'gathering') {
    return [state, []];
  }

  if (wish.isNow) {
    return begin(state);
  }

  // Who asks does not wait out a backoff.
  return phase.id === 'waiting' && wish.waiters.length === 0 ? [state, []] : gather(state, now);
}

/** Until the restart that is held; undefined where none is. */
export function heldRestartInMs(
  { held, spacing }: Pick<ReloadState, 'held' | 'spacing'>,
  nowMs: number,
): number | undefined {
  return held?.kind === 'restart'
    ? Math.max(restartDelayMs(spacing, nowMs), Math.ceil((held.notBeforeMs ?? nowMs) - nowMs))
    : undefined;
}

/** To those who asked; none, no answer. */
export function answer(
  outcome: ReloadOutcome,
  waiters: readonly number[],
): readonly ReloadCommand[] {
  return waiters.length === 0 ? [] : [{ type: 'finish', outcome, waiters }];
}

export function runOf({ phase }: ReloadState): Wish {
  return 'run' in phase ? phase.run : noWish;
}

/** Of a hundred thousand notifications nearly all say what is known. */
function union(
  kinds: ReadonlySet<ChangeKind>,
  more: Iterable<ChangeKind>,
): ReadonlySet<ChangeKind> {
  const missing = [...more].filter((kind) => !kinds.has(kind));
  return missing.length === 0 ? kinds : new Set([...kinds, ...missing]);
}
