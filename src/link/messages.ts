// What pid1 and the brain say to each other, as data; frames.ts makes bytes of it.
import type { stage } from './layout.ts';

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
  /** Where the app starts; undefined: where init was started. */
  readonly directory?: string;
  readonly limits?: readonly LaunchLimit[];
  readonly noNewPrivileges?: boolean;
  /** Closes the memory of pid1 to processes of the same user. */
  readonly notDumpable?: boolean;
  /** An app that ends within it does not end init: pid1 says `exited` and waits for another launch, or an abort. */
  readonly trialMs?: number;
};

/** For setrlimit(2). */
export type LaunchLimit = {
  readonly resource: number;
  readonly soft: bigint;
  readonly hard: bigint;
};

export type ToPid1 =
  | { readonly type: 'launch'; readonly launch: LaunchMessage }
  /** As encoded before: a launch that was good once. */
  | { readonly type: 'launch-again'; readonly payload: Uint8Array }
  | { readonly type: 'memo'; readonly bytes: Uint8Array }
  | { readonly type: 'abort'; readonly status: number }
  | { readonly type: 'done' }
  /** To one process: `pid`, or the app. */
  | { readonly type: 'signal'; readonly number: number; readonly pid?: number }
  /** Ends the app for a launch that follows: pid1 says `exited` once its group is empty, or `not-replaced`. */
  | { readonly type: 'stop'; readonly signal: number; readonly killDelayMs: number }
  /** Unless the app is launched by then, pid1 prints the text and ends. 0 ms: no deadline. */
  | {
      readonly type: 'deadline';
      readonly delayMs: number;
      readonly status: number;
      readonly text: Uint8Array;
    }
  /** Asks for the counters. */
  | { readonly type: 'count' }
  /** Closes pid1's own memory to processes of the same user, for good: secrets follow. */
  | { readonly type: 'not-dumpable' };

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
  /** The payload of the last launch; empty while preparing. */
  readonly launch: Buffer;
};

export type FromPid1 =
  | { readonly type: 'hello'; readonly hello: Hello }
  | { readonly type: 'spawned'; readonly pid: number }
  | { readonly type: 'spawn-failed'; readonly stage: SpawnStage; readonly errno: number }
  | { readonly type: 'exited'; readonly status: number; readonly waitStatus: number }
  | { readonly type: 'counters'; readonly counters: Counters }
  /** A `stop` came to nothing: a stop signal from outside means init as well. */
  | { readonly type: 'not-replaced' };

/** Since pid1 was started. */
export type Counters = {
  readonly orphansReaped: number;
  readonly brainStarts: number;
  readonly appStarts: number;
  readonly signalsForwarded: number;
};

export type SpawnStage = keyof typeof stage;
