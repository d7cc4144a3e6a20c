// Files that the app can do without, where a reload could not write them: they are tried again, and nothing waits for that.
import { type Backoff, retryDelayMs } from '../core/backoff.ts';

/** Told after each reload whether a file of that kind is behind. */
export type CatchUp = (isBehind: boolean) => void;

/** A disk is full for minutes, a hosts file may be read-only for ever. */
const backoff: Backoff = { initialMs: 1000, factor: 2, limitMs: 10 * 60_000 };

/** @param again - Leads to another reload. */
export function createCatchUp(again: () => void): CatchUp {
  let timer: NodeJS.Timeout | undefined;
  let attempts = 0;
  return (isBehind) => {
    clearTimeout(timer);
    attempts = isBehind ? attempts + 1 : 0;
    if (isBehind) {
      timer = setTimeout(again, retryDelayMs(backoff, attempts, Math.random())).unref();
    }
  };
}
