// A running emulator in a directory of its own, and a plain HTTP client for it.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { startEmulator } from '../../src/emulator/server.ts';
import type { Emulator } from '../../src/emulator/server.ts';
import type { PlatformFile } from '../../src/emulator/platform-file.ts';

export const fixturePath = new URL('../../fixtures/platform.json', import.meta.url).pathname;

/** A path for a socket, in a directory that is removed after the test. */
export function createSocketPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'emulator-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'api.sock');
}

/** Closed after the test. */
export async function startForTest(
  platform: PlatformFile,
  socketPath = createSocketPath(),
): Promise<Emulator> {
  const emulator = await startEmulator({ platform, socketPath });
  onTestFinished(() => emulator.close());
  return emulator;
}

export type Listening = {
  readonly socket: WebSocket;
  /** The text frames so far, parsed; `undefined` for one that is no JSON. */
  readonly heard: readonly unknown[];
  /** Resolves with the close code: 1006 where the connection just ended. */
  readonly closed: Promise<number>;
};

/** Listens to the pipeline, as a client of its own; with the emulator's token, unless another is given. */
export async function listenTo(
  emulator: Emulator,
  token: string = emulator.environment.CYCLE_API_TOKEN,
): Promise<Listening> {
  const socket = new WebSocket(`ws+unix://${emulator.socketPath}:/v1/notifications`, {
    headers: { 'X-CYCLE-TOKEN': token },
    perMessageDeflate: false,
  });
  onTestFinished(() => socket.terminate());
  const heard: unknown[] = [];
  socket.on('message', (content, isBinary) => heard.push(isBinary ? undefined : read(content)));
  const closed = new Promise<number>((resolve) => {
    socket.on('close', resolve);
  });
  await once(socket, 'open');
  socket.on('error', () => undefined); // A broken frame: `closed` has its code.
  return { socket, heard, closed };
}

function read(content: unknown): unknown {
  try {
    return JSON.parse(String(content));
  } catch {
    return undefined;
  }
}

export type Reply = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
};

type Send = {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
};

/** With the emulator's own token, unless `headers` has another. */
export function ask(emulator: Emulator, path: string, send: Send = {}): Promise<Reply> {
  return askSocket(emulator.socketPath, path, {
    ...send,
    headers: { 'X-CYCLE-TOKEN': emulator.environment.CYCLE_API_TOKEN, ...send.headers },
  });
}

export function askSocket(socketPath: string, path: string, send: Send = {}): Promise<Reply> {
  const { promise, resolve, reject } = createDeferred<Reply>();
  const { method = 'GET', headers = {} } = send;
  const sent = request({ socketPath, path, method, headers }, (response) => {
    response.setEncoding('utf8');
    let text = '';
    response.on('data', (chunk: string) => (text += chunk));
    response.on('end', () => {
      const { statusCode = 0, headers: answered } = response;
      try {
        resolve({ status: statusCode, headers: answered, body: parseBody(text) });
      } catch (cause) {
        reject(cause instanceof Error ? cause : new Error(String(cause)));
      }
    });
    response.on('error', reject);
  });
  sent.on('error', reject);
  sent.end(send.body);
  return promise;
}

function parseBody(text: string): unknown {
  return text === '' ? undefined : JSON.parse(text);
}

function createDeferred<Value>() {
  let resolve!: (value: Value) => void;
  let reject!: (cause: Error) => void;
  const promise = new Promise<Value>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  return { promise, resolve, reject };
}
