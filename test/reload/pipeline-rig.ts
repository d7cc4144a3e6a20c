// The platform's end of the pipeline for tests: a real WebSocket server, or bytes by hand; and a follower that remembers.
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

import type { PipelineTiming } from '../../src/core/pipeline-state.ts';
import { startPipeline } from '../../src/reload/pipeline.ts';
import type { PipelineOptions } from '../../src/reload/pipeline.ts';

export type PipelineServer = {
  /** The handshakes so far. */
  readonly requests: readonly IncomingMessage[];
  /** The connections that are open. */
  readonly clients: () => WebSocket[];
  /** To every client. */
  readonly send: (...messages: readonly (string | Buffer)[]) => void;
  /** Ends every connection and removes the socket, as a platform that is restarted. */
  readonly stop: () => Promise<void>;
};

export async function servePipeline(
  path: string,
  server = createServer(),
): Promise<PipelineServer> {
  const requests: IncomingMessage[] = [];
  const webSockets = new WebSocketServer({ server, perMessageDeflate: true });
  webSockets.on('connection', (client, request) => {
    requests.push(request);
    client.on('error', () => client.terminate());
  });
  await listen(server, path);
  const clients = () => [...webSockets.clients];
  const stop = async (): Promise<void> => {
    for (const client of clients()) {
      client.terminate();
    }

    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(path, { force: true });
  };
  onTestFinished(async () => {
    if (server.listening) await stop();
  });
  return {
    requests,
    clients,
    send: (...messages) => {
      for (const client of clients()) {
        for (const message of messages) {
          client.send(message);
        }
      }
    },
    stop,
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

/** For a raw connection: accepts the WebSocket handshake, then calls `serve`. */
export function acceptHandshake(socket: Socket, serve: () => void): void {
  let text = '';
  const read = (bytes: Buffer): void => {
    text += bytes.toString('latin1');
    if (text.includes('\r\n\r\n')) {
      socket.off('data', read);
      socket.write(handshakeAnswer(text));
      serve();
    }
  };
  socket.on('data', read);
}

/** @see RFC 6455 section 4.2.2 */
export function handshakeAnswer(request: string): string {
  const key = /^sec-websocket-key: *(\S+)/im.exec(request)?.[1] ?? '';
  const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
  const accept = createHash('sha1').update(`${key}${guid}`).digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/** A text frame of a server: not masked. */
export function textFrame(text: string, isFinal = true): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(4);
  head.writeUInt8((isFinal ? 0x80 : 0) + 1);
  head.writeUInt8(126, 1);
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

export function notificationText(topic = 'container.state.changed', containers = ['c1']): string {
  return JSON.stringify({
    topic,
    object: { id: containers[0], state: 'running', state_previous: 'starting', error: '' },
    context: { hub_id: 'hub', environments: ['ours'], containers, dns_zones: null },
  });
}

/** As the real ones, a hundred times as fast. */
export const fastTiming: PipelineTiming = {
  backoff: { initialMs: 2, factor: 2, limitMs: 40 },
  handshakeMs: 150,
  pingMs: 120,
  pongMs: 80,
  livedMs: 100,
};

export function follow(socketPath: string, change: Partial<PipelineOptions> = {}) {
  const happened: string[] = [];
  const pipeline = startPipeline({
    socketPath,
    token: 'the-token',
    scope: () => ({ environmentId: 'ours', hiddenContainerIds: new Set(['hidden']) }),
    onConnected: () => happened.push('connected'),
    onChanges: (kinds) => happened.push([...kinds].join(' ')),
    onLost: ({ reason }) => happened.push(`lost: ${reason}`),
    nowMs: () => performance.now(),
    random: Math.random,
    timing: fastTiming,
    ...change,
  });
  onTestFinished(pipeline.close);
  return { ...pipeline, happened };
}
