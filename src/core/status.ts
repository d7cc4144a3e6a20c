// The state of a running init: what `GET /status` of the control socket says, and `warp-init status` prints.
//
// Documented in docs/operations.md. As JSON every key is always there, `null` where there is nothing. New keys do not
// change the version; a key that goes or changes its meaning does. Ages and not dates: the clock of a host may be set.
import type { ChangeKind } from './changes.ts';
import type { ReloadOutcome } from './reload-events.ts';

export type Status = {
  readonly version: 1;
  readonly init: {
    /** Of warp-init. */
    readonly version: string;
    readonly isPid1: boolean;
    readonly uptimeMs: number;
    /** Since pid1 was started; undefined where no brain is there to ask. */
    readonly brainStarts: number | undefined;
  };
  readonly app: {
    /** Undefined while there is none. */
    readonly pid: number | undefined;
    readonly starts: number;
    readonly uptimeMs: number | undefined;
    readonly isRestarting: boolean;
  };
  readonly pipeline: {
    /** False in standalone mode, with `init.follow: false` and in exec mode. */
    readonly isNeeded: boolean;
    readonly isConnected: boolean;
    /** Since the brain was started, as all that follows. */
    readonly connects: number;
    /** Ago. */
    readonly lastConnectedMs: number | undefined;
    readonly eventsSeen: number;
    /** By reason. */
    readonly eventsIgnored: Readonly<Record<string, number>>;
  };
  readonly reload: {
    /** `idle`, `gathering`, …: core/reload-events.ts; `off` where nothing is followed. */
    readonly phase: string;
    readonly last: LastReload | undefined;
    /** Ago. */
    readonly lastSuccessMs: number | undefined;
    readonly byOutcome: Readonly<Record<string, number>>;
    /** What is due and cannot be done yet. */
    readonly held: 'signal' | 'restart' | undefined;
    /** Until the restart that is held. */
    readonly restartInMs: number | undefined;
  };
  /** Since pid1 was started; undefined where no brain is there to ask. */
  readonly pid1: { readonly orphansReaped: number; readonly signalsForwarded: number } | undefined;
};

type LastReload = {
  readonly outcome: ReloadOutcome;
  readonly agoMs: number;
  readonly changed: ChangedNames;
};

/** Services, identifiers of secrets, domains, keys of the config; never a value. */
export type ChangedNames = { readonly [kind in ChangeKind]: readonly string[] };

/** JSON on one line, `null` for what is undefined. */
export function formatDocument(value: object): string {
  const text = JSON.stringify(value, (_key, item: unknown) => item ?? null);
  return `${text}\n`;
}

export type KnownWithoutBrain = Pick<Status['init'], 'version' | 'isPid1' | 'uptimeMs'> & {
  readonly app: Pick<Status['app'], 'pid' | 'uptimeMs'>;
};

/** Where the brain has ended on purpose, because there is nothing to follow. */
export function statusWithoutBrain({ app, ...init }: KnownWithoutBrain): Status {
  return {
    version: 1,
    init: { ...init, brainStarts: undefined },
    // Nobody is there who could restart it.
    app: { ...app, starts: 1, isRestarting: false },
    pipeline: {
      isNeeded: false,
      isConnected: false,
      connects: 0,
      lastConnectedMs: undefined,
      eventsSeen: 0,
      eventsIgnored: {},
    },
    reload: {
      phase: 'off',
      last: undefined,
      lastSuccessMs: undefined,
      byOutcome: {},
      held: undefined,
      restartInMs: undefined,
    },
    pid1: undefined,
  };
}
