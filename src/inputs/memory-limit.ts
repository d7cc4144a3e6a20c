// The memory that the container may have: a limit of its control group, version 1 or 2.
import { readFileSync } from 'node:fs';

import { errnoOf } from '../errors.ts';

/** Undefined: none, or none that we see. */
export function readMemoryLimitBytes(): number | undefined {
  for (const path of paths) {
    const bytes = Number(read(path));
    // Without a limit version 2 says «max», version 1 a number above what any machine has.
    if (Number.isSafeInteger(bytes) && bytes > 0) {
      return bytes;
    }
  }

  return undefined;
}

const paths = [
  '/sys/fs/cgroup/memory.max',
  '/sys/fs/cgroup/memory/memory.limit_in_bytes',
] as const satisfies readonly string[];

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (errnoOf(error) === undefined) {
      throw error;
    }

    return undefined;
  }
}
