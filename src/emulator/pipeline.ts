// The notification pipeline: a WebSocket that only ever sends. RFC 6455, by the package ws.
//
// The handshake is checked by whoever calls `accept`: a refusal is an answer like any other.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { createConnection } from './connection.ts';
import type { Connection, Frame } from './connection.ts';
import type { FaultPlayer } from './fault-player.ts';

export const pipelinePath = '/v1/notifications';

export type Pipeline = {
  readonly count: () => number;
  readonly accept: (request: IncomingMessage, stream: Duplex, head: Buffer) => void;
  /** Resolves when the frames are on their way to everybody who listened at the time of the call. */
  readonly send: (frames: readonly Frame[]) => Promise<void>;
  /** Everybody who listens now hears nothing any more, not even an answer to a ping. */
  readonly freeze: () => void;
};

/** Listeners have nothing to say. */
const payloadLimitBytes = 2 ** 16;

export function createPipeline(faults: FaultPlayer): Pipeline {
  const connections = new Set<Connection>();
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: payloadLimitBytes,
  });
  return {
    count: () => connections.size,
    accept: (request, stream, head) => {
      server.handleUpgrade(request, stream, head, (socket) => {
        const connection = createConnection(socket, stream, faults);
        connections.add(connection);
        socket.on('close', () => connections.delete(connection));
      });
    },
    send: async (frames) => {
      await Promise.all([...connections].map((connection) => connection.send(frames)));
    },
    freeze: () => {
      for (const connection of connections) connection.freeze();
    },
  };
}
