// What a brain does last that ends on purpose: it leaves `init.json`, for the commands `status` and `health`.
import { writeVolatileFile } from '../apply/write-file.ts';
import {
  type MarkedProcess,
  formatMarker,
  isStillRunning,
  markerMode,
} from '../core/init-marker.ts';
import type { StateDirectory } from '../core/state-directory.ts';
import type { Warning } from '../core/warning.ts';
import { StartError } from '../errors.ts';
import { markerName, readMarker, readProcessStat } from '../inputs/init-marker.ts';
import { nowMs } from '../inputs/monotonic-clock.ts';
import { version } from '../version.ts';
import { ownIds } from './state-steps.ts';

export type RunningApp = {
  readonly state: StateDirectory;
  readonly isPid1: boolean;
  readonly appPid: number;
};

/**
 * At the launch. Without a state directory nothing is left: the start has warned of that. Nor is it where another init runs
 * that has left one: `docker exec web warp-init -- …` must not make `health` ask for a process that is gone soon.
 */
export function leaveMarker(running: RunningApp): Warning | undefined {
  const { state, isPid1, appPid } = running;
  // pid1 has started us, a few milliseconds after its own start.
  const init = mark(process.ppid, nowMs() - process.uptime() * 1000);
  const app = mark(appPid, nowMs());
  if (state.kind === 'none' || init === undefined || app === undefined) {
    return undefined;
  }

  const other = readMarker(state.path)?.init;
  if (other !== undefined && other.pid !== init.pid && isRunning(other)) {
    return notLeft({
      message: `Cannot leave ${state.path}/${markerName}: that of another init, which runs as pid ${other.pid}, stays`,
      remedy: {
        where: `${state.path}/${markerName}`,
        fix: 'Give each init a state directory of its own (init.stateDirectory).',
      },
    });
  }

  const text = formatMarker({ version: 1, initVersion: version, isPid1, init, app });
  try {
    writeVolatileFile(`${state.path}/${markerName}`, new TextEncoder().encode(text), {
      mode: markerMode,
      ...ownIds(),
    });
    return undefined;
  } catch (error) {
    if (error instanceof StartError) {
      return notLeft(error);
    }

    throw error;
  }
}

/** Undefined where it has ended. */
function mark(pid: number, startedAtMs: number): MarkedProcess | undefined {
  const stat = readProcessStat(pid);
  return stat && { pid, startTicks: stat.startTicks, startedAtMs };
}

function isRunning(marked: MarkedProcess): boolean {
  return isStillRunning(marked, readProcessStat(marked.pid));
}

function notLeft({ message, remedy }: Pick<StartError, 'message' | 'remedy'>): Warning {
  return {
    code: 'W_INIT_MARKER',
    message: `${message}: the commands status and health do not find this init; all else works`,
    ...remedy,
  };
}
