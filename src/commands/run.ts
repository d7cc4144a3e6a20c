// `run`, the brain's part of it: prepare, apply, hand over to pid1; then stay beside the app, or end.
//
// Until pid1 has spawned the app any failure ends the container with an error that says what to do;
// from then on none of ours does.
import { applySteps } from '../apply/apply-steps.ts';
import { type Plan, buildPlan } from '../core/plan.ts';
import type { Settings } from '../core/settings.ts';
import type { Warning } from '../core/warning.ts';
import { StartError, exitStatus } from '../errors.ts';
import { isCurrentUser } from '../inputs/accounts.ts';
import type { EarlyRequests } from '../inputs/early-requests.ts';
import { findProgram } from '../inputs/find-program.ts';
import { parseBareRun } from '../invocation.ts';
import type { Link } from '../link/link.ts';
import type { LogSink } from '../log-sink.ts';
import type { Log } from '../log.ts';
import { launchMessage } from './launch-message.ts';
import { encodeMemo } from './memo.ts';
import { type Prepared, prepare } from './prepare.ts';
import { stay } from './stay.ts';
import { stuckReport } from './stuck-report.ts';

export type RunOptions = {
  readonly link: Link;
  readonly log: Log;
  readonly sink: LogSink;
  readonly inherited: ReadonlyMap<string, string>;
  readonly early: EarlyRequests | undefined;
};

type Brain = Omit<RunOptions, 'inherited' | 'early'>;

/** @throws {StartError} whatever keeps the app from being started; the caller aborts. */
export async function run(options: RunOptions): Promise<void> {
  const { link, log, sink, inherited, early } = options;
  const { hello } = link;
  const args = hello.argv.slice(1);
  const invocation =
    parseBareRun(args) ?? (await (await import('../cli.ts')).parseCommandLine(args));
  if (invocation.command !== 'run') {
    return printAndEnd(link, invocation.command === 'print' ? invocation.text : '');
  }

  const prepared = await prepare({
    commandLine: invocation.options,
    argv: invocation.argv,
    inherited,
    early,
    log,
    purpose: 'run',
    onStuck: stuckReport({ kind: 'brain', logIsPrivate: hello.logIsPrivate }),
  });
  const plan = planOf(prepared);
  for (const warning of [...prepared.resolved.warnings, ...processWarnings(link, prepared)]) {
    log.warn(warning);
  }

  if (plan.start.settings.debug) {
    await printDebug(prepared, sink);
  }

  for (const warning of applySteps(plan.steps)) {
    log.warn(warning);
  }

  await launch({ link, log, sink }, plan, prepared);
}

function planOf({ resolved, nsswitch, config, argv, account }: Prepared): Plan {
  const [name] = argv;
  if (name === undefined) {
    throw new StartError('E_USAGE', 'Cannot start: no command was given', {
      exitCode: exitStatus.usage,
      remedy: {
        where: 'command line',
        fix: 'Name it in CMD (warp-init -- node server.js), or in `args` of warp.config.js.',
      },
    });
  }

  return buildPlan({
    resolved,
    nsswitch,
    settings: config.settings,
    file: findProgram(name, resolved.variables.find((variable) => variable.name === 'PATH')?.value),
    argv,
    account: account !== undefined && isCurrentUser(account) ? undefined : account,
  });
}

function processWarnings({ hello }: Link, { config }: Prepared): Warning[] {
  if (config.settings.exec) {
    return execWarnings(config.settings);
  }

  if (hello.isPid1) {
    return [];
  }

  const adopts = config.settings.subreaper !== false;
  return [
    {
      code: 'W_NOT_PID1',
      message: adopts
        ? 'warp-init is not PID 1 here: it adopts and reaps the orphans of the app, but its own end does not end what they started.'
        : 'warp-init is not PID 1 here and does not adopt orphans: those of the app are reaped by another process, or by none.',
      where: `pid ${process.ppid}`,
      fix: 'Use it as ENTRYPOINT, without `docker run --init` and without a shell before it.',
    },
  ];
}

function execWarnings(settings: Settings): Warning[] {
  const idle = [
    ...(settings.rewrite.size > 0 ? ['rewrite'] : []),
    ...(settings.exitStatus.size > 0 ? ['exitStatus'] : []),
    ...(settings.stopSignal === undefined ? [] : ['stopSignal']),
    ...(settings.killDelayMs === undefined ? [] : ['killDelay']),
    ...(settings.lingerMs === 0 ? [] : ['linger']),
    ...(settings.singleChild ? ['singleChild'] : []),
  ];
  return idle.length === 0
    ? []
    : [
        {
          code: 'W_EXEC_OPTIONS',
          message: `Without effect beside exec, where nothing of ours stays: ${idle.join(', ')}`,
          where: 'init.exec',
          fix: 'Leave out --exec, or these options.',
        },
      ];
}

async function printDebug(prepared: Prepared, sink: LogSink): Promise<void> {
  const { describeRun } = await import('./debug.ts');
  let isRead = true;
  for (const line of describeRun(prepared, 'table').split(/(?<=\n)/)) {
    sink.write(line);
    // A stderr that nobody reads delays the start once, not once a line; what does not fit is dropped and counted.
    isRead = isRead && (await sink.drain());
  }
}

async function launch({ link, log, sink }: Brain, plan: Plan, prepared: Prepared): Promise<void> {
  const { start } = plan;
  // What was said so far must be out: an app that ends at once takes us with it.
  await log.flush();
  if (start.settings.exec) {
    await sink.drain();
  }

  link.send({ type: 'launch', launch: launchMessage(start, link.hello.isPid1) });
  const answer = link.receive();
  switch (answer.type) {
    case 'spawned':
      break;
    case 'spawn-failed':
      throw (await import('./spawn-error.ts')).spawnError(answer, start);
    case 'hello':
    case 'exited':
      throw new RangeError(`pid1 answered a launch with ${answer.type}`);
  }

  sink.appRuns();
  log.debug('The app runs', { pid: answer.pid, file: start.file });
  if (prepared.platform === undefined || !start.settings.follow) {
    link.send({ type: 'done' });
    return;
  }

  link.send({ type: 'memo', bytes: encodeMemo(prepared.resolved.ist) });
  stay(link);
}

function printAndEnd(link: Link, text: string): void {
  process.stdout.write(`${text}\n`);
  link.send({ type: 'abort', status: 0 });
}
