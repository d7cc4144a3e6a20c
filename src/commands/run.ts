// `run`, the brain's part of it: prepare, apply, hand over to pid1; then stay beside the app, or end.
//
// Until pid1 has spawned the app any failure ends the container with an error that says what to do;
// from then on none of ours does.
import { applySteps } from '../apply/apply-steps.ts';
import { openStateDirectory } from '../apply/state-directory.ts';
import { type Plan, buildPlan } from '../core/plan.ts';
import { stateCandidates } from '../core/state-directory.ts';
import type { EarlyRequests } from '../inputs/early-requests.ts';
import { isOrdinaryProgram } from '../inputs/program-file.ts';
import { type Invocation, parseBareRun } from '../invocation.ts';
import type { Link } from '../link/link.ts';
import type { LogSink } from '../log-sink.ts';
import type { Log } from '../log.ts';
import { accountOfApp, findApp } from './app-start.ts';
import { launchMessage } from './launch-message.ts';
import { type Prepared, prepare } from './prepare.ts';
import { startWarnings } from './start-warnings.ts';
import { type StateSteps, ownIds, planStateSteps } from './state-steps.ts';
import { warnOnce } from './warn-once.ts';
import { watchDefects } from './watch-defects.ts';

export type RunOptions = {
  readonly link: Link;
  readonly log: Log;
  readonly sink: LogSink;
  readonly inherited: ReadonlyMap<string, string>;
  readonly early: EarlyRequests | undefined;
};

type Brain = Pick<RunOptions, 'link' | 'log' | 'sink'>;

type RunInvocation = Extract<Invocation, { command: 'run' }>;

/** @throws {StartError} whatever keeps the app from being started; the caller aborts. */
export async function run(given: RunOptions): Promise<void> {
  // A reload does not say again what the start has said.
  const options = { ...given, log: warnOnce(given.log) };
  const { link, log, sink, inherited } = options;
  const args = link.hello.argv.slice(1);
  const invocation =
    parseBareRun(args) ?? (await (await import('../cli.ts')).parseCommandLine(args));
  if (invocation.command !== 'run') {
    return printAndEnd(link, invocation.command === 'print' ? invocation.text : '');
  }

  const decided = await decide(options, invocation);
  const { prepared, plan, stateSteps } = decided;
  if (plan.start.settings.debug) {
    await printDebug({ ...prepared, ...stateSteps }, sink);
  }

  for (const { warning } of await applySteps(plan.steps, 'start')) {
    if (warning !== undefined) {
      log.warn(warning);
    }
  }

  const appPid = await launch(options, decided);
  watchDefects(log);
  if (!isFollowed(decided)) {
    await leaveMarkerFor(appPid, stateSteps, options);
    await endForGood(options);
    return;
  }

  await new Promise((resolve) => setTimeout(resolve, appFirstMs));
  const beside = await import('./follow.ts');
  beside.follow({ link, log, inherited, invocation }, { ...decided, appPid });
}

/** An app that ends at once needs nothing of what we load. No longer: until it is loaded there is no memo for a successor. */
const appFirstMs = 5;

export type Decided = {
  readonly prepared: Prepared;
  readonly stateSteps: StateSteps;
  readonly plan: Plan;
};

/** Nothing is changed yet. @throws {StartError} */
export async function decide(
  { link, log, inherited, early }: RunOptions,
  invocation: RunInvocation,
): Promise<Decided> {
  const prepared = await prepare({
    commandLine: invocation.options,
    argv: invocation.argv,
    inherited,
    early,
    log,
    purpose: 'run',
    loadConfig: async (place) =>
      (await import('./load-config-here.ts')).loadConfigHere(place, link.hello),
  });
  const start = { file: findApp(prepared), account: accountOfApp(prepared) };
  if (!isOrdinaryProgram(start.file)) {
    (await import('./foresee-command.ts')).refuseCommand(start.file, prepared);
  }

  const stateSteps = await openState(prepared);
  const { settings } = prepared.config;
  const plan = buildPlan({ ...prepared, ...stateSteps, ...start, settings });
  for (const warning of [
    ...prepared.resolved.warnings,
    ...stateSteps.warnings,
    ...startWarnings(link, prepared),
  ]) {
    log.warn(warning);
  }

  return { prepared, stateSteps, plan };
}

function openState(prepared: Prepared): Promise<StateSteps> {
  const { uid } = ownIds();
  const candidates = stateCandidates(prepared.config.settings.stateDirectory, uid);
  return planStateSteps(prepared, openStateDirectory(candidates, uid));
}

async function printDebug(prepared: Prepared & StateSteps, sink: LogSink): Promise<void> {
  const { describeRun } = await import('./debug.ts');
  let isRead = true;
  for (const line of describeRun(prepared, 'table').split(/(?<=\n)/)) {
    sink.write(line);
    // A stderr that nobody reads delays the start once, not once a line; what does not fit is dropped and counted.
    isRead = isRead && (await sink.drain());
  }
}

/** @returns the app's pid. @throws {StartError} it could not be started. */
export async function launch(
  { link, log, sink }: Brain,
  { plan, stateSteps, prepared }: Decided,
): Promise<number> {
  const { start } = plan;
  if (start.settings.exec) {
    // Now: pid1 ends us before it becomes the app.
    await leaveMarkerFor(process.ppid, stateSteps, { link, log });
  }

  // What was said so far must be out: an app that ends at once takes us with it.
  await log.flush();
  if (start.settings.exec) {
    await sink.drain();
  }

  const isForgettable = start.hasSecrets || prepared.certificates !== undefined;
  if (isForgettable && isFollowed({ plan, prepared })) {
    (await import('./leave-memo.ts')).leaveFirstMemo(link, prepared);
  }

  link.send({ type: 'launch', launch: launchMessage(start, link.hello) });
  const answer = link.receive();
  switch (answer.type) {
    case 'spawned':
      break;
    case 'spawn-failed':
      throw (await import('./spawn-error.ts')).spawnError(answer, start);
    case 'hello':
    case 'exited':
    case 'counters':
    case 'not-replaced':
      throw new RangeError(`pid1 answered a launch with ${answer.type}`);
  }

  sink.appRuns();
  log.debug('The app runs', { pid: answer.pid, file: start.file });
  return answer.pid;
}

/** There is something that can change while the app runs, and somebody who would tell it. */
function isFollowed({ plan, prepared }: Pick<Decided, 'plan' | 'prepared'>): boolean {
  const { follow, exec } = plan.start.settings;
  return prepared.platform !== undefined && follow && !exec;
}

/** For those who ask how it is: nobody stays who could answer. */
async function leaveMarkerFor(
  appPid: number,
  { state }: StateSteps,
  { link, log }: Pick<RunOptions, 'link' | 'log'>,
): Promise<void> {
  const { leaveMarker } = await import('./leave-marker.ts');
  const warning = leaveMarker({ state, isPid1: link.hello.isPid1, appPid });
  if (warning !== undefined) {
    log.warn(warning);
    await log.flush();
  }
}

/**
 * Not by an ordinary exit: at its end Node sets the modes of every terminal among its descriptors as it found them, and
 * by now they are as the app wants them.
 */
async function endForGood({ link, log, sink }: Brain): Promise<void> {
  link.send({ type: 'done' });
  await log.flush();
  await sink.drain();
  process.kill(process.pid, 'SIGKILL');
}

function printAndEnd(link: Link, text: string): void {
  process.stdout.write(`${text}\n`);
  link.send({ type: 'abort', status: 0 });
}
