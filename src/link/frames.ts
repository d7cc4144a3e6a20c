// Frames of the link as messages: the brain's side of src/pid1/frames.h.
import { decodeBytes } from './bytes.ts';
import { encodeLaunch, uint32, uint32s } from './launch-frame.ts';
import { counterFields, frameType, helloFlag, helloHeader, stage } from './layout.ts';
import type { Counters, FromPid1, Hello, SpawnStage, ToPid1 } from './messages.ts';

export function encodeMessage(message: ToPid1): Buffer {
  switch (message.type) {
    case 'launch':
      return frame(frameType.launch, encodeLaunch(message.launch));
    case 'launch-again':
      return frame(frameType.launch, message.payload);
    case 'memo':
      return frame(frameType.memo, message.bytes);
    case 'abort':
      return frame(frameType.abort, uint32(message.status));
    case 'done':
      return frame(frameType.done, new Uint8Array());
    case 'signal':
      return frame(frameType.signal, uint32s(message.number, message.pid ?? 0));
    case 'stop':
      return frame(frameType.stop, uint32s(message.signal, message.killDelayMs));
    case 'deadline':
      return frame(
        frameType.deadline,
        Buffer.concat([uint32s(message.delayMs, message.status), message.text]),
      );
    case 'count':
      return frame(frameType.count, new Uint8Array());
    case 'not-dumpable':
      return frame(frameType.notDumpable, new Uint8Array());
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
    case frameType.counters:
      return { type: 'counters', counters: decodeCounters(payload) };
    case frameType.notReplaced:
      return { type: 'not-replaced' };
    default:
      throw new RangeError(`pid1 sent a frame of the unknown type ${type}`);
  }
}

/** @param type - One of `frameType`. */
export function frame(type: number, payload: Uint8Array): Buffer {
  return Buffer.concat([uint32(payload.length), uint32(type), payload]);
}

function decodeCounters(payload: Buffer): Counters {
  const field = (name: (typeof counterFields)[number]): number =>
    payload.readUInt32LE(counterFields.indexOf(name) * 4);
  return {
    orphansReaped: field('orphans_reaped'),
    brainStarts: field('brain_starts'),
    appStarts: field('app_starts'),
    signalsForwarded: field('signals_forwarded'),
  };
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
    launch: payload.subarray(launchAt),
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
  'limits',
  'directory',
  'privileges',
] as const satisfies readonly SpawnStage[];

function stageOf(value: number): SpawnStage {
  const found = stageNames.find((name) => stage[name] === value);
  if (found === undefined) {
    throw new RangeError(`pid1 named the unknown stage ${value}`);
  }

  return found;
}
