// One WebSocket to the platform's notifications, from the attempt to its end. It ends once, with a reason.
//
// ws: RFC 6455 over a Unix socket; node:http has no client for it. Loaded by the caller, after the app has started.
import type WebSocket from 'ws';

import type { Loss, LossReason } from '../core/pipeline-state.ts';
import { errnoOf } from '../errors.ts';
import { gatedConnection } from './gated-socket.ts';

export type Connection = {
  readonly ping: () => void;
  /** Ends it at once; nothing is told of it any more. May be called again. */
  readonly drop: () => void;
};

export type ConnectionOptions = {
  readonly socketPath: string;
  /** Undefined: the header is left out. */
  readonly token: string | undefined;
  /** A larger message is left out: nothing of it is held, and the connection goes on. */
  readonly maxBytes: number;
  readonly onOpened: () => void;
  /** Each message; also a `pong`, as undefined. */
  readonly onHeard: (frame: Frame | undefined) => void;
  /** Each message that is left out, when it begins to be too large; its end may be far. */
  readonly onTooLarge: () => void;
  /** At most once, and last. */
  readonly onLost: (loss: Loss) => void;
};

export type Frame = { readonly bytes: Buffer; readonly isBinary: boolean };

/** From the platform's close frame to our giving up on its end of the connection. */
const closeTimeout = 1000;

/** @throws {TypeError} where the token cannot be a header. */
export function openConnection(Client: typeof WebSocket, options: ConnectionOptions): Connection {
  const websocket = new Client('ws://localhost/v1/notifications', clientOptions(options));
  let isOver = false;
  const end = (loss: Loss | undefined): void => {
    if (!isOver) {
      isOver = true;
      websocket.terminate();
      if (loss !== undefined) options.onLost(loss);
    }
  };

  // This one stays for ever: an error of a connection that is over must not be one of the process.
  websocket.on('error', (error) => end(lossOf(error)));
  websocket.on('close', (code) => end({ reason: 'ended', detail: `it was closed (${code})` }));
  websocket.on('unexpected-response', (_request, { statusCode }) => end(refusalOf(statusCode)));
  websocket.on('open', options.onOpened);
  websocket.on('pong', () => options.onHeard(undefined));
  websocket.on('ping', () => options.onHeard(undefined));
  websocket.on('message', (data, isBinary) => {
    // Always, by the default of ws's binaryType.
    if (Buffer.isBuffer(data)) options.onHeard({ bytes: data, isBinary });
  });
  return { ping: () => websocket.ping(), drop: () => end(undefined) };
}

function clientOptions({ socketPath, token, maxBytes, onTooLarge }: ConnectionOptions) {
  return {
    ...gatedConnection({ socketPath, maxBytes, onTooLarge }),
    headers: token === undefined ? {} : { 'X-CYCLE-TOKEN': token },
    maxPayload: maxBytes, // The gate lets nothing larger through, unless it has given up.
    perMessageDeflate: false, // The gate counts bytes as they come.
    // What is not UTF-8 is not JSON either: it is counted then, and does not end the connection.
    skipUTF8Validation: true,
    closeTimeout,
  };
}

function refusalOf(status = 0): Loss {
  const detail = `the answer was ${status}`;
  return {
    reason: status === 401 || status === 403 ? 'unauthorized' : 'unexpected-answer',
    detail,
  };
}

function lossOf(error: Error): Loss {
  const code = errnoOf(error);
  if (code === undefined) {
    return { reason: 'malformed', detail: 'the answer is no WebSocket handshake' }; // Of ws itself.
  }

  return { reason: reasonOf(code), detail: `it failed with ${code}` };
}

function reasonOf(code: string): LossReason {
  const isUnreadable = code.startsWith('WS_ERR_') || code.startsWith('HPE_');
  return reasons.get(code) ?? (isUnreadable ? 'malformed' : 'io');
}

const reasons: ReadonlyMap<string, LossReason> = new Map([
  ['ENOENT', 'no-socket'],
  ['ENOTDIR', 'no-socket'],
  ['ECONNREFUSED', 'refused'],
  ['EAGAIN', 'refused'], // The server's queue of connections is full.
  ['EACCES', 'denied'],
  ['EPERM', 'denied'],
  ['ECONNRESET', 'ended'],
  ['EPIPE', 'ended'],
]);
