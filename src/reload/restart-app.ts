// Drives a restart of the app (core/restart-policy.ts) over the link to pid1.
import {
  type RestartCommand,
  type RestartEvent,
  type RestartOutcome,
  startRestart,
  transition,
} from '../core/restart-policy.ts';
import type { FromPid1, LaunchMessage, ToPid1 } from '../link/messages.ts';

export type RestartOptions = {
  readonly send: (message: ToPid1) => void;
  readonly stopSignal: number;
  readonly deadlineMs: number;
  readonly next: LaunchMessage;
  /** The payload of the launch that the app runs by now. */
  readonly previous: Uint8Array;
  /** Called once; never, where init ends first. */
  readonly onSettled: (outcome: RestartOutcome) => void;
  /** What init ends with where neither can be started. */
  readonly exitStatusOf: (failure: Extract<FromPid1, { type: 'spawn-failed' }>) => number;
};

export type Restart = { readonly hear: (message: FromPid1) => void };

export function restartApp(options: RestartOptions): Restart {
  let trial: NodeJS.Timeout | undefined;
  let [state, commands] = startRestart(options.deadlineMs);

  const happen = (event: RestartEvent): void => {
    [state, commands] = transition(state, event);
    carryOut();
  };
  const carryOut = (): void => {
    for (const command of commands) {
      if (command.type === 'wait') {
        // After a pause of the whole process an `exited` may lie in the socket: it is read first.
        const isOver = (): void => void setImmediate(() => happen({ type: 'trial-over' }));
        trial = setTimeout(isOver, command.delayMs).unref();
      } else {
        options.send(messageOf(command, options));
      }
    }

    if (state.id === 'settled') {
      clearTimeout(trial);
      options.onSettled(state.outcome);
    }
  };

  carryOut();
  return {
    hear: (message) => {
      const event = eventOf(message, options);
      if (event !== undefined) {
        happen(event);
      }
    },
  };
}

function eventOf(message: FromPid1, { exitStatusOf }: RestartOptions): RestartEvent | undefined {
  switch (message.type) {
    case 'exited':
    case 'spawned':
    case 'not-replaced':
      return { type: message.type };
    case 'spawn-failed':
      return { type: 'spawn-failed', exitStatus: exitStatusOf(message) };
    case 'hello':
    case 'counters':
      return undefined;
  }
}

function messageOf(
  command: Exclude<RestartCommand, { type: 'wait' }>,
  { stopSignal, next, previous }: RestartOptions,
): ToPid1 {
  switch (command.type) {
    case 'stop':
      return { type: 'stop', signal: stopSignal, killDelayMs: command.killDelayMs };
    case 'launch':
      return command.which === 'next'
        ? { type: 'launch', launch: { ...next, trialMs: command.trialMs } }
        : { type: 'launch-again', payload: previous };
    case 'abort':
      return { type: 'abort', status: command.status };
  }
}
