// Evaluates a config module and calls the function that it exports. Code that does not return is ended.
//
// `vm` is the one way to end running JavaScript from outside: its timeout terminates all that a script has called,
// modules that are loaded meanwhile too (seen on Node 20, 22, 24 and 26). It cannot end a system call that blocks.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { types } from 'node:util';
import { Script } from 'node:vm';
import { copyConfig } from './config-copy.ts';

export type Evaluated = {
  /** The config as plain data, or a promise of what it is to be copied from. */
  readonly result: unknown;
  /** The function that the module exports, if it is one. */
  readonly called: object | undefined;
};

/**
 * @throws What the config throws. ERR_SCRIPT_EXECUTION_TIMEOUT: it ran for `deadlineMs`.
 *   ERR_REQUIRE_ASYNC_MODULE: it has a top-level await, and {@link importConfig} is to be used.
 */
export function evaluate(path: string, deadlineMs: number): Evaluated {
  let evaluated: Evaluated = { result: undefined, called: undefined };

  runWithin(deadlineMs, () => {
    const { result, called } = resultOf(createRequire(path)(path));
    evaluated = { result: isThenable(result) ? result : copyConfig(result), called };
  });

  return evaluated;
}

/** @throws As {@link evaluate}: what is copied may have code in it. */
export function copyWithin(deadlineMs: number, config: unknown): unknown {
  let copied: unknown;
  runWithin(deadlineMs, () => {
    copied = copyConfig(config);
  });
  return copied;
}

export function isThenable(value: unknown): boolean {
  return types.isPromise(value) || (typeof value === 'object' && value !== null && 'then' in value);
}

export async function importConfig(path: string): Promise<unknown> {
  const exported: unknown = await import(pathToFileURL(path).href);
  return resultOf(exported).result;
}

const slot = Symbol.for('warp-init.config');
const callSlot = 'globalThis[Symbol.for("warp-init.config")]()';

function runWithin(deadlineMs: number, work: () => void): void {
  // A script sees no closure of ours, only globals.
  Object.defineProperty(globalThis, slot, { value: work, configurable: true });

  try {
    new Script(callSlot).runInThisContext({ timeout: Math.max(1, Math.ceil(deadlineMs)) });
  } finally {
    Reflect.deleteProperty(globalThis, slot);
  }
}

function resultOf(exported: unknown): Evaluated {
  const config = defaultExport(exported);
  return typeof config === 'function'
    ? { result: Reflect.apply(config, undefined, []), called: config }
    : { result: config, called: undefined };
}

/** An ES module has a default export, and so has what transpilers make of one. */
function defaultExport(exported: unknown): unknown {
  if (typeof exported !== 'object' || exported === null) {
    return exported;
  }

  const isModule = types.isModuleNamespaceObject(exported) || '__esModule' in exported;
  return isModule ? Reflect.get(exported, 'default') : exported;
}
