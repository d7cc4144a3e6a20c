// When a burst of notifications is over: after some quiet, or when it has lasted long enough.
//
//   notifications  | || |  |                     each one: extendBurst
//                  '---------|--- quiet ---|     due: quietMs after the last, at most maxWaitMs after the first
//
// One timer serves a burst of any length: when it fires, ask msUntilDue again. Times are those of a clock that never
// goes back.

export type QuietTime = {
  /** `init.reload.quiet`: this long nothing more may come. */
  readonly quietMs: number;
  /** `init.reload.maxWait`: a burst is not waited for longer than this. */
  readonly maxWaitMs: number;
};

/** Notifications that are answered by one reload. */
export type Burst = {
  readonly firstAtMs: number;
  readonly lastAtMs: number;
};

/** @param burst - Undefined starts one. */
export function extendBurst(burst: Burst | undefined, nowMs: number): Burst {
  return { firstAtMs: burst?.firstAtMs ?? nowMs, lastAtMs: nowMs };
}

/** Milliseconds until the burst is over; 0 when it is. Rounded up: a timer may not fire before its time. */
export function msUntilDue(burst: Burst, { quietMs, maxWaitMs }: QuietTime, nowMs: number): number {
  const dueAtMs = Math.min(burst.lastAtMs + quietMs, burst.firstAtMs + maxWaitMs);
  return Math.max(0, Math.ceil(dueAtMs - nowMs));
}
