// What kind of file system a path is on.
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

import { errnoOf } from '../errors.ts';

/** `memory`: tmpfs or ramfs, which no disk ever sees (but swap). A path that is not there yet counts as what is above it. */
export function readMedium(path: string): 'memory' | 'disk' {
  try {
    const { type } = statfsSync(path);
    return type === tmpfs || type === ramfs ? 'memory' : 'disk';
  } catch (error) {
    const isMissing = ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '');
    return isMissing && path !== dirname(path) ? readMedium(dirname(path)) : 'disk';
  }
}

/** linux/magic.h */
const tmpfs = 0x01021994;
const ramfs = 0x858458f6;
