// A control socket with operations that are data, and clients: curl, and bytes by hand.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

import type { Warning } from '../../src/core/warning.ts';
import { startControlSocket } from '../../src/reload/control-socket.ts';
import type { ControlSocketOptions, Operations } from '../../src/reload/control-socket.ts';
import { busy, nothingChanged, reportOf } from '../core/status-examples.ts';
import { collect } from '../helpers/process.ts';
import type { Output } from '../helpers/process.ts';

const usualOperations: Operations = {
  status: () => Promise.resolve(busy),
  ist: () => '{"version":1,"services":[]}\n',
  secrets: () => ['a', 'b'],
  log: () => '{"level":30,"name":"warp-init","msg":"The app runs"}\n',
  reload: () =>
    Promise.resolve(reportOf('signaled', { changed: { ...nothingChanged, ist: ['my-db'] } })),
};

export type Served = {
  readonly path: string;
  readonly directory: string;
  readonly problems: readonly Warning[];
  readonly close: () => void;
};

export type ServeOptions = Partial<Operations> & {
  readonly path?: string;
  readonly limits?: ControlSocketOptions['limits'];
};

/** Closed with the test. */
export async function serve(options: ServeOptions = {}): Promise<Served> {
  const { path = join(stateDirectory(), 'control.sock'), limits = {}, ...operations } = options;
  const problems: Warning[] = [];
  const { close } = await startControlSocket({
    path,
    operations: { ...usualOperations, ...operations },
    onProblem: (warning) => problems.push(warning),
    limits,
  });
  onTestFinished(close);
  return { path, directory: join(path, '..'), problems, close };
}

export function stateDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'control-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export type CurlAnswer = {
  readonly status: number;
  readonly headers: string;
  readonly text: string;
};

/** Rejects where curl has failed. */
export async function curl(path: string, url: string, ...options: string[]): Promise<CurlAnswer> {
  const { stdout } = await promisify(execFile)(
    'curl',
    ['--silent', '--show-error', '--max-time', '10', '--include', ...options].concat([
      '--unix-socket',
      path,
      `http://x${url}`,
    ]),
    { maxBuffer: 2 ** 26 },
  );
  const [headers = '', ...rest] = stdout.split('\r\n\r\n');
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(headers)?.[1]),
    headers,
    text: rest.join('\r\n\r\n'),
  };
}

export type Client = {
  readonly socket: Socket;
  readonly output: Output;
  /** Resolves when the connection is over, whoever has ended it. */
  readonly closed: Promise<void>;
};

/** A client that says just these bytes. */
export function sayBytes(path: string, bytes: string | Buffer = ''): Client {
  const client = collectFrom(connect(path));
  client.socket.write(bytes);
  return client;
}

export function collectFrom(socket: Socket): Client {
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined); // A server that hangs up is a part of these tests.
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  return { socket, output: collect(socket.resume()), closed };
}
