// A thread beside the config: for code that blocks the main thread where no timer of ours can fire any more.
//
// Node runs the thread's code from a file: the bundle itself, whose main.ts calls `runConfigWatchdog` where its first
// argument says so. The thread is started only for a config that is still pending, since it costs 5 ms.
import { writeSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { exitStatus } from '../errors.ts';
import type { StartError } from '../errors.ts';
import { evaluate } from './config-evaluation.ts';
import { stuckError } from './config-failure.ts';
import { busiestLocation, createInspectorSession, formatLocation } from './config-location.ts';

/** How a thread tells that the main thread hangs, and with it pid1. */
export type StuckReport = {
  /** The bundle: the file that the thread runs. */
  readonly programFile: string;
  /** Where the error goes if the main thread cannot write it. */
  readonly messageFd: number;
  /** For `formatError` in the thread; must survive a structured clone. */
  readonly context?: unknown;
  /** What tells pid1 that preparing failed, already encoded, and where to write it. */
  readonly abortFd?: number;
  readonly abortFrame?: Uint8Array;
};

/** The first argument of such a thread: cheaper for main.ts to see than to load worker_threads and ask. */
export const configThreadRole = 'config-thread';

export type FormatError = (error: StartError, context: unknown) => string;

type Watched = {
  readonly path: string;
  readonly deadlineMs: number;
  /** What is left of it. */
  readonly remainingMs: number;
};

/** What the thread is started for. */
type Task =
  | ({ readonly task: 'config-watchdog' } & Watched & StuckReport)
  | { readonly task: 'config-loop'; readonly path: string; readonly programFile: string };

/** Main thread: the timer there gets this long before the thread concludes that it cannot fire. */
const graceMs = 250;

/** Thread: an answer of the main thread's inspector takes less, unless it is blocked in a system call. */
const inspectorMs = 1000;

/** A loop shows itself in far less; what only takes long must get to its slow part. */
const profileMs = 1000;

/** Starts the thread. It ends the process if the main thread is blocked at the deadline. */
export function startConfigWatchdog(
  watched: Watched,
  options: StuckReport,
): { readonly stop: () => void } {
  const worker = startThread({ task: 'config-watchdog', ...watched, ...options });
  worker.unref();
  return { stop: () => void worker.terminate() };
}

/**
 * Where a config spends its time that does not return: it is evaluated once more, in a thread and under a profiler,
 * since the stack is gone when V8 ends a script. It runs at every start anyway.
 */
export async function findLoop(path: string, programFile: string): Promise<string | undefined> {
  const worker = startThread({ task: 'config-loop', path, programFile });

  try {
    return await new Promise((resolve) => {
      setTimeout(resolve, 3 * profileMs, undefined).unref();
      worker.once('message', (message) =>
        resolve(typeof message === 'string' ? message : undefined),
      );
      worker.once('error', () => resolve(undefined));
      worker.once('exit', () => resolve(undefined));
    });
  } finally {
    void worker.terminate();
  }
}

/**
 * Thread: for main.ts, where the first argument is {@link configThreadRole}.
 *
 * @returns False where this is no such thread: then someone has typed that word.
 */
export function runConfigWatchdog(formatError: FormatError): boolean {
  const { workerData } = process.getBuiltinModule('node:worker_threads');
  const task: unknown = workerData;

  if (!isTask(task)) {
    return false;
  }

  switch (task.task) {
    case 'config-watchdog':
      setTimeout(endProcess, task.remainingMs + graceMs, task, formatError);
      return true;
    case 'config-loop':
      reportLoop(task.path);
      return true;
  }
}

function isTask(value: unknown): value is Task {
  return (
    typeof value === 'object' &&
    value !== null &&
    'task' in value &&
    (value.task === 'config-watchdog' || value.task === 'config-loop')
  );
}

function startThread(task: Task): Worker {
  const { Worker: Thread } = process.getBuiltinModule('node:worker_threads');
  // What a config prints while it runs for the second time is dropped.
  const worker = new Thread(task.programFile, {
    argv: [configThreadRole],
    workerData: task,
    stdout: true,
    stderr: true,
  });
  // Without a listener a thread that fails would end us. A config that nobody watches is no reason to.
  worker.on('error', () => {});
  return worker;
}

/** Thread: the main thread missed its deadline. Whatever blocks it, the process ends. */
function endProcess(task: Extract<Task, { task: 'config-watchdog' }>, formatError: FormatError) {
  let hasReported = false;
  const report = (location: string | undefined) => {
    hasReported = true;
    const error = stuckError(task.path, { deadlineMs: task.deadlineMs, kind: 'runs', location });
    tryWrite(task.messageFd, new TextEncoder().encode(formatError(error, task.context)));

    if (task.abortFd !== undefined && task.abortFrame !== undefined) {
      tryWrite(task.abortFd, task.abortFrame);
    }
  };

  // Never cleared: it also keeps this thread alive. Node can abort where a thread ends while the process does.
  setTimeout(() => {
    if (!hasReported) {
      report(undefined);
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

/** Thread: runs the config again. A loop outlives any profile, so its line has nearly all of the ticks. */
function reportLoop(path: string): void {
  const { parentPort } = process.getBuiltinModule('node:worker_threads');
  const location = busiestLocation(() => {
    try {
      evaluate(path, profileMs);
    } catch {
      // As expected: it was ended. Whatever else it throws now is not what it was asked for.
    }
  });
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A port of a thread has no origin.
  parentPort?.postMessage(location);
}

/** Nobody is left to be told of a failure. */
function tryWrite(fd: number, bytes: Uint8Array): void {
  try {
    writeSync(fd, bytes);
  } catch {
    // The reader is gone or its pipe is full.
  }
}
