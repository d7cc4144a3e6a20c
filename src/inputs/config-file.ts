// warp.config.js: found, evaluated and awaited, within a deadline. What it exports is checked in core/config.ts.
//
// The config is code of the operator's. Code that never returns is ended by V8 (config-evaluation.ts); what V8 cannot
// end, a system call or a loop after an `await`, by pid1 or a thread (config-watchdog.ts); a promise that never settles,
// by a timer.
import { writeSync } from 'node:fs';
import { inspect, types } from 'node:util';
import { typeName } from '../core/config-problems.ts';
import { errnoOf, exitStatus } from '../errors.ts';
import { watchBlockingCalls } from './config-blocking.ts';
import type { BlockingCalls } from './config-blocking.ts';
import { copyConfig } from './config-copy.ts';
import { copyWithin, evaluate, importConfig, isThenable } from './config-evaluation.ts';
import type { Evaluated } from './config-evaluation.ts';
import { configFailure, exitError, exportError, stuckError } from './config-failure.ts';
import { functionLocation } from './config-location.ts';
import { findConfigFile } from './config-path.ts';
import type { ConfigPlace } from './config-path.ts';
import { findAwait, findLoop } from './config-rerun.ts';
import { startThreadWatchdog, startWatchdog } from './config-watchdog.ts';
import type { StuckReport, Watchdog } from './config-watchdog.ts';

export type ConfigFileOptions = ConfigPlace & {
  /** For everything: loading, calling and awaiting. */
  readonly deadlineMs: number;
  readonly onStuck: StuckReport;
};

export type LoadedConfig = {
  /** Absolute. */
  readonly path: string;
  /** Plain data, of the keys that init reads. */
  readonly value: object;
};

/**
 * @returns Undefined where there is no config file and none was asked for.
 * @throws {StartError} E_CONFIG with file and line, where known: it is missing, cannot be parsed, throws, hangs, or
 *   exports no object.
 */
export async function loadConfigFile(
  options: ConfigFileOptions,
): Promise<LoadedConfig | undefined> {
  const path = findConfigFile(options);

  if (path === undefined) {
    return undefined;
  }

  const value = await refusingExit(path, options, () => valueOf(path, options));

  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw exportError(path, typeName(value));
  }

  return { path, value };
}

/** A config that calls process.exit() takes us with it: the last thing that we do then is to say so. */
async function refusingExit<T>(
  path: string,
  { onStuck }: ConfigFileOptions,
  load: () => Promise<T>,
): Promise<T> {
  const say = () => {
    const error = exitError(path);
    const line = `warp-init: ${error.message}. ${error.remedy.fix}\n`;
    writeSync(onStuck.messageFd, onStuck.format?.(error) ?? line);
    if (onStuck.abortFd !== undefined && onStuck.abortFrame !== undefined) {
      writeSync(onStuck.abortFd, onStuck.abortFrame);
    }

    process.exitCode = exitStatus.config;
  };
  process.on('exit', say);
  try {
    return await load();
  } finally {
    process.off('exit', say);
  }
}

async function valueOf(path: string, options: ConfigFileOptions): Promise<unknown> {
  const { deadlineMs, onStuck } = options;
  const endMs = performance.now() + deadlineMs;
  let watchdog = startWatchdog({ path, deadlineMs, remainingMs: deadlineMs }, onStuck);
  const calls = watchBlockingCalls({
    programFile: onStuck.programFile,
    endMs,
    onEnter: (location) => watchdog.enter(location),
  });

  try {
    const attempt = tryEvaluate(path, deadlineMs);

    if (attempt.error === undefined && isPending(attempt.result)) {
      // No `await` before the thread is started: the config's own next step might be the one that never returns.
      const remainingMs = Math.max(1, endMs - performance.now());
      if (onStuck.endLater !== undefined) {
        watchdog.stop();
        watchdog = startThreadWatchdog({ path, deadlineMs, remainingMs }, onStuck);
      }

      return await awaitWithin(
        path,
        { ...attempt, remainingMs, copy: copyConfig, watchdog, calls },
        options,
      );
    }

    // On a busy machine the program that it waited for can be killed, and the config go on, before V8 ends it.
    if (attempt.error !== undefined || calls.location() !== undefined) {
      const thrown = attempt.error?.thrown;
      throw await failure(path, { thrown, watchdog, calls }, options);
    }

    const copy = (config: unknown) => copyWithin(endMs - performance.now(), config);
    return await settled(path, { ...attempt, copy, watchdog, calls }, options);
  } finally {
    watchdog.stop();
    calls.stop();
  }
}

