// `ist.json` as another brain has left it.
import { readFileSync } from 'node:fs';

import type { StateDirectory } from '../core/state-directory.ts';
import { errnoOf } from '../errors.ts';

/** Undefined where there is none that can be read. */
export function readIstFile(state: StateDirectory): string | undefined {
  if (state.kind === 'none') {
    return undefined;
  }

  try {
    return readFileSync(`${state.path}/ist.json`, 'utf8');
  } catch (error) {
    if (errnoOf(error) === undefined) {
      throw error;
    }

    return undefined;
  }
}
