// The soft limit on the stack, of which the kernel gives a quarter to arguments and environment.
import { readFileSync } from 'node:fs';

/** Bytes; Infinity where there is no limit, undefined where /proc does not tell. pid1 and the app have the same. */
export function readStackLimit(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    const soft = /^Max stack size\s+(\S+)/m.exec(limits)?.[1];
    return soft === 'unlimited'
      ? Number.POSITIVE_INFINITY
      : soft && Number(soft)
        ? Number(soft)
        : undefined;
  } catch {
    return undefined;
  }
}
