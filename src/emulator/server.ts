// The emulator as a server: HTTP/1.1 and the notification pipeline on a Unix socket, one platform at a time.
//
// For the command, and in-process for tests, bench and demo. Never on the path of `run`.
import { createServer } from 'node:http';
import { answerRequests } from './answering.ts';
import { createApi } from './api.ts';
import type { Frame } from './connection.ts';
import { createFaultPlayer } from './fault-player.ts';
import type { FaultPlayer } from './fault-player.ts';
import { noFaults, parseFaults } from './faults.ts';
import { createListener } from './listener.ts';
import type { Listener } from './listener.ts';
import type { Notification } from './notification.ts';
import { notificationsBetween } from './notifications-between.ts';
import { createPipeline } from './pipeline.ts';
import type { Pipeline } from './pipeline.ts';
import { completePlatform } from './platform.ts';
import type { Platform } from './platform.ts';
import { checkPlatformFile } from './platform-file.ts';
import type { PlatformFile } from './platform-file.ts';
import { createRequestLog } from './request-log.ts';
import type { RecordedRequest } from './request-log.ts';
import { scheduleRestarts } from './restarts.ts';
import type { Restarts } from './restarts.ts';

export type EmulatorOptions = {
  readonly platform: PlatformFile;
  readonly socketPath: string;
  /** Overrides the platform's. */
  readonly token?: string;
  /** Hears of a restart, demanded by `setFault`, after which the socket could not be made again. */
  readonly onProblem?: (problem: unknown) => void;
};

export type Emulator = {
  readonly socketPath: string;
  /** What a container of this platform has in its environment, plus where the socket is. */
  readonly environment: Readonly<Record<'WARP_INIT_SOCKET' | 'CYCLE_API_TOKEN', string>> & {
    /** Absent where `self` has no instance. */
    readonly CYCLE_INSTANCE_ID?: string;
  };
  readonly platform: Platform;
  /** The requests so far, oldest first; the last 10,000 at most. */
  readonly requests: readonly RecordedRequest[];
  /** How many requests there were for a path, without its query. */
  readonly countRequests: (path: string) => number;
  /** How many listen to the pipeline now. */
  readonly listenerCount: number;
  /** From now on the answers are those of another platform, and nobody is told. The token stays. */
  readonly setPlatform: (platform: PlatformFile) => void;
  /** As an edit of the file: {@link Emulator.setPlatform}, and the notifications of what is different. */
  readonly update: (platform: PlatformFile) => Promise<readonly Notification[]>;
  /** As `update`, for a platform that is complete already. */
  readonly moveTo: (platform: Platform) => Promise<readonly Notification[]>;
  /** Tells every listener. Resolves when all of it is on its way to each: those who read slowly are waited for. */
  readonly notify: (notifications: Notification | readonly Notification[]) => Promise<void>;
  /** As `notify`, for what no platform would send: a string as a text frame, bytes as a binary one. */
  readonly sendFrame: (frame: Frame) => Promise<void>;
  /** `{"data": data}` answers a path from now on, whatever the platform has; undefined ends that. */
  readonly setAnswer: (path: string, data: unknown) => void;
  /**
   * Lets things go wrong from now on, in place of what went wrong before; see docs/emulator.md for the words.
   * Without words all is well again, but listeners that were frozen by `half-open` stay so.
   *
   * @throws {StartError} `E_USAGE`, status 64.
   */
  readonly setFault: (words?: string) => void;
  /** Closes every connection without a word; new ones are welcome. */
  readonly dropConnections: () => void;
  /** The socket is gone for so long. Resolves when it is back. */
  readonly restart: (goneMs: number) => Promise<void>;
  /** Ends every connection and removes the socket. May be called again. */
  readonly close: () => Promise<void>;
};

/** @throws {StartError} status 78 for a bad platform, 73 where the socket cannot be made. */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  return servePlatform(completeFile(options.platform), options);
}

/** As {@link startEmulator}, for a platform that is complete already. */
export async function servePlatform(
  given: Platform,
  { socketPath, token, onProblem }: Omit<EmulatorOptions, 'platform'>,
): Promise<Emulator> {
  const api = createApi(given, token);
  const faults = createFaultPlayer();
  const log = createRequestLog();
  const pipeline = createPipeline(faults);
  const server = createServer();
  const listener = createListener(server, socketPath);
  const restarts = scheduleRestarts(listener, onProblem);
  answerRequests(server, { api, faults, log, pipeline });
  await listener.open();

  const moveTo = async (platform: Platform): Promise<readonly Notification[]> => {
    const notifications = notificationsBetween(api.platform, platform);
    api.setPlatform(platform);
    await pipeline.send(notifications.map(formatNotification));
    return notifications;
  };
  return {
    socketPath,
    get environment() {
      return environmentOf(socketPath, api.token, api.platform);
    },
    get platform() {
      return api.platform;
    },
    requests: log.requests,
    countRequests: log.count,
    get listenerCount() {
      return pipeline.count();
    },
    setPlatform: (file) => api.setPlatform(completeFile(file)),
    update: async (file) => moveTo(completeFile(file)),
    moveTo,
    notify: (notifications) => pipeline.send([notifications].flat().map(formatNotification)),
    sendFrame: (frame) => pipeline.send([frame]),
    setAnswer: api.setAnswer,
    setFault: (words) => setFault({ faults, listener, pipeline, restarts }, words),
    dropConnections: listener.dropConnections,
    restart: listener.restart,
    close: async () => {
      restarts.set(noFaults.restart);
      await listener.close();
    },
  };
}

type Faulty = {
  readonly faults: FaultPlayer;
  readonly listener: Listener;
  readonly pipeline: Pipeline;
  readonly restarts: Restarts;
};

function setFault({ faults, listener, pipeline, restarts }: Faulty, words = ''): void {
  const next = parseFaults(words);
  faults.set(next);
  if (next.isRefused) listener.dropConnections();
  if (next.isHalfOpen) pipeline.freeze();
  restarts.set(next.restart);
}

function completeFile(file: PlatformFile): Platform {
  const where = 'given to startEmulator';
  return completePlatform(checkPlatformFile(file, where), where);
}

function formatNotification(notification: Notification): string {
  return JSON.stringify(notification);
}

function environmentOf(
  socketPath: string,
  token: string,
  platform: Platform,
): Emulator['environment'] {
  const own = platform.self.instances[0];
  return {
    WARP_INIT_SOCKET: socketPath,
    CYCLE_API_TOKEN: token,
    ...(own && { CYCLE_INSTANCE_ID: own.id }),
  };
}
