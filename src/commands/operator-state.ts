// What a brain knows of the app and of its reloads while the app runs.
import type { Changes } from '../core/changes.ts';
import type { RunningCommand } from '../core/memo.ts';
import type { ReloadOutcome } from '../core/reload-events.ts';
import type { RestartSpacing } from '../core/restart-spacing.ts';
import type { Link } from '../link/link.ts';
import type { Counters } from '../link/messages.ts';
import type { Pipeline } from '../reload/pipeline.ts';
import type { Reloader } from '../reload/reloader.ts';
import type { Restart } from '../reload/restart-app.ts';
import type { Session } from './follow-session.ts';
import { memoOf } from './known.ts';
import { leaveMemo } from './leave-memo.ts';
import type { RepeatedLog } from './warn-once.ts';

export type Operator = {
  readonly link: Link;
  readonly log: RepeatedLog;
  readonly reloader: Reloader;
  readonly session: Session;
  /** After each reload. */
  readonly spareMemory: () => void;
  /** Of those that finished. */
  readonly outcomes: Map<ReloadOutcome, number>;
  /** 0 while there is none. */
  appPid: number;
  /** The payload of the launch that the app runs by. */
  launch: () => Uint8Array;
  followed: { readonly socketPath: string; readonly pipeline: Pipeline } | undefined;
  restart: Restart | undefined;
  /** The reload command that runs; one of a brain before, until it has ended. */
  command: RunningCommand | undefined;
  /** The one of a brain before has. */
  readonly isAlone: Promise<void>;
  readonly counted: ((counters: Counters) => void)[];
  /** Of the reload that is under way. */
  news: Changes | undefined;
  /** Why it does not work. */
  problem: string | undefined;
  last: Finished | undefined;
  lastSuccessAtMs: number | undefined;
};

type Finished = {
  readonly outcome: ReloadOutcome;
  readonly atMs: number;
  readonly news: Changes | undefined;
  readonly problem: string | undefined;
};

/** For our successor. */
export function leaveNews(
  { link, session, command }: Operator,
  spacing: RestartSpacing | undefined,
  told = session.told,
): void {
  leaveMemo(link, memoOf(session.known, { told, spacing, command }));
}
