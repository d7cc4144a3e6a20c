// Where a config stays: it is evaluated once more, in a thread, since the stack is gone when V8 has ended a script, and
// a promise does not know who awaits it. A config runs at every start anyway.
import { pathToFileURL } from 'node:url';
import { evaluate } from './config-evaluation.ts';
import { busiestLocation, formatLocation } from './config-location.ts';
import { startThread } from './config-thread.ts';
import type { Task } from './config-thread.ts';

/** A loop shows itself in far less, an `await` too; what only takes long must get to its slow part. */
const observedMs = 1000;

type Rerun = Exclude<Task, { readonly task: 'config-watchdog' }>;

/** The line of a config that spends its time without end: most of the ticks of a profile. */
export async function findLoop(path: string, programFile: string): Promise<string | undefined> {
  return answerOf(programFile, { task: 'config-loop', path });
}

/** The line of the top-level `await` that a config does not come back from. */
export async function findAwait(path: string, programFile: string): Promise<string | undefined> {
  return answerOf(programFile, { task: 'config-await', path });
}

async function answerOf(programFile: string, task: Rerun): Promise<string | undefined> {
  const worker = startThread(programFile, task);

  try {
    return await new Promise((resolve) => {
      setTimeout(resolve, 3 * observedMs, undefined).unref();
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

/** Thread. */
export function runAgain({ task, path }: Rerun): void {
  switch (task) {
    case 'config-loop':
      tellMainThread(loopOf(path));
      return;
    case 'config-await': {
      const lastAwait = observeTopLevel(path);
      setTimeout(() => tellMainThread(lastAwait()), observedMs);
    }
  }
}

function tellMainThread(location: string | undefined): void {
  const { parentPort } = process.getBuiltinModule('node:worker_threads');
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A port of a thread has no origin.
  parentPort?.postMessage(location);
}

/** A loop outlives any profile, so its line has nearly all of the ticks. */
function loopOf(path: string): string | undefined {
  return busiestLocation(() => {
    try {
      evaluate(path, observedMs);
    } catch {
      // As expected: it was ended. Whatever else it throws now is not what it was asked for.
    }
  });
}

/**
 * Every `await` makes a promise (V8's hook for debuggers sees it), and while it does the module is on the stack. The
 * last line of a module's own code that made one is where it waits. Node itself tells this only from 22 on, and only
 * where no timer or socket is left.
 *
 * @returns What gives that line so far.
 */
function observeTopLevel(path: string): () => string | undefined {
  const { promiseHooks } = process.getBuiltinModule('node:v8');
  let location: string | undefined;
  promiseHooks.onInit(() => {
    location = topLevelLocation() ?? location;
  });
  import(pathToFileURL(path).href).catch(() => {
    // It fails the second time: then the last line is as good a place as any.
  });
  return () => location;
}

function topLevelLocation(): string | undefined {
  const site = callSites().find((candidate) => isTopLevel(candidate));
  const line = site?.getLineNumber();
  return line ? formatLocation(site?.getFileName() ?? undefined, line - 1) : undefined;
}

/** The code of a module is a function without a name that begins where the file does. */
function isTopLevel(site: NodeJS.CallSite): boolean {
  return (
    site.getFunctionName() === null &&
    site.getEnclosingLineNumber() === 1 &&
    site.getEnclosingColumnNumber() === 1 &&
    site.getFileName()?.startsWith('file:') === true
  );
}

function callSites(): readonly NodeJS.CallSite[] {
  const { stackTraceLimit } = Error;
  const prepareStackTrace: unknown = Reflect.get(Error, 'prepareStackTrace');
  let sites: readonly NodeJS.CallSite[] = [];
  Error.stackTraceLimit = Infinity;
  Error.prepareStackTrace = (_error, all) => {
    sites = all;
    return '';
  };
  void new Error('where').stack;
  Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  return sites;
}
