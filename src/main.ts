// Composition: who we are (the brain of pid1, a command, a watchdog thread), and what ends the process.
import { isatty } from 'node:tty';

import { run, stay } from './commands/run.ts';
import { type Link, openLink } from './link/link.ts';
import { sharedStderrFd } from './link/layout.ts';
import { type LogSink, createLogSink } from './log-sink.ts';
import { formatErrorLine } from './log-format.ts';
import { type Log, createLog } from './log.ts';
import { StartError, exitStatus } from './errors.ts';
import { restoreNodeVariables } from './inputs/own-environment.ts';

// pid1 starts us as the brain (src/pid1/brain.c), and we start a thread of ours with an argument of its own.
const roleOfBrain = 'brain';
const roleOfWatchdog = 'config-thread'; // `configThreadRole`, which is not worth loading its file.

async function main(): Promise<void> {
  restoreNodeVariables(process.env);
  if (process.argv[2] === roleOfWatchdog) {
    const { runConfigWatchdog } = await import('./inputs/config-watchdog.ts');
    runConfigWatchdog((error) => formatErrorLine(error, isatty(2) ? 'pretty' : 'json'));
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
  // Node opens its inspector for SIGUSR1 where nobody listens.
  process.on('SIGUSR1', () => undefined);
  const { logIsPrivate, appPid } = link.hello;
  const fd = logIsPrivate ? 2 : sharedStderrFd;
  const sink = createLogSink({ fd, isShared: !logIsPrivate });
  const log = createLog({ write: sink.write, isTerminal: () => isatty(fd) });
  if (appPid !== undefined) {
    sink.appRuns();
    stay(link);
    return;
  }

  try {
    await run({ link, log, sink });
  } catch (error) {
    await abort({ link, log, sink }, error);
  }
}

type Brain = { readonly link: Link; readonly log: Log; readonly sink: LogSink };

async function abort({ link, log, sink }: Brain, error: unknown): Promise<void> {
  log.open({ level: 'info', format: undefined });
  log.fatal(error);
  await log.flush();
  await sink.drain();
  link.send({
    type: 'abort',
    status: error instanceof StartError ? error.exitCode : exitStatus.internal,
  });
}

async function mainOfCommand(): Promise<void> {
  const sink = createLogSink({ fd: 2, isShared: false });
  const log = createLog({ write: sink.write, isTerminal: () => isatty(2) });
  try {
    const { runCommand } = await import('./commands/dispatch.ts');
    process.exitCode = await runCommand(process.argv.slice(2), log);
  } catch (error) {
    log.open({ level: 'info', format: undefined });
    log.fatal(error);
    process.exitCode = error instanceof StartError ? error.exitCode : exitStatus.internal;
  }

  await log.flush();
  await sink.drain();
}

void main();
