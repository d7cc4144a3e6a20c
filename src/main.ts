// Composition: who we are (the brain of pid1, a command, a watchdog thread), and what ends the process.
import { stay } from './commands/stay.ts';
import { type Link, openLink } from './link/link.ts';
import { sharedStderrFd } from './link/layout.ts';
import { type LogSink, createLogSink } from './log-sink.ts';
import { formatErrorLine } from './log-format.ts';
import { type Log, createLog } from './log.ts';
import { StartError, exitStatus } from './errors.ts';
import { requestEarly } from './inputs/early-requests.ts';
import { parseEnvironment, restoreNodeVariables } from './inputs/own-environment.ts';

// pid1 starts us as the brain (src/pid1/brain.c), and we start a thread of ours with an argument of its own.
const roleOfBrain = 'brain';
const roleOfWatchdog = 'config-thread'; // `configThreadRole`, which is not worth loading its file.

async function main(): Promise<void> {
  if (process.argv[2] === roleOfWatchdog) {
    const { runConfigWatchdog } = await import('./inputs/config-watchdog.ts');
    runConfigWatchdog((error) => formatErrorLine(error, isTerminal(2) ? 'pretty' : 'json'));
    return;
  }

  if (process.argv[2] === roleOfBrain) {
    await mainOfBrain();
  } else {
    await mainOfCommand();
  }
}

async function mainOfBrain(): Promise<void> {
  const link = openLink();
  const { logIsPrivate, appPid } = link.hello;
  const fd = logIsPrivate ? 2 : sharedStderrFd;
  const sink = createLogSink({ fd, isShared: !logIsPrivate });
  const log = createLog({ write: sink.write, isTerminal: () => isTerminal(fd) });
  if (appPid !== undefined) {
    sink.appRuns();
    stay(link);
    return;
  }

  try {
    await start({ link, log, sink });
  } catch (error) {
    await abort({ link, log, sink }, error);
  }
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
    status: error instanceof StartError ? error.exitCode : exitStatus.internal,
  });
}

async function sayFatal({ log, sink }: Omit<Brain, 'link'>, error: unknown): Promise<void> {
  log.open({ level: 'info', format: undefined });
  // A flood of warnings must not leave no room for the one line that says why.
  await log.flush();
  await sink.drain();
  log.fatal(error);
  await log.flush();
  await sink.drain();
}

async function mainOfCommand(): Promise<void> {
  restoreNodeVariables(process.env);
  const sink = createLogSink({ fd: 2, isShared: false });
  const log = createLog({ write: sink.write, isTerminal: () => isTerminal(2) });
  try {
    const { runCommand } = await import('./commands/dispatch.ts');
    process.exitCode = await runCommand(process.argv.slice(2), log);
  } catch (error) {
    await sayFatal({ log, sink }, error);
    process.exitCode = error instanceof StartError ? error.exitCode : exitStatus.internal;
  }

  await log.flush();
  await sink.drain();
}

/** Asked only where something is to be logged: node:tty takes its time to load. */
function isTerminal(fd: number): boolean {
  return process.getBuiltinModule('node:tty').isatty(fd);
}

void main();
