// HTTP/1.1 requests over a Unix socket: just what the internal API needs, on node:net.
//
// node:http costs start time (DESIGN section 11). Connections are kept and used again; a request never
// rejects and never throws, it ends with an answer or a failure that has a reason.
import { connect } from 'node:net';
import type { Socket } from 'node:net';

import { createAnswerReader } from './http-answer.ts';
import type { AnswerReader } from './http-answer.ts';
import type { OnPart } from './http-body.ts';
import { failureOf } from './http-result.ts';
import type { HttpResult } from './http-result.ts';
import type { ReadStep } from './http-step.ts';

export type HttpClient = {
  /** @param onPart - Gets the body of a success while it arrives, also of one that fails in the end. Must not throw. */
  readonly get: (path: string, limits: RequestLimits, onPart?: OnPart) => Promise<HttpResult>;
  /** Destroys every connection. Requests that are under way end with `aborted`. */
  readonly close: () => void;
};

export type HttpClientOptions = {
  readonly socketPath: string;
  /** Printable ASCII; the caller has checked that. Undefined: the header is left out. */
  readonly token: string | undefined;
};

export type RequestLimits = {
  /** From the request to the last byte of its answer. */
  readonly deadlineMs: number;
  readonly maxBytes: number;
};

type Pool = {
  readonly options: HttpClientOptions;
  readonly idle: Connection[];
  readonly open: Set<Connection>;
  isClosed: boolean;
  /** What a socket reads into. */
  readonly buffer: Buffer;
};

type Connection = {
  readonly socket: Socket;
  /** The request that it carries; undefined while it is idle. */
  job: Job | undefined;
};

type Job = {
  readonly bytes: string;
  readonly maxBytes: number;
  readonly onPart: OnPart | undefined;
  readonly settle: (result: HttpResult) => void;
  reader: AnswerReader;
  connection: Connection | undefined;
  /** Whether the connection had carried a request before: then the server may just have closed it. */
  isOnReused: boolean;
};

const idleLimit = 8;
const bufferBytes = 65_536;

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const pool: Pool = {
    options,
    idle: [],
    open: new Set(),
    isClosed: false,
    buffer: Buffer.allocUnsafeSlow(bufferBytes),
  };

  return {
    get: (path, limits, onPart) => request(pool, { path, limits, onPart }),
    close: () => {
      pool.isClosed = true;
      for (const connection of pool.open) {
        if (connection.job !== undefined) {
          endJob(pool, connection, aborted);
          connection.socket.destroy();
        }
      }

      // Idle ones in a moment: Node makes a `process.stderr` before it destroys a socket, and at a start an app is waiting.
      setImmediate(() => {
        for (const { socket } of pool.open) {
          socket.destroy();
        }
      });
    },
  };
}

const aborted: HttpResult = {
  kind: 'failed',
  reason: 'aborted',
  detail: 'the request was given up',
};

type Request = {
  readonly path: string;
  readonly limits: RequestLimits;
  readonly onPart: OnPart | undefined;
};

function request(pool: Pool, { path, limits, onPart }: Request): Promise<HttpResult> {
  if (pool.isClosed) {
    return Promise.resolve(aborted);
  }

  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      const detail = `there was no complete answer within ${limits.deadlineMs} ms`;
      const { connection } = job;
      if (connection !== undefined) {
        endJob(pool, connection, { kind: 'failed', reason: 'silent', detail });
        connection.socket.destroy();
      }
    }, limits.deadlineMs);

    const job: Job = {
      bytes: formatRequest(path, pool.options.token),
      maxBytes: limits.maxBytes,
      onPart,
      settle: (result) => {
        clearTimeout(timer);
        resolve(result);
      },
      reader: createAnswerReader(limits.maxBytes, onPart),
      connection: undefined,
      isOnReused: false,
    };
    send(pool, job);
  });
}

function formatRequest(path: string, token: string | undefined): string {
  const tokenLine = token === undefined ? '' : `X-CYCLE-TOKEN: ${token}\r\n`;
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n${tokenLine}\r\n`;
}

function send(pool: Pool, job: Job): void {
  const kept = pool.idle.pop();
  kept?.socket.ref();
  assign(kept ?? openConnection(pool), job, kept !== undefined);
}

function sendAgain(pool: Pool, job: Job): void {
  job.reader = createAnswerReader(job.maxBytes, job.onPart); // Not a byte has come of the first answer.
  assign(openConnection(pool), job, false);
}

function assign(connection: Connection, job: Job, isOnReused: boolean): void {
  connection.job = job;
  job.connection = connection;
  job.isOnReused = isOnReused;
  connection.socket.write(job.bytes, 'latin1');
}

function openConnection(pool: Pool): Connection {
  const read = (sizeBytes: number): boolean => {
    const { job } = connection;
    if (job === undefined) {
      // Nobody asked: whatever it is, it would be read as the answer to the next request.
      retire(pool, connection);
    } else {
      readOn(pool, connection, job.reader.push(pool.buffer.subarray(0, sizeBytes)));
    }

    return true;
  };
  // One buffer for all, used up before the next read: cheaper than a stream's machinery and a new buffer a read.
  const socket = connect({
    path: pool.options.socketPath,
    onread: { buffer: pool.buffer, callback: read },
  });
  const connection: Connection = { socket, job: undefined };
  pool.open.add(connection);

  socket.on('end', () => {
    const { job } = connection;
    if (job === undefined) {
      retire(pool, connection);
    } else {
      readOn(pool, connection, job.reader.end());
    }
  });
  socket.on('error', (error) => {
    endJob(pool, connection, failureOf(error, connection.job?.reader.hasBytes() === true));
  });
  socket.on('close', () => {
    pool.open.delete(connection);
    retire(pool, connection);
    endJob(pool, connection, { kind: 'failed', reason: 'io', detail: 'the connection was closed' });
  });
  return connection;
}

function readOn(pool: Pool, connection: Connection, step: ReadStep): void {
  if (step.kind === 'more') {
    return;
  }

  const { socket } = connection;
  const isKept = step.kind === 'answer' && step.answer.canReuse && pool.idle.length < idleLimit;
  if (isKept && !pool.isClosed && socket.writable) {
    socket.unref(); // An idle connection must not keep the process from ending.
    pool.idle.push(connection);
  } else {
    socket.destroy();
  }

  endJob(pool, connection, step);
}

function endJob(pool: Pool, connection: Connection, result: HttpResult): void {
  const { job } = connection;
  if (job === undefined) {
    return;
  }

  connection.job = undefined;
  job.connection = undefined;
  const wasClosedWhileIdle =
    job.isOnReused &&
    !job.reader.hasBytes() &&
    result.kind === 'failed' &&
    (result.reason === 'io' || result.reason === 'truncated');
  if (wasClosedWhileIdle && !pool.isClosed) {
    sendAgain(pool, job);
  } else {
    job.settle(result);
  }
}

function retire(pool: Pool, connection: Connection): void {
  connection.socket.destroy();
  const index = pool.idle.indexOf(connection);
  if (index !== -1) {
    pool.idle.splice(index, 1);
  }
}
