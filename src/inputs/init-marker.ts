// `init.json` in the state directory, and what /proc says of the processes that it names.
import { readFileSync } from 'node:fs';

import { type InitMarker, type ProcessStat, parseMarker, parseStat } from '../core/init-marker.ts';
import { errnoOf } from '../errors.ts';

export const markerName = 'init.json';

/** Undefined where there is none, or none that can be read. @param directory - One that is trusted. */
export function readMarker(directory: string): InitMarker | undefined {
  const text = read(`${directory}/${markerName}`);
  return text === undefined ? undefined : parseMarker(text);
}

/** Undefined for a process that has ended. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseStat(text);
}

/** Linux counts in hundredths of a second on every machine: `USER_HZ`. */
const msPerTick = 10;

/**
 * When the process was started, by CLOCK_MONOTONIC; undefined for one that has ended. After a suspend of the machine it
 * is earlier by that time, which /proc counts.
 */
export function readStartMs(pid: number): number | undefined {
  const stat = readProcessStat(pid);
  return stat && Number(stat.startTicks) * msPerTick;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === undefined) {
      throw error;
    }

    return undefined;
  }
}
