// Where log lines go: to stderr, without ever disturbing the app that shares it.
//
// Where pid1 could open stderr again, ours is non-blocking and our own: what does not fit waits in a
// bounded buffer, then is dropped and counted. Where it could not (a socket), a blocking write is
// harmless only as long as no app runs.
import { writeSync } from 'node:fs';

import { errnoOf } from './errors.ts';

export type LogSink = {
  readonly write: (line: string) => void;
  /** The app runs now: never block any more. */
  readonly appRuns: () => void;
  /** Gives a slow reader of stderr a moment to take the last lines. */
  readonly drain: () => Promise<void>;
};

export type LogSinkOptions = {
  readonly fd: number;
  /** The app shares the description behind `fd`, so it must stay as it is. */
  readonly isShared: boolean;
};

const bufferLimit = 64 * 1024;
const retryMs = 20;
const drainAttempts = 50;

export function createLogSink({ fd, isShared }: LogSinkOptions): LogSink {
  let waiting: Buffer[] = [];
  let waitingSize = 0;
  let droppedLines = 0;
  let isSilent = false;

  const flush = (): void => {
    while (waiting.length > 0) {
      const count = tryWrite(fd, waiting[0] ?? Buffer.alloc(0));
      if (count === undefined) {
        return;
      }

      waitingSize -= count;
      const rest = waiting[0]?.subarray(count);
      waiting =
        rest === undefined || rest.length === 0 ? waiting.slice(1) : [rest, ...waiting.slice(1)];
    }
  };

  const enqueue = (line: string): void => {
    const bytes = Buffer.from(line);
    if (waitingSize + bytes.length > bufferLimit) {
      droppedLines += 1;
      return;
    }

    if (droppedLines > 0) {
      const count = droppedLines;
      droppedLines = 0;
      enqueue(`warp-init: ${count} lines were dropped: stderr was not read\n`);
    }

    waiting.push(bytes);
    waitingSize += bytes.length;
  };

  const retry = (): void => {
    flush();
    if (waiting.length > 0) {
      setTimeout(retry, retryMs).unref();
    }
  };

  return {
    write: (line) => {
      if (!isSilent) {
        const isFirst = waiting.length === 0;
        enqueue(line);
        if (isFirst) {
          retry();
        }
      }
    },
    appRuns: () => {
      isSilent = isShared;
    },
    drain: async () => {
      for (let attempt = 0; attempt < drainAttempts && waiting.length > 0; attempt += 1) {
        flush();
        await new Promise((resolve) => {
          setTimeout(resolve, retryMs);
        });
      }
    },
  };
}

/** Bytes written; undefined if there is no room now. A stderr that is gone takes everything. */
function tryWrite(fd: number, bytes: Buffer): number | undefined {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    return errnoOf(error) === 'EAGAIN' ? undefined : bytes.length;
  }
}
