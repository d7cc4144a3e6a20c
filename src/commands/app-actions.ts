// What a reload does to the app: a signal, a command, another launch. Each is told to the log.
import type { StartPlan } from '../core/plan.ts';
import type { RestartEnd } from '../core/reload-events.ts';
import type { RestartOutcome } from '../core/restart-policy.ts';
import { signalName } from '../core/signals.ts';
import { StartError } from '../errors.ts';
import { readProcessStat } from '../inputs/init-marker.ts';
import { encodeLaunch, withoutTrial } from '../link/launch-frame.ts';
import type { LaunchMessage } from '../link/messages.ts';
import { restartApp } from '../reload/restart-app.ts';
import { type CommandEnd, runCommand } from '../reload/run-command.ts';
import { findSignalTarget } from '../reload/signal-target.ts';
import { findAppAgain } from './check-restart.ts';
import { secretsOf } from './command-secrets.ts';
import type { Applied } from './follow-session.ts';
import { launchMessage } from './launch-message.ts';
import { type Operator, leaveNews } from './operator-state.ts';
import { spawnError } from './spawn-error.ts';

/** False: no process catches it, or not yet. */
export function sendSignal({ appPid, link, log }: Operator, number: number): boolean {
  const pid = appPid === 0 ? undefined : findSignalTarget(appPid, number);
  if (pid === undefined) {
    return false;
  }

  link.send({ type: 'signal', number, ...(pid === appPid ? {} : { pid }) });
  log.debug('Sent a signal', { signal: signalName(number), pid });
  return true;
}

export async function runReloadCommand(
  operator: Operator,
  argv: readonly string[],
): Promise<boolean> {
  const { session, log } = operator;
  const start = session.applied?.plan.start;
  if (start === undefined) {
    return false;
  }

  await operator.isAlone;
  const end = await runCommand({
    argv,
    variables: start.variables,
    secrets: await secretsOf(session),
    account: start.account,
    directory: start.settings.cwd,
    deadlineMs: start.settings.reload.deadlineMs,
    onLine: (line) => log.info(line, { from: 'reload command' }),
    onStart: (pid) => {
      const startTicks = readProcessStat(pid)?.startTicks;
      operator.command = startTicks === undefined ? undefined : { pid, startTicks };
      leaveNews(operator, operator.reloader.state().spacing);
    },
  });
  operator.command = undefined;
  if (end.kind !== 'ok') {
    log.warn({
      code: 'W_RELOAD_COMMAND',
      message: `The reload command failed: ${describeEnd(end)}`,
      where: 'init.reload.command',
      fix: 'Run it by hand in the container; it is run again at the next change.',
    });
  }

  return end.kind === 'ok';
}

function describeEnd(end: CommandEnd): string {
  switch (end.kind) {
    case 'ok':
      return 'no';
    case 'exited':
      return `exit status ${end.status}`;
    case 'signaled':
      return `it was ended by ${end.signal}`;
    case 'timed-out':
      return 'it did not end within init.reload.deadline';
    case 'not-started':
      return `it could not be started (${end.reason})`;
  }
}

const sigterm = 15;

/** After the deadline, at which pid1 kills: a process in an uninterruptible sleep ends when it can. */
const patienceMs = 60_000;

export async function restart(operator: Operator): Promise<RestartEnd> {
  const { applied } = operator.session;
  if (applied === undefined) {
    return 'cancelled';
  }

  const start = startOf(operator, applied);
  if (start === undefined) {
    return 'restart-refused';
  }

  leaveNews(operator, operator.reloader.state().spacing);
  operator.log.info('The app is restarted');
  const ended = beginRestart(operator, start);
  // An app that cannot even be killed: reloads go on.
  const { promise: patience, stop } = wait(start.settings.reload.deadlineMs + patienceMs);
  const outcome = await Promise.race([ended, patience.then((): RestartEnd => 'cancelled')]);
  stop();
  return outcome;
}

/** Undefined, and told, where it could not be started: the app that runs is worth more than none. */
function startOf(operator: Operator, { prepared, plan }: Applied): StartPlan | undefined {
  try {
    return { ...plan.start, file: findAppAgain(prepared) };
  } catch (error) {
    if (!(error instanceof StartError)) {
      throw error;
    }

    const { message, remedy } = error;
    operator.problem = message;
    operator.log.warn({
      code: 'W_RESTART_REFUSED',
      message: `The app was not restarted, and runs on as it was: ${message}`,
      ...remedy,
    });
    return undefined;
  }
}

function beginRestart(operator: Operator, start: StartPlan): Promise<RestartEnd> {
  const { link } = operator;
  const { settings } = start;
  const next = launchMessage(start, link.hello);
  let failure: StartError | undefined;
  return new Promise((resolve) => {
    const run = restartApp({
      send: link.send,
      stopSignal: settings.stopSignal ?? sigterm,
      deadlineMs: settings.reload.deadlineMs,
      next,
      previous: withoutTrial(operator.launch()),
      exitStatusOf: (failed) => {
        failure ??= spawnError(failed, start);
        return failure.exitCode;
      },
      onSettled: (outcome) => {
        operator.restart = operator.restart === run ? undefined : operator.restart;
        resolve(settle(operator, outcome, { next, failure }));
      },
    });
    operator.restart = run;
  });
}

/** `failure`: why what is new was not even started. */
type Attempt = { readonly next: LaunchMessage; readonly failure: StartError | undefined };

function settle(
  operator: Operator,
  outcome: RestartOutcome,
  { next, failure }: Attempt,
): RestartEnd {
  switch (outcome) {
    case 'restarted':
      operator.launch = () => encodeLaunch(next);
      return outcome;
    case 'fell-back':
      operator.problem = failure?.message;
      operator.log.warn(
        failure === undefined
          ? {
              code: 'W_RESTART_FELL_BACK',
              message: 'The app ended at once with what is new; it runs again as it did before.',
              where: 'init.reload',
              fix: 'See why the app ends, in its own log; correct what was changed.',
            }
          : {
              code: 'W_RESTART_FELL_BACK',
              message: `The app runs again as it did before: ${failure.message}`,
              ...failure.remedy,
            },
      );
      return outcome;
    case 'cancelled':
      operator.log.warn({
        code: 'W_RESTART_CANCELLED',
        message:
          'The app is not restarted: a stop signal from outside has asked it to end, and init ends with it, or init may not signal it.',
        where: 'init.reload',
        fix: 'If the app does not end by its stop signal, start the container again; with the capability KILL if init asks for it.',
      });
      return outcome;
    case 'gave-up':
      return 'cancelled'; // init ends.
  }
}

function wait(delayMs: number): { readonly promise: Promise<void>; readonly stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, delayMs).unref();
  });
  return { promise, stop: () => clearTimeout(timer) };
}
