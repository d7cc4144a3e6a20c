// States of a running init for tests: one with everything, one with nothing.
import type { ReloadReport } from '../../src/core/reload-report.ts';
import { statusWithoutBrain } from '../../src/core/status.ts';
import type { Status } from '../../src/core/status.ts';

export const nothingChanged = { ist: [], secrets: [], certificates: [], config: [] };

/** Of a reload that came to this, and changed nothing. */
export function reportOf(
  outcome: ReloadReport['outcome'],
  more: Partial<ReloadReport> = {},
): ReloadReport {
  return { outcome, changed: nothingChanged, problem: undefined, restartInMs: undefined, ...more };
}

/** Follows the platform, and has seen much. */
export const busy: Status = {
  version: 1,
  init: { version: '1.2.3', isPid1: true, uptimeMs: 7_384_215, brainStarts: 3 },
  app: { pid: 7, starts: 2, uptimeMs: 65_001, isRestarting: false },
  pipeline: {
    isNeeded: true,
    isConnected: true,
    connects: 4,
    lastConnectedMs: 119_999,
    eventsSeen: 120,
    eventsIgnored: { 'not-ours': 17, 'unknown-topic': 2, 'not-json': 0 },
  },
  reload: {
    phase: 'idle',
    last: {
      outcome: 'signaled',
      agoMs: 350,
      changed: { ...nothingChanged, ist: ['my-db', 'mes données'], secrets: ['db-password'] },
    },
    lastSuccessMs: 350,
    byOutcome: { signaled: 5, failed: 1, unchanged: 0 },
    held: undefined,
    restartInMs: undefined,
  },
  pid1: { orphansReaped: 12, signalsForwarded: 3 },
};

/** Follows nothing. */
export const alone: Status = statusWithoutBrain({
  version: '1.2.3',
  isPid1: false,
  uptimeMs: 1999,
  app: { pid: 7, uptimeMs: 1990 },
});
