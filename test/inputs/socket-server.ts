// A real server on a Unix socket in a directory of its own, gone after the test.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

export function temporarySocketPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'warp-api-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'api.sock');
}

/** @param serve - Called with each connection. */
export async function serveBytes(serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()); // A client that hangs up is a part of these tests.
    serve(socket);
  });
  onTestFinished(() => {
    for (const socket of sockets) {
      socket.destroy();
    }
  });
  return listen(server);
}

/** Each connection gets these bytes as the answer to its first request, then the end of the connection. */
export function serveOnce(answer: string | Buffer): Promise<string> {
  return serveBytes((socket) => {
    socket.once('data', () => socket.end(answer));
  });
}

export type Reply = { status?: number; headers?: Record<string, string>; body: unknown };

/** An HTTP server; `reply` may return undefined to never answer. */
export async function serveHttp(
  reply: (path: string, request: IncomingMessage, response: ServerResponse) => Reply | undefined,
): Promise<string> {
  const server = createHttpServer((request, response) => {
    const answer = reply(request.url ?? '', request, response);
    if (answer !== undefined) {
      response.writeHead(answer.status ?? 200, answer.headers);
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    }
  });
  onTestFinished(() => server.closeAllConnections());
  return listen(server);
}

/** A socket file whose server is gone, as after a crash. */
export async function deadSocketPath(): Promise<string> {
  const { spawnSync } = await import('node:child_process');
  const path = temporarySocketPath();
  // A process that is killed while it listens leaves its socket file behind.
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  return path;
}

function listen(server: Server): Promise<string> {
  const path = temporarySocketPath();
  onTestFinished(() => {
    server.close();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve(path));
  });
}
