// What a brain leaves with pid1 for its successor: all that must not be forgotten because a brain ended.
//
// Secrets are in it, because the platform may serve them once; so it is in the memory of pid1 and nowhere else. A memo of
// another version is no memo: its successor then knows what a first brain knows.
import type { Knowledge } from './knowledge.ts';
import type { ParsedConfig } from './config.ts';
import type { DotenvLayer } from './environment.ts';
import type { IstMap } from './ist.ts';
import { fromJson, isMemoJson, toJson } from './memo-json.ts';
import type { RestartSpacing } from './restart-spacing.ts';
import type { Secret } from './secret.ts';
import type { Snapshot } from './snapshot.ts';
import type { Trusted } from './trust.ts';
import type { WrittenCertificates } from './written-certificates.ts';

export type Memo = {
  /** Container id to the instance chosen. */
  readonly chosen: ReadonlyMap<string, string>;
  /** By identifier: the wanted ones. */
  readonly secrets: ReadonlyMap<string, Secret>;
  /** Answered since then, and not in force yet. */
  readonly served: ReadonlyMap<string, Secret>;
  readonly writtenCertificates: WrittenCertificates;
  readonly trusted: Trusted | undefined;
  readonly identity: Identity;
  readonly written: Written | undefined;
  /** What the app was told last; its secrets are those above, in the state of that time. */
  readonly told: Knowledge | undefined;
  readonly spacing: RestartSpacing | undefined;
  /** The reload command that runs. */
  readonly command: RunningCommand | undefined;
};

/** Two processes never have both in common. */
export type RunningCommand = {
  /** Of its group, too. */
  readonly pid: number;
  /** Field 22 of proc_pid_stat(5). */
  readonly startTicks: string;
};

/** Of requests that may fail. */
export type Identity = Pick<Snapshot, 'hub' | 'environment' | 'server'>;

/** What the operator has written, as it was read last: what was edited since then waits for a reload by hand. */
export type Written = {
  readonly config: ParsedConfig;
  readonly dotenv: readonly DotenvLayer[];
};

/** As pid1 has it: src/pid1/frames.h. */
export const memoSizeLimitBytes = 16 * 1024 * 1024;

export const emptyMemo: Memo = {
  chosen: new Map(),
  secrets: new Map(),
  served: new Map(),
  writtenCertificates: [],
  trusted: undefined,
  identity: {},
  written: undefined,
  told: undefined,
  spacing: undefined,
  command: undefined,
};

/** The part of the memo that keeps addresses where they are. */
export function chosenInstances({ services }: IstMap): ReadonlyMap<string, string> {
  return new Map(
    services.flatMap(({ containerId, chosen }): [string, string][] =>
      chosen === undefined ? [] : [[containerId, chosen.instanceId]],
    ),
  );
}

/**
 * Where not everything fits, what the platform and the files tell again is left out first: what the app was told, then
 * the names of the services, then what the operator wrote, and at last the secrets.
 */
export function encodeMemo(memo: Memo): Uint8Array {
  const untold = { told: undefined };
  const unnamed = { ...untold, chosen: new Map(), trusted: undefined };
  const unwritten = { ...unnamed, written: undefined };
  const smaller: readonly Partial<Memo>[] = [
    {},
    untold,
    unnamed,
    unwritten,
    { ...unwritten, secrets: new Map(), served: new Map() },
  ];

  for (const less of smaller) {
    const bytes = new TextEncoder().encode(JSON.stringify(toJson({ ...memo, ...less })));
    if (bytes.length <= memoSizeLimitBytes) {
      return bytes;
    }
  }

  return new Uint8Array();
}

/** Undefined for what this version did not write. */
export function decodeMemo(bytes: Uint8Array): Memo | undefined {
  const memo = parseJson(new TextDecoder().decode(bytes));
  return isMemoJson(memo) ? fromJson(memo) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // The parser's message quotes the text.
  }
}
