// How long a client of the control socket may take to say what it wants.
//
// node:http has such limits, too, but goes through its connections every few seconds, also while there are none: half of what
// the brain would do while nothing happens.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { ControlLimits } from './control-exchange.ts';

/** Node's own are off; the longest interval that a timer of Node's can have. */
export const withoutDeadlines = {
  headersTimeout: 0,
  requestTimeout: 0,
  connectionsCheckingInterval: 2 ** 31 - 1,
} as const;

/** For a server whose connections carry one request each. */
export function limitRequests(
  server: Server,
  { headersMs, requestMs }: Pick<ControlLimits, 'headersMs' | 'requestMs'>,
): void {
  const timers = new WeakMap<Socket, NodeJS.Timeout>();
  const stop = (socket: Socket) => clearTimeout(timers.get(socket));
  const limit = (socket: Socket, ms: number, isAnswered: () => boolean) => {
    stop(socket);
    timers.set(socket, setTimeout(() => sendAway(socket, isAnswered()), ms).unref());
  };

  server.on('connection', (socket: Socket) => {
    limit(socket, headersMs, () => false);
    socket.once('close', () => stop(socket));
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    limit(socket, requestMs, () => response.headersSent);
    request.once('end', () => stop(socket));
  });
}

function sendAway(socket: Socket, isAnswered: boolean): void {
  if (isAnswered || !socket.writable) {
    socket.destroy();
    return;
  }

  socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
  socket.destroySoon();
}
