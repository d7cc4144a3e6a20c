// The emulator as a server: HTTP/1.1 on a Unix socket, one platform at a time.
//
// For the command, and in-process for tests, bench and demo. Never on the path of `run`.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { completePlatform } from './platform.ts';
import type { Platform } from './platform.ts';
import { checkPlatformFile } from './platform-file.ts';
import type { PlatformFile } from './platform-file.ts';
import { createState, respond } from './respond.ts';
import type { ApiState } from './respond.ts';
import { listenOnSocket } from './socket-file.ts';

export type EmulatorOptions = {
  readonly platform: PlatformFile;
  readonly socketPath: string;
  /** Overrides the platform's. */
  readonly token?: string;
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
  /** From now on the answers are those of another platform. The token stays. */
  readonly setPlatform: (platform: PlatformFile) => void;
  /** Ends every connection and removes the socket. May be called again. */
  readonly close: () => Promise<void>;
};

type RecordedRequest = {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
};

const requestLimit = 10_000;

/** @throws {StartError} status 78 for a bad platform, 73 where the socket cannot be made. */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  return servePlatform(completeFile(options.platform), options);
}

/** As {@link startEmulator}, for a platform that is complete already. */
export async function servePlatform(
  given: Platform,
  { socketPath, token }: Omit<EmulatorOptions, 'platform'>,
): Promise<Emulator> {
  let platform = given;
  let state: ApiState = createState(platform, Date.now());
  if (token !== undefined) state = { ...state, token };
  const requests: RecordedRequest[] = [];
  let closed: Promise<void> | undefined;
  const server = createServer((request, response) => {
    const [answer, next] = respond(state, requestOf(request), Date.now());
    state = next;
    if (requests.length === requestLimit) requests.shift();
    requests.push({ method: request.method ?? '', path: request.url ?? '', status: answer.status });
    request.resume();
    send(response, answer.status, answer.body);
  });
  await listenOnSocket(server, socketPath);
  return {
    socketPath,
    get environment() {
      return environmentOf(socketPath, state.token, platform);
    },
    get platform() {
      return platform;
    },
    requests,
    setPlatform: (file) => {
      platform = completeFile(file);
      state = createState(platform, Date.now(), state);
    },
    close: () => (closed ??= closeServer(server)),
  };
}

function completeFile(file: PlatformFile): Platform {
  const where = 'given to startEmulator';
  return completePlatform(checkPlatformFile(file, where), where);
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
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

function requestOf(request: IncomingMessage) {
  const token = request.headers['x-cycle-token'];
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    token: typeof token === 'string' ? token : undefined,
  };
}

function send(response: ServerResponse, status: number, body: Buffer): void {
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
  });
  response.end(body);
}
