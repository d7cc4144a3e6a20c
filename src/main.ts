// Composition: who we are (the brain of pid1, a command, a watchdog thread), and what ends the process.
import { type Link, openLink } from './link/link.ts';
import { sharedStderrFd } from './link/layout.ts';
import { type LogSink, createLogSink } from './log-sink.ts';
import { formatErrorLine } from './log-format.ts';
import { type Log, createLog } from './log.ts';
import { StartError, exitStatus } from './errors.ts';
import { requestEarly } from './inputs/early-requests.ts';
import { parseEnvironment, restoreHiddenVariables } from './inputs/own-environment.ts';

// pid1 starts us as the brain (src/pid1/brain.c), and we start a thread of ours with an argument of its own.
const roleOfBrain = 'brain';
const roleOfConfigChild = 'config-child'; // `configChildRole`, likewise.
const roleOfLookupChild = 'lookup-child'; // `lookupChildRole`, likewise.
const roleOfWatchdog = 'config-thread'; // `configThreadRole`, which is not worth loading its file.

async function main(): Promise<void> {
  if (process.argv[2] === roleOfWatchdog) {
    const { runConfigWatchdog } = await import('./inputs/config-watchdog.ts');
    const { encodeError } = await import('./inputs/config-answer.ts');
    const isThread = runConfigWatchdog((error, form) =>
      form === 'answer'
        ? encodeError(error)
        : formatErrorLine(error, isTerminal(2) ? 'pretty' : 'json'),
    );
    if (!isThread) {
      refuseRole();
    }

    return;
  }

  if (process.argv[2] === roleOfConfigChild) {
    const { runConfigChild } = await import('./commands/config-child.ts');
    await runConfigChild(process.argv[3] ?? '');
    return;
  }

  if (process.argv[2] === roleOfLookupChild) {
    const { runLookupChild } = await import('./inputs/lookup-names.ts');
    await runLookupChild();
    return;
  }

  if (process.argv[2] === roleOfBrain) {
    await mainOfBrain();
  } else {
    await mainOfCommand();
  }
}

async function mainOfBrain(): Promise<void> {
  // Node opens its inspector for it where nobody listens: where the object of src/pid1/preload/, which ignores it, is missing.
  process.on('SIGUSR1', () => undefined);
  const link = findPid1();
  if (link === undefined) {
    return;
  }

  const { logIsPrivate, launch } = link.hello;
  const fd = logIsPrivate ? 2 : sharedStderrFd;
  const sink = createLogSink({ fd, isShared: !logIsPrivate });
  const log = createLog({ write: sink.write, isTerminal: () => isTerminal(fd) });
  if (launch.length > 0) {
    sink.appRuns();
    const { followAfterAnother } = await import('./commands/follow-after.ts');
    const inherited = parseEnvironment(link.hello.environment);
    await followAfterAnother(link, inherited, log);
    return;
  }

  const brain = { link, log, sink };
  // A config can leave promises and timers behind that fail when it was loaded long ago.
  process.once('uncaughtException', (error) => void abortForStray(brain, error));
  try {
    await start(brain);
  } catch (error) {
    await abort(brain, error);
  }
}

/** Undefined where pid1 is of another version, or did not start us: somebody has typed our internal word. */
function findPid1(): Link | undefined {
  try {
    return openLink();
  } catch (error) {
    if (error instanceof StartError) {
      process.stderr.write(formatErrorLine(error, isTerminal(2) ? 'pretty' : 'json'));
      process.exitCode = error.exitCode;
    } else {
      refuseRole();
    }

    return undefined;
  }
}

function refuseRole(): void {
  process.stderr.write('warp-init: Cannot find pid1: start the app with `warp-init -- COMMAND`.\n');
  process.exitCode = exitStatus.usage;
}

async function abortForStray(brain: Brain, error: Error): Promise<void> {
  await abort(brain, await causeOfStray(error));
}

async function causeOfStray(error: Error): Promise<Error> {
  return (await import('./inputs/stray-error.ts')).causeOfStray(error);
}

/** The requests leave first; what follows is loaded while they travel. */
async function start({ link, log, sink }: Brain): Promise<void> {
  const inherited = parseEnvironment(link.hello.environment);
  const early = requestEarly(inherited, (reason) => {
    log.info(`Waiting for the platform: ${reason}`);
  });
  try {
    const { run } = await import('./commands/run.ts');
    await run({ link, log, sink, inherited, early });
  } finally {
    early?.api.close();
  }
}

type Brain = { readonly link: Link; readonly log: Log; readonly sink: LogSink };

async function abort({ link, log, sink }: Brain, error: unknown): Promise<void> {
  await sayFatal({ log, sink }, error);
  link.send({
    type: 'abort',
    status: statusOf(error),
  });
}

async function sayFatal({ log, sink }: Omit<Brain, 'link'>, error: unknown): Promise<void> {
  const format = process.env['WARP_INIT_LOG_FORMAT'];
  log.open({
    level: 'info',
    format: format === 'json' || format === 'pretty' ? format : undefined,
  });
  // A flood of warnings must not leave no room for the one line that says why.
  await log.flush();
  await sink.drain();
  log.fatal(error);
  await log.flush();
  await sink.drain();
}

async function mainOfCommand(): Promise<void> {
  restoreHiddenVariables(process.env);
  const sink = createLogSink({ fd: 2, isShared: false });
  const log = createLog({ write: sink.write, isTerminal: () => isTerminal(2) });
  const voice = { log, sink };
  process.once('uncaughtException', (error) => void endForStray(voice, error));
  try {
    const { runCommand } = await import('./commands/dispatch.ts');
    await endCommand(voice, { status: await runCommand(process.argv.slice(2), log) });
  } catch (error) {
    await endCommand(voice, { cause: error });
  }
}

async function endForStray(voice: Omit<Brain, 'link'>, error: Error): Promise<void> {
  process.on('uncaughtException', () => undefined); // The first one says it.
  await endCommand(voice, { cause: await causeOfStray(error) });
}

/** A config may have left behind what keeps a process alive, or listens to its end. */
async function endCommand(
  { log, sink }: Omit<Brain, 'link'>,
  end: { readonly status: number } | { readonly cause: unknown },
): Promise<void> {
  if ('cause' in end) {
    await sayFatal({ log, sink }, end.cause);
  }

  await log.flush();
  await sink.drain();
  process.removeAllListeners('exit');
  // oxlint-disable-next-line unicorn/no-process-exit -- A timer of a config would keep us here for ever.
  process.exit('cause' in end ? statusOf(end.cause) : end.status);
}

function statusOf(error: unknown): number {
  return error instanceof StartError ? error.exitCode : exitStatus.internal;
}

/** Asked only where something is to be logged: node:tty takes its time to load. */
function isTerminal(fd: number): boolean {
  return process.getBuiltinModule('node:tty').isatty(fd);
}

void main();
