// A thread of ours beside a config: to watch it, or to evaluate it once more and see where it stays.
//
// Node runs the thread's code from a file: the bundle itself, whose main.ts calls `runConfigWatchdog` where its first
// argument says so. A thread costs 5 ms: it is started only for a config that is still pending, or has failed.
import type { Worker } from 'node:worker_threads';

/** The first argument of such a thread: cheaper for main.ts to see than to load worker_threads and ask. */
export const configThreadRole = 'config-thread';

/** What the thread is started for. */
export type Task =
  | ({ readonly task: 'config-watchdog' } & Watched & ThreadReport)
  | { readonly task: 'config-loop' | 'config-await'; readonly path: string };

export type Watched = {
  readonly path: string;
  readonly deadlineMs: number;
  /** What is left of it. */
  readonly remainingMs: number;
};

/** How a thread tells that the main thread hangs, and with it pid1. */
export type ThreadReport = {
  /** The bundle: the file that the thread runs. */
  readonly programFile: string;
  /** Where the error goes if the main thread cannot write it. */
  readonly messageFd: number;
  /** For who reads it: a line for people by default, or a ConfigAnswer. */
  readonly form?: 'line' | 'answer';
  /** What tells pid1 that preparing failed, already encoded, and where to write it. */
  readonly abortFd?: number;
  readonly abortFrame?: Uint8Array;
};

export function startThread(programFile: string, task: Task): Worker {
  const { Worker: Thread } = process.getBuiltinModule('node:worker_threads');
  // What a config prints while it runs for the second time is dropped.
  const worker = new Thread(programFile, {
    argv: [configThreadRole],
    workerData: task,
    stdout: true,
    stderr: true,
  });
  // Without a listener a thread that fails would end us. A config that nobody watches is no reason to.
  worker.on('error', () => {});
  return worker;
}

/** Thread: what it was started for; undefined where this is no such thread. */
export function taskOfThread(): Task | undefined {
  const { workerData } = process.getBuiltinModule('node:worker_threads');
  const task: unknown = workerData;
  return isTask(task) ? task : undefined;
}

const tasks: readonly unknown[] = ['config-watchdog', 'config-loop', 'config-await'];

function isTask(value: unknown): value is Task {
  return (
    typeof value === 'object' && value !== null && 'task' in value && tasks.includes(value.task)
  );
}
