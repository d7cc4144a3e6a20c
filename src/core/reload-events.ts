// What a reload hears and says: the types of reload-state.ts.
import type { ChangeKind } from './changes.ts';
import type { Burst } from './quiet-time.ts';
import type { AppAction } from './reload-action.ts';
import type { RestartSpacing } from './restart-spacing.ts';

export type ReloadState = {
  readonly phase: Phase;
  /** What the next reload is for. */
  readonly wish: Wish | undefined;
  readonly held: Held | undefined;
  readonly spacing: RestartSpacing | undefined;
  /** In a row. */
  readonly failures: number;
};

type Phase =
  | { readonly id: 'idle' | 'gathering' | 'ended' }
  | { readonly id: 'waiting'; readonly dueAtMs: number; readonly after: 'failure' | 'refusal' }
  | { readonly id: 'fetching' | 'applying'; readonly run: Wish }
  | { readonly id: 'acting'; readonly run: Wish; readonly action: 'signal' | 'command' }
  | {
      readonly id: 'acting';
      readonly run: Wish;
      readonly action: 'restart';
      /** The spacing that holds again where it comes to none. */
      readonly before: RestartSpacing | undefined;
    };

export type Wish = {
  readonly kinds: ReadonlySet<ChangeKind>;
  /** Of all that it is for; undefined where that is only to be tried again. */
  readonly burst: Burst | undefined;
  /** Not by hand alone: it is done also where a new config is not valid. */
  readonly isNotified: boolean;
  /** Those who asked by hand and get an answer. */
  readonly waiters: readonly number[];
  /** One of them has asked that neither quiet time nor the spacing of restarts holds it up. */
  readonly isNow: boolean;
};

/** An action that is due and cannot be done yet. */
type Held =
  | { readonly kind: 'signal'; readonly signal: number; readonly attempts: number }
  | {
      readonly kind: 'restart';
      /** Where it was refused. */
      readonly notBeforeMs?: number;
    };

/** `nowMs`: of CLOCK_MONOTONIC, which never goes back and which a successor of this process shares. `random`: uniform in [0, 1). */
export type ReloadEvent = { readonly nowMs: number } & (
  | { readonly type: 'changed'; readonly kinds: readonly ChangeKind[]; readonly random: number }
  /** The pipeline is there, again: what was said meanwhile is not known. */
  | { readonly type: 'connected' }
  /** By the control socket; the config is read again, too. */
  | { readonly type: 'asked'; readonly waiter: number; readonly isNow: boolean }
  | { readonly type: 'timer'; readonly timer: ReloadTimer }
  | { readonly type: 'fetched' }
  /** A request or a write that may work later. */
  | { readonly type: 'failed'; readonly random: number }
  /** trust.ts wants another answer. */
  | { readonly type: 'distrusted'; readonly retryAfterMs: number }
  /** The config, or the plan that was made of the answers, is not valid. */
  | { readonly type: 'refused' }
  | { readonly type: 'applied'; readonly isChanged: boolean; readonly action: AppAction }
  | { readonly type: 'signal-sent' }
  /** No process catches it: the app is still booting, or never will. */
  | { readonly type: 'signal-untaken' }
  | { readonly type: 'command-ended'; readonly isOk: boolean }
  | { readonly type: 'restart-ended'; readonly outcome: RestartEnd }
  /** For good, as it seems: the end of a restart is none. */
  | { readonly type: 'app-ended' }
  /** It was not for good. */
  | { readonly type: 'app-started' }
);

/** `restart-refused`: what would be started cannot be; the app was not touched. */
export type RestartEnd = 'restarted' | 'fell-back' | 'cancelled' | 'restart-refused';

export type ReloadTimer = 'reload' | 'signal' | 'restart';

export type ReloadCommand =
  /** Replaces the timer of that name. */
  | { readonly type: 'set-timer'; readonly timer: ReloadTimer; readonly delayMs: number }
  /** Answered by `fetched`, `failed`, `distrusted` or `refused`. */
  | { readonly type: 'fetch'; readonly kinds: ReadonlySet<ChangeKind> }
  /** Resolve, plan, write, compare, decide. Answered by `applied`, `failed` or `refused`. */
  | { readonly type: 'apply' }
  | { readonly type: 'send-signal'; readonly signal: number }
  | { readonly type: 'run-command'; readonly argv: readonly string[] }
  /** With the plan that was applied last. */
  | { readonly type: 'restart' }
  /** The app was told of what was applied last: later changes are those from there. */
  | { readonly type: 'remember' }
  /** A reload, or an action that was held, has come to this. */
  | {
      readonly type: 'finish';
      readonly outcome: ReloadOutcome;
      readonly waiters: readonly number[];
    };

export type ReloadOutcome =
  | 'unchanged'
  /** Files only. */
  | 'applied'
  | 'signaled'
  | 'signal-held'
  | 'command-ok'
  | 'command-failed'
  | 'restart-held'
  | RestartEnd
  | 'failed'
  | 'distrusted'
  | 'refused';

export type Transition = readonly [state: ReloadState, commands: readonly ReloadCommand[]];
