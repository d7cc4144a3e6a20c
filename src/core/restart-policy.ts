// A restart of the app as a table: (state, event) -> (next state, commands). The commands are frames to pid1.
//
//   stopping --exited--> launching --spawned--> trial --5 s--> settled: restarted
//      |                     |                    |
//  not replaced           failed                exited
//      |                     '------> falling-back --spawned--> settled: fell-back
//      v                                   |
//   settled: cancelled                  failed --> settled: gave-up, init ends with the status
//
// The launch before is good, so it has no trial: if it ends as well, pid1 ends with its status, as with any app. After a
// TERM from outside pid1 does not replace the app: it ends with it, and we, too.

export type RestartState =
  | { readonly id: 'stopping' | 'launching' | 'trial' | 'falling-back' }
  | { readonly id: 'settled'; readonly outcome: RestartOutcome };

export type RestartOutcome = 'restarted' | 'fell-back' | 'gave-up' | 'cancelled';

export type RestartEvent =
  /** Before the launch: the group is empty. After it: the app ended within its trial. */
  | { readonly type: 'exited' }
  /** The app was asked to end from outside, before or after the stop. */
  | { readonly type: 'not-replaced' }
  | { readonly type: 'spawned' }
  /** `exitStatus`: what init ends with where nothing can be started. */
  | { readonly type: 'spawn-failed'; readonly exitStatus: number }
  | { readonly type: 'trial-over' };

export type RestartCommand =
  /** The stop signal, and after `killDelayMs` SIGKILL to the group. */
  | { readonly type: 'stop'; readonly killDelayMs: number }
  | { readonly type: 'launch'; readonly which: 'next' | 'previous'; readonly trialMs: number }
  /** Then `trial-over`. */
  | { readonly type: 'wait'; readonly delayMs: number }
  | { readonly type: 'abort'; readonly status: number };

export type RestartTransition = readonly [state: RestartState, commands: readonly RestartCommand[]];

/** An app that ends sooner has not taken what is new. */
const trialMs = 5000;

/** pid1 measures the trial, and says `exited` when the group is empty: it is killed a second after the app's end. */
const marginMs = 1500;

/** @param deadlineMs - `init.reload.deadline`. */
export function startRestart(deadlineMs: number): RestartTransition {
  return [{ id: 'stopping' }, [{ type: 'stop', killDelayMs: deadlineMs }]];
}

/** An event that does not fit the state changes nothing. */
export function transition(state: RestartState, event: RestartEvent): RestartTransition {
  switch (state.id) {
    case 'stopping':
      return onStop(state, event);
    case 'launching':
      return onLaunch(state, event);
    case 'trial':
      return onTrial(state, event);
    case 'falling-back':
      return onFallBack(state, event);
    case 'settled':
      return [state, []];
  }
}

function onStop(state: RestartState, event: RestartEvent): RestartTransition {
  switch (event.type) {
    case 'exited':
      return [{ id: 'launching' }, [{ type: 'launch', which: 'next', trialMs }]];
    case 'not-replaced':
      return settle('cancelled');
    case 'spawned':
    case 'spawn-failed':
    case 'trial-over':
      return [state, []];
  }
}

function onLaunch(state: RestartState, event: RestartEvent): RestartTransition {
  switch (event.type) {
    case 'spawned':
      return [{ id: 'trial' }, [{ type: 'wait', delayMs: trialMs + marginMs }]];
    case 'spawn-failed':
      return fallBack;
    case 'exited':
    case 'not-replaced':
    case 'trial-over':
      return [state, []];
  }
}

function onTrial(state: RestartState, event: RestartEvent): RestartTransition {
  switch (event.type) {
    case 'exited':
      return fallBack;
    case 'trial-over':
      return settle('restarted');
    case 'spawned':
    case 'spawn-failed':
    case 'not-replaced':
      return [state, []];
  }
}

function onFallBack(state: RestartState, event: RestartEvent): RestartTransition {
  switch (event.type) {
    case 'spawned':
      return settle('fell-back');
    case 'spawn-failed':
      return settle('gave-up', [{ type: 'abort', status: event.exitStatus }]);
    case 'exited':
    case 'not-replaced':
    case 'trial-over':
      return [state, []];
  }
}

const fallBack: RestartTransition = [
  { id: 'falling-back' },
  [{ type: 'launch', which: 'previous', trialMs: 0 }],
];

function settle(
  outcome: RestartOutcome,
  commands: readonly RestartCommand[] = [],
): RestartTransition {
  return [{ id: 'settled', outcome }, commands];
}
