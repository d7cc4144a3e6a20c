// How a request ends: with an answer, or with a failure that has a reason.
import { statSync } from 'node:fs';

import { errnoOf } from '../errors.ts';
import type { HttpAnswer } from './http-step.ts';

export type HttpResult =
  | { readonly kind: 'answer'; readonly answer: HttpAnswer }
  | {
      readonly kind: 'failed';
      readonly reason: HttpFailureReason;
      /** Half a sentence; contains nothing that the server sent. */
      readonly detail: string;
    };

export type HttpFailureReason =
  | 'no-socket'
  | 'refused'
  /** There is a file, of another kind; the detail says which. */
  | 'not-a-socket'
  | 'denied'
  | 'silent'
  | 'truncated'
  | 'malformed'
  | 'too-large'
  | 'io'
  | 'aborted';

export type HttpFailure = Extract<HttpResult, { readonly kind: 'failed' }>;

/** The failure of a connection. */
export function failureOf(error: unknown, hasBytes: boolean): HttpFailure {
  const errno = errnoOf(error) ?? 'an unknown error';
  const reason = reasons.get(errno) ?? (hasBytes ? 'truncated' : 'io');
  const other = reason === 'refused' ? kindOfOther(error) : undefined;
  if (other !== undefined) {
    return { kind: 'failed', reason: 'not-a-socket', detail: other };
  }

  return { kind: 'failed', reason, detail: `the connection failed with ${errno}` };
}

const reasons: ReadonlyMap<string, HttpFailureReason> = new Map([
  ['ENOENT', 'no-socket'],
  ['ENOTDIR', 'no-socket'],
  ['ECONNREFUSED', 'refused'],
  ['EAGAIN', 'refused'], // The server's queue of connections is full.
  ['EACCES', 'denied'],
  ['EPERM', 'denied'],
]);

/** connect(2) refuses what is no socket with the same ECONNREFUSED. Undefined: it is one, or nobody knows. */
function kindOfOther(error: unknown): string | undefined {
  if (!(error instanceof Error && 'address' in error && typeof error.address === 'string')) {
    return undefined;
  }

  try {
    const found = statSync(error.address);
    return found.isSocket() ? undefined : found.isDirectory() ? 'a directory' : 'a file';
  } catch {
    return undefined; // Gone meanwhile.
  }
}
