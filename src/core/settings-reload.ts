// `init.reload`: what happens to the app when something that it uses has changed.
import { StartError, exitStatus } from '../errors.ts';
import type { CheckedInit } from './config-schema.ts';
import { parseDurationMs } from './duration.ts';
import { parseSignalNumber } from './signals.ts';

export const reloadActions = ['auto', 'signal', 'restart', 'command', 'none'] as const;

type ReloadAction = (typeof reloadActions)[number];

/** What can change. */
export type ChangeKind = 'ist' | 'secrets' | 'certificates' | 'config';

export type ReloadSettings = {
  readonly action: ReloadAction;
  /** Where another action than `action` is meant. */
  readonly on: { readonly [kind in ChangeKind]?: ReloadAction };
  /** Number, as chosen. Where it is not, `signal` means SIGHUP (reload-action.ts), and `auto` none. */
  readonly signal: number | undefined;
  /** Program and arguments; there where an action is `command`. */
  readonly command: readonly string[] | undefined;
  /** Of the app's end in a restart, and of a command. */
  readonly deadlineMs: number;
  /** Without another change, before a reload begins. */
  readonly quietMs: number;
  /** From the first change, however many follow. */
  readonly maxWaitMs: number;
};

const defaultDeadlineMs = 10_000;
const defaultQuietMs = 500;
const defaultMaxWaitMs = 10_000;

type CheckedReload = NonNullable<CheckedInit['reload']>;

export function resolveReload(reload: CheckedReload = {}): ReloadSettings {
  const action = reload.action ?? 'auto';
  const on = actionsOn(reload.on);
  const quietMs = durationMs(reload.quiet);
  const maxWaitMs = durationMs(reload.maxWait);
  return {
    action,
    on,
    signal: reload.signal === undefined ? undefined : parseSignalNumber(reload.signal),
    command: reload.command === undefined ? undefined : splitCommand(reload.command),
    deadlineMs: durationMs(reload.deadline) ?? defaultDeadlineMs,
    // The one that was not chosen gives way to the one that was.
    quietMs: quietMs ?? Math.min(defaultQuietMs, maxWaitMs ?? defaultMaxWaitMs),
    maxWaitMs: maxWaitMs ?? Math.max(defaultMaxWaitMs, quietMs ?? defaultQuietMs),
  };
}

/** Text is split at white space; a list is what it is. */
export function splitCommand(command: string | readonly string[]): readonly string[] {
  return typeof command === 'string' ? command.split(/\s+/).filter(Boolean) : command;
}

/**
 * Exec mode leaves nobody behind who could reload.
 *
 * @param label - What the operator calls exec mode where it was chosen.
 * @throws {StartError} E_CONFIG: a reload is configured beside it.
 */
export function refuseReloadWithExec(reload: CheckedInit['reload'], label: string): void {
  const { action, on } = resolveReload(reload);
  const isNone = [action, ...Object.values(on)].every((chosen) => chosen === 'none');

  if (reload !== undefined && !isNone) {
    throw new StartError(
      'E_CONFIG',
      `Cannot reload beside ${label}: init becomes the app, and nothing that could reload it stays`,
      {
        exitCode: exitStatus.config,
        remedy: {
          where: 'init.reload',
          fix: `Leave out ${label}, or set init.reload.action to "none" and leave out the others.`,
        },
      },
    );
  }
}

function actionsOn(on: CheckedReload['on'] = {}): ReloadSettings['on'] {
  const { ist, secrets, certificates, config } = on;
  return {
    ...(ist !== undefined && { ist }),
    ...(secrets !== undefined && { secrets }),
    ...(certificates !== undefined && { certificates }),
    ...(config !== undefined && { config }),
  };
}

/** The schema has let nothing through that is no duration. */
function durationMs(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDurationMs(text);
}
