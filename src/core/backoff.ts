// How long to wait before the next attempt.

/** Delays between attempts grow from `initialMs` by `factor` up to `limitMs`. */
export type Backoff = {
  readonly initialMs: number;
  readonly factor: number;
  readonly limitMs: number;
};

/**
 * Delay before retry number `attempt`, with full jitter: many containers that lost the platform at one
 * moment do not come back at one moment.
 *
 * @param attempt - 1 for the first retry.
 * @param random - Uniform in [0, 1). A parameter, so that the function stays pure.
 * @returns Whole milliseconds, from 0 to `limitMs`.
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function retryDelayMs(backoff: Backoff, attempt: number, random: number): number {
  const ceilingMs = Math.min(backoff.limitMs, backoff.initialMs * backoff.factor ** (attempt - 1));
  return Math.floor(ceilingMs * random);
}

/**
 * The wait that a `Retry-After` header asks for, in milliseconds; undefined unless it is a number of
 * seconds. A date would need a clock that agrees with the server's.
 *
 * @see RFC 9110 section 10.2.3
 */
export function parseRetryAfterMs(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined;
}
