// Where a config is in the kernel and may not come back: a program that it waits for, a pipe that nobody writes to.
//
// V8 cannot end a system call, so the line has to be known before. All that blocks goes through two bindings of Node's
// own (process.binding, DEP0111: seen on Node 20, 22, 24 and 26), which reaches every module, however it imports fs,
// and loads nothing. A Node that has no such binding costs the line, and nothing else.
import { fstatSync, statSync } from 'node:fs';
import { locationOf } from './config-failure.ts';

export type BlockingCalls = {
  /** Where the call was made that is under way, or that came back after the deadline. */
  readonly location: () => string | undefined;
  /** Puts everything back. */
  readonly stop: () => void;
};

export type BlockingOptions = {
  readonly programFile: string;
  /** The deadline, on the clock of performance.now(). */
  readonly endMs: number;
  /** With where it was called; undefined: it has come back. */
  readonly onEnter: (location: string | undefined) => void;
};

/** Of a file that is none these wait for somebody: to open it, to write, to read. */
const fileCalls = [
  'open',
  'read',
  'readFileUtf8',
  'readBuffers',
  'writeBuffer',
  'writeBuffers',
  'writeString',
  'writeFileUtf8',
  'copyFile',
];

/** A program may outlive the deadline by this much, so that it is V8 that ends the config, and not an error in it. */
const programGraceMs = 50;
const killSignal = 9;

export function watchBlockingCalls(options: BlockingOptions): BlockingCalls {
  const { programFile, endMs, onEnter } = options;
  let location: string | undefined;
  let isTelling = false;

  // Whoever is told may write to a socket for it, through this very binding.
  const tell = (where: string | undefined): void => {
    location = where;
    isTelling = true;
    try {
      onEnter(where);
    } finally {
      isTelling = false;
    }
  };

  const around = (call: () => unknown): unknown => {
    const where = isTelling ? undefined : callerOf(programFile);
    if (where === undefined) {
      return call(); // One of ours, or of Node's.
    }

    tell(where);
    try {
      return call();
    } finally {
      // Does not run where V8 ends the script.
      if (performance.now() < endMs) {
        tell(undefined);
      }
    }
  };

  const fs = bindingOf('fs');
  const spawnSync = bindingOf('spawn_sync');
  const undo = [
    ...fileCalls.map((name) =>
      replace(fs, name, (args, call) =>
        canBlock(fs, args) ? around(() => call(args)) : call(args),
      ),
    ),
    replace(spawnSync, 'spawn', ([request], call) =>
      around(() => call([endingBy(request, endMs + programGraceMs)])),
    ),
  ];
  return {
    location: () => location,
    stop: () => {
      for (const putBack of undo) {
        putBack();
      }
    },
  };
}

type Binding = Record<string, unknown>;
type Call = (args: readonly unknown[]) => unknown;

function bindingOf(name: string): Binding {
  try {
    const binding: unknown = Reflect.apply(Reflect.get(process, 'binding'), process, [name]);
    return isBinding(binding) ? binding : {};
  } catch {
    // The permission model, or a Node of the future.
    return {};
  }
}

function replace(
  binding: Binding,
  name: string,
  instead: (args: readonly unknown[], call: Call) => unknown,
): () => void {
  const original = binding[name];
  if (typeof original !== 'function') {
    return () => {};
  }

  const call: Call = (args) => Reflect.apply(original, binding, args);
  binding[name] = (...args: unknown[]) => instead(args, call);
  return () => {
    binding[name] = original;
  };
}

/** A regular file is always ready, and an asynchronous call waits in another thread. */
function canBlock(fs: Binding, args: readonly unknown[]): boolean {
  const { kUsePromises, FSReqCallback } = fs;
  const isAsync = args.some(
    (arg) =>
      arg === kUsePromises || (typeof FSReqCallback === 'function' && arg instanceof FSReqCallback),
  );
  const [file] = args;
  try {
    const status =
      typeof file === 'number'
        ? fstatSync(file)
        : typeof file === 'string'
          ? statSync(file, { throwIfNoEntry: false })
          : undefined;
    return !isAsync && status !== undefined && !status.isFile() && !status.isDirectory();
  } catch {
    return false; // The call itself will say why.
  }
}

/** The program is killed when the deadline has passed, unless the config has set one that is earlier. */
function endingBy(request: unknown, endMs: number): unknown {
  if (!isBinding(request)) {
    return request;
  }

  const ours = Math.max(1, Math.ceil(endMs - performance.now()));
  const { timeout } = request;
  return typeof timeout === 'number' && timeout > 0 && timeout <= ours
    ? request
    : { ...request, timeout: ours, killSignal };
}

function callerOf(programFile: string): string | undefined {
  const { stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 50;
    return locationOf(new Error('where'), programFile);
  } catch {
    return undefined; // A config may have its own idea of stacks.
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function isBinding(value: unknown): value is Binding {
  return typeof value === 'object' && value !== null;
}
