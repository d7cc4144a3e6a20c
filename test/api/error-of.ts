import { expect } from 'vitest';

import type { StartError } from '../../src/errors.ts';

/** What a promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<StartError> {
  return promise.then(
    () => expect.fail('it was answered'),
    (error: StartError) => error,
  );
}
