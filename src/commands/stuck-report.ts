// What the config's watchdog thread needs in order to end a start in our place: where to say why, and to whom.
import { exitStatus } from '../errors.ts';
import type { StuckReport } from '../inputs/config-watchdog.ts';
import { encodeMessage } from '../link/frames.ts';
import { linkFd, sharedStderrFd } from '../link/layout.ts';

/** `brain`: pid1 is told to end; `command`: the thread ends the process itself. */
export type WatchedProcess =
  | { readonly kind: 'brain'; readonly logIsPrivate: boolean }
  | { readonly kind: 'command' };

export function stuckReport(watched: WatchedProcess): StuckReport {
  const programFile = process.argv[1] ?? '';
  switch (watched.kind) {
    case 'brain':
      return {
        programFile,
        messageFd: watched.logIsPrivate ? 2 : sharedStderrFd,
        abortFd: linkFd,
        abortFrame: encodeMessage({ type: 'abort', status: exitStatus.config }),
      };
    case 'command':
      return { programFile, messageFd: 2 };
  }
}
