// How a request ends: with an answer, or with a failure that has a reason.
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
  | 'denied'
  | 'silent'
  | 'truncated'
  | 'malformed'
  | 'too-large'
  | 'io'
  | 'aborted';

/** The failure of a connection. */
export function failureOf(error: unknown, hasBytes: boolean): HttpResult {
  const errno = errnoOf(error) ?? 'an unknown error';
  const reason = reasons.get(errno) ?? (hasBytes ? 'truncated' : 'io');
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
