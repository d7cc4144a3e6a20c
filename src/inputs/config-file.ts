// warp.config.js: found, evaluated and awaited, within a deadline. What it exports is checked in core/config.ts.
//
// The config is code of the operator's. Code that never returns is ended by V8 (config-evaluation.ts), code that
// blocks this thread after an `await` by a thread of ours (config-watchdog.ts); a promise that never settles, by a timer.
import { writeSync } from 'node:fs';
import { inspect, types } from 'node:util';
import { typeName } from '../core/config-problems.ts';
import { errnoOf, exitStatus } from '../errors.ts';
import { evaluate, importConfig } from './config-evaluation.ts';
import type { Evaluated } from './config-evaluation.ts';
import { configFailure, exportError, stuckError } from './config-failure.ts';
import { functionLocation } from './config-location.ts';
import { findConfigFile } from './config-path.ts';
import type { ConfigPlace } from './config-path.ts';
import { findLoop, startConfigWatchdog } from './config-watchdog.ts';
import type { StuckReport } from './config-watchdog.ts';

export type ConfigFileOptions = ConfigPlace & {
  /** For everything: loading, calling and awaiting. */
  readonly deadlineMs: number;
  readonly onStuck: StuckReport;
};

export type LoadedConfig = {
  /** Absolute. */
  readonly path: string;
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
    writeSync(
      onStuck.messageFd,
      `warp-init: Cannot load the config ${path}: it calls process.exit(). Remove that.\n`,
    );
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
  const startMs = performance.now();
  const { result, called, error } = tryEvaluate(path, options.deadlineMs);

  if (error !== undefined) {
    throw await failure(path, error.thrown, options);
  }

  if (!isPending(result)) {
    return settled(path, result, options);
  }

  // No `await` before the thread is started: the config's own next step might be the one that never returns.
  const remainingMs = Math.max(1, options.deadlineMs - (performance.now() - startMs));
  return awaitWithin(path, { result, called, remainingMs }, options);
}

type Attempt = Evaluated & { readonly error?: { readonly thrown: unknown } };

function tryEvaluate(path: string, deadlineMs: number): Attempt {
  try {
    return evaluate(path, deadlineMs);
  } catch (error) {
    // A top-level await: only import() can wait for it.
    return errnoOf(error) === 'ERR_REQUIRE_ASYNC_MODULE'
      ? { result: importConfig(path), called: undefined }
      : { result: undefined, called: undefined, error: { thrown: error } };
  }
}

async function failure(path: string, error: unknown, options: ConfigFileOptions) {
  const { deadlineMs, onStuck } = options;

  if (errnoOf(error) !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
    return configFailure(path, error, onStuck.programFile);
  }

  const location = await findLoop(path, onStuck.programFile);
  return stuckError(path, { deadlineMs, kind: 'runs', location });
}

/** `inspect` tells a settled promise without a turn of the event loop. The thread for the others costs 5 ms. */
function isPending(value: unknown): boolean {
  return types.isPromise(value)
    ? inspect(value, { depth: 0 }).includes('<pending>')
    : typeof value === 'object' && value !== null && 'then' in value;
}

async function settled(
  path: string,
  result: unknown,
  { onStuck }: ConfigFileOptions,
): Promise<unknown> {
  try {
    return await result;
  } catch (error) {
    throw configFailure(path, error, onStuck.programFile);
  }
}

type Pending = Evaluated & { readonly remainingMs: number };

async function awaitWithin(path: string, pending: Pending, options: ConfigFileOptions) {
  const { deadlineMs } = options;
  const { remainingMs, called } = pending;
  const watchdog = startConfigWatchdog({ path, deadlineMs, remainingMs }, options.onStuck);
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<undefined>((wake) => {
    timer = setTimeout(wake, remainingMs, undefined);
  });

  try {
    const value = settled(path, pending.result, options).then((config) => ({ config }));
    const first = await Promise.race([value, deadline]);

    if (first === undefined) {
      throw stuckError(path, { deadlineMs, kind: 'waits', location: functionLocation(called) });
    }

    return first.config;
  } finally {
    clearTimeout(timer);
    watchdog.stop();
  }
}
