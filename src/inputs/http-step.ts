// What the bytes of an HTTP answer have come to so far.
import type { Headers } from './http-head.ts';

export type HttpAnswer = {
  readonly status: number;
  readonly headers: Headers;
  /** Empty where it was given away part by part. */
  readonly body: Buffer;
  readonly bodyBytes: number;
  /** False where the connection ends with this answer. */
  readonly canReuse: boolean;
};

export type ReadStep =
  | { readonly kind: 'more' }
  | { readonly kind: 'answer'; readonly answer: HttpAnswer }
  | {
      readonly kind: 'failed';
      readonly reason: 'truncated' | 'malformed' | 'too-large';
      /** Half a sentence; contains nothing that the server sent. */
      readonly detail: string;
    };

export function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}

export const more: ReadStep = { kind: 'more' };

export function malformed(detail: string): ReadStep {
  return { kind: 'failed', reason: 'malformed', detail };
}

export function tooLarge(limitBytes: number): ReadStep {
  return { kind: 'failed', reason: 'too-large', detail: `it is larger than ${limitBytes} bytes` };
}