type Attempt = Evaluated & {
  /** It has a top-level await. */
  readonly isImported: boolean;
  readonly error?: { readonly thrown: unknown };
};

function tryEvaluate(path: string, deadlineMs: number): Attempt {
  try {
    return { ...evaluate(path, deadlineMs), isImported: false };
  } catch (error) {
    // A top-level await: only import() can wait for it.
    return errnoOf(error) === 'ERR_REQUIRE_ASYNC_MODULE'
      ? { result: importConfig(path), called: undefined, isImported: true }
      : { result: undefined, called: undefined, isImported: false, error: { thrown: error } };
  }
}

type Watching = { readonly watchdog: Watchdog; readonly calls: BlockingCalls };

type Failed = Watching & { readonly thrown: unknown };

async function failure(
  path: string,
  { thrown, watchdog, calls }: Failed,
  options: ConfigFileOptions,
) {
  const { deadlineMs, onStuck } = options;
  watchdog.stop();
  calls.stop();
  const isEnded = errnoOf(thrown) === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
  const blocked = calls.location();

  if (!isEnded && blocked === undefined) {
    return configFailure(path, thrown, onStuck.programFile);
  }

  const location = blocked ?? (await findLoop(path, onStuck.programFile));
  return stuckError(path, { deadlineMs, kind: 'runs', location });
}

/** `inspect` tells a settled promise without a turn of the event loop. The thread for the others costs 5 ms. */
function isPending(value: unknown): boolean {
  return types.isPromise(value)
    ? inspect(value, { depth: 0 }).includes('<pending>')
    : isThenable(value);
}

/** `copy` ends by itself where only pid1 watches. */
type Result = Attempt & Watching & { readonly copy: (config: unknown) => unknown };

async function settled(
  path: string,
  { result, copy, ...watching }: Result,
  options: ConfigFileOptions,
) {
  try {
    return isThenable(result) ? copy(await result) : result;
  } catch (error) {
    throw await failure(path, { thrown: error, ...watching }, options);
  }
}

type Pending = Result & { readonly remainingMs: number };

async function awaitWithin(path: string, pending: Pending, options: ConfigFileOptions) {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<undefined>((wake) => {
    timer = setTimeout(wake, pending.remainingMs, undefined);
  });

  try {
    const value = settled(path, pending, options).then((config) => ({ config }));
    const first = await Promise.race([value, deadline]);

    // A program that was killed at the deadline: the config may not have noticed.
    if (first === undefined || pending.calls.location() !== undefined) {
      pending.watchdog.stop();
      throw await overdue(path, pending, options);
    }

    return first.config;
  } finally {
    clearTimeout(timer);
  }
}

/** The main thread is free, and the promise is not settled. */
async function overdue(path: string, pending: Pending, options: ConfigFileOptions) {
  const { deadlineMs, onStuck } = options;
  const blocked = pending.calls.location();

  if (blocked !== undefined) {
    return stuckError(path, { deadlineMs, kind: 'runs', location: blocked });
  }

  const location = pending.isImported
    ? await findAwait(path, onStuck.programFile)
    : functionLocation(pending.called);
  return stuckError(path, { deadlineMs, kind: 'waits', location });
}
