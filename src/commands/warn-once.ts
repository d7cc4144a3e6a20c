// A log for what is done again and again: a warning that the last attempt gave as well is not repeated.
import type { Warning } from '../core/warning.ts';
import type { Log } from '../log.ts';

export type RepeatedLog = Log & {
  /** From here on warnings are those of a new attempt. */
  readonly nextAttempt: () => void;
};

export function warnOnce(log: Log): RepeatedLog {
  let before = new Set<string>();
  let now = new Set<string>();
  return {
    ...log,
    warn: (warning: Warning) => {
      const key = JSON.stringify(warning);
      if (!before.has(key) && !now.has(key)) {
        log.warn(warning);
      }

      now.add(key);
    },
    nextAttempt: () => {
      before = now;
      now = new Set();
    },
  };
}
