// `init.json` in the state directory: what a brain leaves that ends on purpose, because there is nothing to follow.
//
// Nobody answers on a control socket then; `status` and `health` read this, and ask /proc whether it still holds. A process
// is known by its id and the time of its start, so that a marker of an earlier start of the container is none. Documented
// in docs/operations.md.
import { formatDocument } from './status.ts';

export type InitMarker = {
  readonly version: 1;
  /** Of warp-init. */
  readonly initVersion: string;
  readonly isPid1: boolean;
  readonly init: MarkedProcess;
  readonly app: MarkedProcess;
};

export type MarkedProcess = {
  readonly pid: number;
  /** As {@link ProcessStat} has it. */
  readonly startTicks: string;
  /** Of CLOCK_MONOTONIC. */
  readonly startedAtMs: number;
};

/** What proc(5) says of a process. */
export type ProcessStat = {
  readonly state: string;
  /** Its start, in ticks of a clock since the boot: compared, and never counted with. */
  readonly startTicks: string;
};

/** As root init lets an app of another user look at its own health: it says no more than /proc. */
export const markerMode = 0o644;

export function formatMarker(marker: InitMarker): string {
  return formatDocument(marker);
}

/** Undefined for another version, and for what is no marker. */
export function parseMarker(text: string): InitMarker | undefined {
  const value = parseJson(text);
  return isMarker(value) ? value : undefined;
}

/** @param text - Of /proc/PID/stat. */
export function parseStat(text: string): ProcessStat | undefined {
  // The name of the program stands in parentheses, and may have some itself.
  const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const startTicks = fields[startTimeField - stateField - 1];
  return state === undefined || startTicks === undefined || !/^\d+$/.test(startTicks)
    ? undefined
    : { state, startTicks };
}

// proc(5) counts from 1.
const stateField = 3;
const startTimeField = 22;

/** Whether the process that was marked runs still. @param stat - Of the process that has its id now, if any. */
export function isStillRunning(marked: MarkedProcess, stat: ProcessStat | undefined): boolean {
  return stat !== undefined && stat.startTicks === marked.startTicks && !/[ZXx]/.test(stat.state);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function isMarker(value: unknown): value is InitMarker {
  return (
    isFields(value) &&
    value['version'] === 1 &&
    typeof value['initVersion'] === 'string' &&
    typeof value['isPid1'] === 'boolean' &&
    isMarkedProcess(value['init']) &&
    isMarkedProcess(value['app'])
  );
}

function isMarkedProcess(value: unknown): value is MarkedProcess {
  return (
    isFields(value) &&
    Number.isInteger(value['pid']) &&
    typeof value['startTicks'] === 'string' &&
    typeof value['startedAtMs'] === 'number'
  );
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}
