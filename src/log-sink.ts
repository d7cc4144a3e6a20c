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
  /** Gives a slow reader of stderr a moment to take the last lines; false if it did not take them. */
  readonly drain: () => Promise<boolean>;
};

export type LogSinkOptions = {
  readonly fd: number;
  /** The app shares the description behind `fd`, so it must stay as it is. */
  readonly isShared: boolean;
};

const retryMs = 20;
const drainAttempts = 50;

export function createLogSink({ fd, isShared }: LogSinkOptions): LogSink {
  const lines = createLineBuffer();
  let isSilent = false;
  const retry = (): void => {
    lines.flush(fd);
    if (!lines.isEmpty()) {
      setTimeout(retry, retryMs).unref();
    }
  };

  return {
    write: (line) => {
      if (isSilent) {
        return;
      }

      const isFirst = lines.isEmpty();
      lines.add(line);
      if (isFirst) {
        retry();
      }
    },
    appRuns: () => {
      isSilent = isShared;
    },
    drain: async () => {
      for (let attempt = 0; attempt < drainAttempts && !lines.isEmpty(); attempt += 1) {
        lines.flush(fd);
        await new Promise((resolve) => {
          setTimeout(resolve, retryMs);
        });
      }

      return lines.isEmpty();
    },
  };
}

type LineBuffer = {
  readonly add: (line: string) => void;
  /** Writes what there is room for. */
  readonly flush: (fd: number) => void;
  readonly isEmpty: () => boolean;
};

const bufferLimitBytes = 64 * 1024;

function createLineBuffer(): LineBuffer {
  const waiting: Buffer[] = [];
  let sizeBytes = 0;
  let droppedLines = 0;
  const add = (line: string): void => {
    const bytes = Buffer.from(line);
    if (sizeBytes + bytes.length > bufferLimitBytes) {
      droppedLines += 1;
      return;
    }

    if (droppedLines > 0) {
      const note = `warp-init: ${droppedLines} lines were dropped: stderr was not read\n`;
      droppedLines = 0;
      add(note);
    }

    waiting.push(bytes);
    sizeBytes += bytes.length;
  };

  return {
    add,
    flush: (fd) => {
      for (let first = waiting.shift(); first !== undefined; first = waiting.shift()) {
        const count = tryWrite(fd, first);
        sizeBytes -= count;
        if (count < first.length) {
          waiting.unshift(first.subarray(count));
          return;
        }
      }
    },
    isEmpty: () => waiting.length === 0,
  };
}

/** Bytes written; 0 if there is no room now. A stderr that is gone takes everything. */
function tryWrite(fd: number, bytes: Buffer): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    return errnoOf(error) === 'EAGAIN' ? 0 : bytes.length;
  }
}
