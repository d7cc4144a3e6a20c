// Frames of the link as messages: the brain's side of src/pid1/frames.h.
import { decodeBytes, encodeString } from './bytes.ts';
import {
  frameType,
  helloFlag,
  helloHeader,
  keepId,
  launchFlag,
  launchHeader,
  noDelay,
  signalCount,
  stage,
  statusCount,
} from './layout.ts';

/** What pid1 needs to start the app and to supervise it. */
export type LaunchMessage = {
  /** The program, resolved: pid1 does not search PATH. */
  readonly file: string;
  readonly argv: readonly string[];
  /** `NAME=value`. */
  readonly environment: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
  /** The supplementary groups; undefined keeps those that there are. */
  readonly groups?: readonly number[];
  readonly singleChild: boolean;
  readonly subreaper: boolean;
  readonly exec: boolean;
  readonly parentDeathSignal?: number;
  readonly killDelayMs?: number;
  readonly lingerMs: number;
  /** Signals whose arrival starts the kill delay. */
  readonly stopSignals: readonly number[];
  /** Number got to number sent, 0 drops; the others are sent as they came. */
  readonly signalMap: ReadonlyMap<number, number>;
  /** Status of the app to status of init; the others stay as they are. */
  readonly statusMap: ReadonlyMap<number, number>;
};

export type ToPid1 =
  | { readonly type: 'launch'; readonly launch: LaunchMessage }
  | { readonly type: 'memo'; readonly bytes: Uint8Array }
  | { readonly type: 'abort'; readonly status: number }
  | { readonly type: 'done' };

/** The first message of pid1. */
export type Hello = {
  readonly version: number;
  readonly isPid1: boolean;
  readonly hasTerminal: boolean;
  /** Descriptors 1 and 2 are a description of the brain's own. */
  readonly logIsPrivate: boolean;
  /** Undefined while preparing; else this brain takes over from one that ended. */
  readonly appPid: number | undefined;
  readonly argv: readonly string[];
  /** `NAME=value`, as pid1 got them. */
  readonly environment: readonly string[];
  readonly memo: Buffer;
};

export type FromPid1 =
  | { readonly type: 'hello'; readonly hello: Hello }
  | { readonly type: 'spawned'; readonly pid: number }
  | { readonly type: 'spawn-failed'; readonly stage: SpawnStage; readonly errno: number }
  | { readonly type: 'exited'; readonly status: number; readonly waitStatus: number };

export type SpawnStage = keyof typeof stage;

export function encodeMessage(message: ToPid1): Buffer {
  switch (message.type) {
    case 'launch':
      return frame(frameType.launch, encodeLaunch(message.launch));
    case 'memo':
      return frame(frameType.memo, message.bytes);
    case 'abort':
      return frame(frameType.abort, uint32(message.status));
    case 'done':
      return frame(frameType.done, new Uint8Array());
  }
}

/** @throws {RangeError} if pid1 sent something else: another version of it, which is a defect. */
export function decodeMessage(type: number, payload: Buffer): FromPid1 {
  switch (type) {
    case frameType.hello:
      return { type: 'hello', hello: decodeHello(payload) };
    case frameType.spawned:
      return { type: 'spawned', pid: payload.readUInt32LE(0) };
    case frameType.spawnFailed:
      return {
        type: 'spawn-failed',
        stage: stageOf(payload.readUInt32LE(0)),
        errno: payload.readUInt32LE(4),
      };
    case frameType.exited:
      return {
        type: 'exited',
        status: payload.readUInt32LE(0),
        waitStatus: payload.readUInt32LE(4),
      };
    default:
      throw new RangeError(`pid1 sent a frame of the unknown type ${type}`);
  }
}

function frame(type: number, payload: Uint8Array): Buffer {
  return Buffer.concat([uint32(payload.length), uint32(type), payload]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function encodeLaunch(launch: LaunchMessage): Buffer {
  const groups = launch.groups ?? [];
  const words = [launch.file, ...launch.argv, ...launch.environment];
  return Buffer.concat([
    ...launchHeader.map(([name, size]) => encodeField(launch, name, size)),
    ...groups.map(uint32),
    encodeString(`${words.join('\0')}\0`),
  ]);
}

type LaunchField = (typeof launchHeader)[number][0];

function encodeField(launch: LaunchMessage, name: LaunchField, size: number): Buffer {
  switch (name) {
    case 'flags':
      return uint32(launchFlags(launch));
    case 'uid':
      return uint32(launch.uid ?? keepId);
    case 'gid':
      return uint32(launch.gid ?? keepId);
    case 'group_count':
      return uint32(launch.groups?.length ?? 0);
    case 'argument_count':
      return uint32(launch.argv.length);
    case 'variable_count':
      return uint32(launch.environment.length);
    case 'parent_death_signal':
      return uint32(launch.parentDeathSignal ?? 0);
    case 'kill_delay_ms':
      return uint32(launch.killDelayMs ?? noDelay);
    case 'linger_ms':
      return uint32(launch.lingerMs);
    case 'kill_after':
      return table(signalCount, (signal) => (launch.stopSignals.includes(signal) ? 1 : 0));
    case 'signal_map':
      return table(signalCount, (signal) => launch.signalMap.get(signal) ?? signal);
    case 'status_map':
      return table(statusCount, (status) => launch.statusMap.get(status) ?? status);
    case 'reserved':
      return Buffer.alloc(size);
  }
}

function table(size: number, valueOf: (index: number) => number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, index) => valueOf(index)));
}

function launchFlags(launch: LaunchMessage): number {
  return (
    (launch.groups === undefined ? 0 : launchFlag.setGroups) |
    (launch.singleChild ? launchFlag.singleChild : 0) |
    (launch.subreaper ? launchFlag.subreaper : 0) |
    (launch.exec ? launchFlag.exec : 0)
  );
}

function decodeHello(payload: Buffer): Hello {
  const field = (name: (typeof helloHeader)[number]): number =>
    payload.readUInt32LE(helloHeader.indexOf(name) * 4);
  const flags = field('flags');
  const appPid = field('app_pid');
  const argumentsAt = helloHeader.length * 4;
  const environmentAt = argumentsAt + field('arguments_size');
  const memoAt = environmentAt + field('environment_size');
  const launchAt = memoAt + field('memo_size');
  return {
    version: field('version'),
    isPid1: (flags & helloFlag.isPid1) !== 0,
    hasTerminal: (flags & helloFlag.hasTerminal) !== 0,
    logIsPrivate: (flags & helloFlag.logIsPrivate) !== 0,
    appPid: appPid === 0 ? undefined : appPid,
    argv: strings(payload.subarray(argumentsAt, environmentAt)),
    environment: strings(payload.subarray(environmentAt, memoAt)),
    memo: payload.subarray(memoAt, launchAt),
  };
}

/** Strings that each end with a NUL. */
function strings(bytes: Buffer): readonly string[] {
  return bytes.length === 0 ? [] : decodeBytes(bytes.subarray(0, -1)).split('\0');
}

const stageNames = [
  'fork',
  'session',
  'groups',
  'gid',
  'uid',
  'capabilities',
  'exec',
] as const satisfies readonly SpawnStage[];

function stageOf(value: number): SpawnStage {
  const found = stageNames.find((name) => stage[name] === value);
  if (found === undefined) {
    throw new RangeError(`pid1 named the unknown stage ${value}`);
  }

  return found;
}
