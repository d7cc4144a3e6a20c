// How far apart restarts are that a reload decided: two apps that watch each other must not dance.
//
// A minute after the first one, then twice as long each time, up to fifteen minutes. After twice the gap without a restart
// the dance is over, and the gap is a minute again.

export type RestartSpacing = {
  /** Of the last restart, by a clock that never goes back and that all processes share: CLOCK_MONOTONIC. */
  readonly lastAtMs: number;
  /** Until the next one. */
  readonly gapMs: number;
};

const firstGapMs = 60_000;
const longestGapMs = 15 * 60_000;

/** Milliseconds until the next restart may be; 0 for now. */
export function restartDelayMs(spacing: RestartSpacing | undefined, nowMs: number): number {
  const elapsedMs = spacing === undefined ? Infinity : nowMs - spacing.lastAtMs;
  // A time in the future is of another boot.
  return spacing === undefined || elapsedMs < 0
    ? 0
    : Math.max(0, Math.ceil(spacing.gapMs - elapsedMs));
}

/** One that did not wait counts, too. */
export function spaceRestarts(spacing: RestartSpacing | undefined, nowMs: number): RestartSpacing {
  const elapsedMs = spacing === undefined ? Infinity : nowMs - spacing.lastAtMs;
  const isDance = spacing !== undefined && elapsedMs >= 0 && elapsedMs < 2 * spacing.gapMs;
  return {
    lastAtMs: nowMs,
    gapMs: isDance ? Math.min(2 * spacing.gapMs, longestGapMs) : firstGapMs,
  };
}
