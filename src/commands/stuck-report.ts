// What ends a start in our place where the config blocks us: where to say why, and how to tell pid1.
import { fstatSync, writeSync } from 'node:fs';

import { exitStatus } from '../errors.ts';
import { answerFd, encodeError } from '../inputs/config-answer.ts';
import type { LaterEnd, StuckReport } from '../inputs/config-watchdog.ts';
import { encodeMessage } from '../link/frames.ts';
import { linkFd, sharedStderrFd, textSizeLimit } from '../link/layout.ts';
import { formatErrorLine } from '../log-format.ts';

/** `brain`: pid1 is told to end; `config-child`: its parent gets an answer, and a thread ends the process itself. */
export type WatchedProcess =
  | { readonly kind: 'brain'; readonly logIsPrivate: boolean }
  | { readonly kind: 'config-child' };

export function stuckReport(watched: WatchedProcess): StuckReport {
  const programFile = process.argv[1] ?? '';
  switch (watched.kind) {
    case 'brain': {
      const messageFd = watched.logIsPrivate ? 2 : sharedStderrFd;
      return {
        programFile,
        messageFd,
        abortFd: linkFd,
        abortFrame: encodeMessage({ type: 'abort', status: exitStatus.config }),
        endLater: (end) => endLater(end, messageFd),
      };
    }
    case 'config-child':
      return { programFile, messageFd: answerFd, form: 'answer', format: encodeError };
  }
}

/** By pid1, which blocks on nothing. Undefined calls it off. */
function endLater(end: LaterEnd | undefined, messageFd: number): void {
  const text = end === undefined ? '' : formatErrorLine(end.error, formatOf(messageFd));
  const frame = encodeMessage({
    type: 'deadline',
    delayMs: end?.delayMs ?? 0,
    status: end?.error.exitCode ?? exitStatus.config,
    text: new TextEncoder().encode(text).subarray(0, textSizeLimit),
  });
  try {
    writeSync(linkFd, frame);
  } catch {
    // pid1 is gone, and with it what this was for.
  }
}

/** A terminal is a character device; to ask for one would load node:tty, at every start. */
function formatOf(fd: number): 'json' | 'pretty' {
  const chosen = process.env['WARP_INIT_LOG_FORMAT'];
  if (chosen === 'json' || chosen === 'pretty') {
    return chosen;
  }

  return fstatSync(fd).isCharacterDevice() ? 'pretty' : 'json';
}
