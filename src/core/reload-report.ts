// What a reload has come to that was asked for by hand: `POST /reload` says it, and `warp-init reload` prints it.
import { changeKinds } from './changes.ts';
import { type Row, display, formatRows, onOneLine } from './debug-text.ts';
import type { ReloadOutcome } from './reload-events.ts';
import type { ChangedNames } from './status.ts';

export type ReloadReport = {
  readonly outcome: ReloadOutcome;
  readonly changed: ChangedNames;
  /** Why it has not worked; no secret is in it. */
  readonly problem: string | undefined;
  /** Until the restart that is held; undefined where none is. */
  readonly restartInMs: number | undefined;
};

type Meaning = {
  /** What is new is in force, or will be without anybody's help. */
  readonly isSuccess: boolean;
  readonly sentence: string;
};

const meanings = {
  unchanged: { isSuccess: true, sentence: 'Nothing has changed.' },
  applied: {
    isSuccess: true,
    sentence: 'Reloaded: the files are up to date, the app was not told.',
  },
  signaled: {
    isSuccess: true,
    sentence: 'Reloaded: the files are up to date, the app was signaled.',
  },
  'signal-held': {
    isSuccess: true,
    sentence:
      'Reloaded: the files are up to date, the app is signaled as soon as it catches the signal.',
  },
  'command-ok': {
    isSuccess: true,
    sentence: 'Reloaded: the files are up to date, the reload command worked.',
  },
  'command-failed': {
    isSuccess: false,
    sentence: 'The files are up to date, but the reload command failed.',
  },
  restarted: { isSuccess: true, sentence: 'Reloaded: the app was restarted.' },
  'restart-held': {
    isSuccess: true,
    sentence:
      'Reloaded: the files are up to date, the app is restarted when its last restart is long enough ago.',
  },
  'fell-back': {
    isSuccess: false,
    sentence: 'The app ended at once with what is new; it runs again as it did before.',
  },
  'restart-refused': {
    isSuccess: false,
    sentence:
      'The files are up to date, but the app was not restarted: it could not be started again. It is tried again.',
  },
  cancelled: { isSuccess: false, sentence: 'The reload was given up, because the app is ending.' },
  failed: { isSuccess: false, sentence: 'The reload failed. It is tried again.' },
  distrusted: {
    isSuccess: false,
    sentence: 'Nothing was reloaded: the platform’s answer is suspicious. It is asked again.',
  },
  refused: { isSuccess: false, sentence: 'Nothing was reloaded: what is new is not valid.' },
} as const satisfies Record<ReloadOutcome, Meaning>;

export const reloadOutcomes: readonly ReloadOutcome[] = Object.keys(meanings).filter((word) =>
  isReloadOutcome(word),
);

export function isReloadOutcome(word: string): word is ReloadOutcome {
  return Object.hasOwn(meanings, word);
}

export function hasWorked({ outcome, problem }: ReloadReport): boolean {
  return meanings[outcome].isSuccess && problem === undefined;
}

/** For people: a sentence, why it is so, and what has changed. */
export function formatReport(report: ReloadReport): string {
  const { changed, problem } = report;
  const rows: Row[] = [
    ...(problem === undefined ? [] : [{ label: 'why', items: [onOneLine(problem)] }]),
    ...changedRows(changed),
  ];
  const sentence = sentenceOf(report);
  return rows.length === 0 ? `${sentence}\n` : `${sentence}\n${formatRows(rows)}`;
}

/** An init of another version does not say how long. */
function sentenceOf({ outcome, restartInMs }: ReloadReport): string {
  return outcome === 'restart-held' && restartInMs !== undefined
    ? `Reloaded: the files are up to date; the app restarts in ${Math.ceil(restartInMs / 1000)} s, because restarts are ` +
        'a minute apart, and up to 15 where there are many (reload --now does not wait).'
    : meanings[outcome].sentence;
}

/** One for each kind in which something has changed. */
export function changedRows(changed: ChangedNames): Row[] {
  return changeKinds
    .filter((kind) => changed[kind].length > 0)
    .map((kind) => ({ label: kind, items: changed[kind].map(display) }));
}
