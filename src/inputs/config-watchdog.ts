// Who ends a start in place of the main thread, where a config blocks it so that no timer of ours can fire any more:
// pid1, which is told beforehand and costs nothing, or a thread, which can also look where the main thread is.
import { writeSync } from 'node:fs';
import { exitStatus } from '../errors.ts';
import type { StartError } from '../errors.ts';
import { stuckError } from './config-failure.ts';
import { createInspectorSession, formatLocation } from './config-location.ts';
import { runAgain } from './config-rerun.ts';
import { startThread, taskOfThread } from './config-thread.ts';
import type { Task, ThreadReport, Watched } from './config-thread.ts';

export type StuckReport = ThreadReport & {
  /** Has pid1 end us with this error unless it is called off, by undefined, within `delayMs`. */
  readonly endLater?: (end: LaterEnd | undefined) => void;
  /** As the thread formats an error, for the main thread. */
  readonly format?: (error: StartError) => string;
};

export type LaterEnd = { readonly delayMs: number; readonly error: StartError };

export type Watchdog = {
  /** The main thread enters what may block it, called there; undefined: it has come back. */
  readonly enter: (location: string | undefined) => void;
  readonly stop: () => void;
};

export type FormatError = (error: StartError, form: ThreadReport['form']) => string;

/** Main thread: the timer there gets this long before pid1 or the thread concludes that it cannot fire. */
const graceMs = 250;

/** Thread: an answer of the main thread's inspector takes less, unless it is blocked in a system call. */
const inspectorMs = 1000;

/** For code that runs to its end without a turn of the event loop: pid1 where there is one, else a thread. */
export function startWatchdog(watched: Watched, options: StuckReport): Watchdog {
  const { endLater } = options;
  return endLater === undefined
    ? startThreadWatchdog(watched, options)
    : startPid1Watchdog(watched, endLater);
}

/** For what is pending: a thread. It ends the process if the main thread is blocked at the deadline. */
export function startThreadWatchdog(watched: Watched, options: StuckReport): Watchdog {
  // A function cannot be sent to a thread.
  const { endLater: _, format: _format, ...report } = options;
  const worker = startThread(options.programFile, {
    task: 'config-watchdog',
    ...watched,
    ...report,
  });
  worker.unref();
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread has no origin.
    enter: (location) => worker.postMessage(location),
    stop: () => void worker.terminate(),
  };
}

function startPid1Watchdog(
  { path, deadlineMs, remainingMs }: Watched,
  endLater: NonNullable<StuckReport['endLater']>,
): Watchdog {
  const endMs = performance.now() + remainingMs + graceMs;
  const enter = (location: string | undefined) =>
    endLater({
      delayMs: Math.max(1, Math.ceil(endMs - performance.now())),
      error: stuckError(path, { deadlineMs, kind: 'runs', location }),
    });
  enter(undefined);
  return { enter, stop: () => endLater(undefined) };
}

/**
 * Thread: for main.ts, where the first argument is `configThreadRole`.
 *
 * @returns False where this is no such thread: then someone has typed that word.
 */
export function runConfigWatchdog(formatError: FormatError): boolean {
  const task = taskOfThread();

  switch (task?.task) {
    case undefined:
      return false;
    case 'config-watchdog':
      watchMainThread(task, formatError);
      return true;
    case 'config-loop':
    case 'config-await':
      runAgain(task);
      return true;
  }
}

type WatchTask = Extract<Task, { task: 'config-watchdog' }>;

function watchMainThread(task: WatchTask, formatError: FormatError): void {
  const { parentPort } = process.getBuiltinModule('node:worker_threads');
  let entered: string | undefined;
  parentPort?.on('message', (location) => {
    entered = typeof location === 'string' ? location : undefined;
  });
  setTimeout(
    () => endProcess(task, { formatError, entered: () => entered }),
    task.remainingMs + graceMs,
  );
}

type Report = { readonly formatError: FormatError; readonly entered: () => string | undefined };

/** Thread: the main thread missed its deadline. Whatever blocks it, the process ends. */
function endProcess(task: WatchTask, { formatError, entered }: Report): void {
  let hasReported = false;
  const report = (location: string | undefined) => {
    hasReported = true;
    const error = stuckError(task.path, { deadlineMs: task.deadlineMs, kind: 'runs', location });
    tryWrite(task.messageFd, new TextEncoder().encode(formatError(error, task.form)));

    if (task.abortFd !== undefined && task.abortFrame !== undefined) {
      tryWrite(task.abortFd, task.abortFrame);
    }
  };

  // Never cleared: it also keeps this thread alive. Node can abort where a thread ends while the process does.
  setTimeout(() => {
    if (!hasReported) {
      report(entered());
    }

    process.kill(process.pid, 'SIGKILL');
  }, inspectorMs);

  pauseMainThread(task.programFile, (location, exitMainThread) => {
    report(location);
    exitMainThread();
  });
}

type Paused = (location: string | undefined, exitMainThread: () => void) => void;

function pauseMainThread(programFile: string, onPaused: Paused): void {
  const session = createInspectorSession();
  const urls = new Map<string, string>();
  session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
  session.once('Debugger.paused', ({ params: { callFrames } }) => {
    const [location] = callFrames
      .map(({ location: { scriptId, lineNumber } }) =>
        formatLocation(urls.get(scriptId), lineNumber),
      )
      .filter((place) => place !== undefined && !place.startsWith(`${programFile}:`));
    // Only the main thread can end the process with a status of ours; a paused one still evaluates. Node would
    // write to stderr that it waits for the debugger, which is us.
    const expression = `globalThis.process.getBuiltinModule('node:fs').closeSync(2);
      globalThis.process.reallyExit(${exitStatus.config})`;
    const callFrameId = callFrames[0]?.callFrameId ?? '';
    onPaused(location, () =>
      session.post('Debugger.evaluateOnCallFrame', { callFrameId, expression }),
    );
  });
  session.connectToMainThread();
  session.post('Debugger.enable');
  session.post('Debugger.pause');
}

/** Nobody is left to be told of a failure. */
function tryWrite(fd: number, bytes: Uint8Array): void {
  try {
    writeSync(fd, bytes);
  } catch {
    // The reader is gone or its pipe is full.
  }
}
