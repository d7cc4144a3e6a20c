// The brain's end of the link while the app runs, and the reloads that act on it.
import type { RunningCommand } from '../core/memo.ts';
import type { RestartSpacing } from '../core/restart-spacing.ts';
import { withoutTrial } from '../link/launch-frame.ts';
import type { Counters, FromPid1 } from '../link/messages.ts';
import { startReloader } from '../reload/reloader.ts';
import { spareMemory } from '../reload/spare-memory.ts';
import type { Session } from './follow-session.ts';
import { type Operator, leaveNews } from './operator-state.ts';
import { portsOf } from './reload-ports.ts';

export type OperatorOptions = Pick<Operator, 'link' | 'log' | 'appPid' | 'launch'> & {
  readonly spacing: RestartSpacing | undefined;
  /** Of the brain before. */
  readonly command: RunningCommand | undefined;
};

export function startOperator(session: Session, options: OperatorOptions): Operator {
  const { link, log, appPid, launch, spacing, command } = options;
  const operator: Operator = {
    link,
    log,
    session,
    spareMemory: spareMemory(),
    reloader: startReloader(
      portsOf(() => operator),
      spacing,
    ),
    outcomes: new Map(),
    appPid,
    launch,
    followed: undefined,
    restart: undefined,
    command,
    isAlone: endPredecessors(command, () => {
      operator.command = undefined;
    }),
    counted: [],
    news: undefined,
    problem: undefined,
    last: undefined,
    lastSuccessAtMs: undefined,
  };
  link.follow(
    (message) => hear(operator, message),
    () => undefined, // pid1 is gone; the kernel ends us.
  );
  leaveNews(operator, spacing);
  return operator;
}

/** Its output goes nowhere, its deadline nobody watches, and what it was run for is done again. */
async function endPredecessors(
  command: RunningCommand | undefined,
  onEnd: () => void,
): Promise<void> {
  if (command !== undefined) {
    await (await import('../reload/end-command.ts')).endCommand(command);
    onEnd();
  }
}

/** What pid1 has counted since it was started. */
export function count(operator: Operator): Promise<Counters> {
  return new Promise((resolve) => {
    operator.counted.push(resolve);
    operator.link.send({ type: 'count' });
  });
}

function hear(operator: Operator, message: FromPid1): void {
  switch (message.type) {
    case 'counters':
      operator.counted.shift()?.(message.counters);
      return;
    case 'spawned':
      operator.appPid = message.pid;
      operator.reloader.appStarted();
      if (operator.restart !== undefined) {
        operator.restart.hear(message);
        // The app knows what is new; whoever comes after us must not restart it for that.
        const { session, reloader } = operator;
        leaveNews(operator, reloader.state().spacing, session.applied?.knowledge);
      }

      return;
    case 'exited':
      operator.appPid = 0;
      if (operator.restart === undefined) {
        operator.reloader.appEnded();
        // pid1 ends with the app, and ignores this; but one that failed its trial when we thought that over it replaces.
        operator.link.send({ type: 'launch-again', payload: withoutTrial(operator.launch()) });
      }

      operator.restart?.hear(message);
      return;
    case 'spawn-failed':
    case 'not-replaced':
      operator.restart?.hear(message);
      return;
    case 'hello':
      throw new RangeError('pid1 greeted twice');
  }
}
