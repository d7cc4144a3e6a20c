/** Milliseconds of CLOCK_MONOTONIC. `performance.now()` would load a module first: 1 ms of the start. */
export function nowMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
