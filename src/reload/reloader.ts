// Drives the reload's table (core/reload-state.ts): its commands become work, the work's ends become events.
//
// No failure of ours may end the app, so a port that throws is a defect that is told and tried again, like any failure.
import type { ChangeKind } from '../core/changes.ts';
import type { QuietTime } from '../core/quiet-time.ts';
import type { AppAction } from '../core/reload-action.ts';
import type {
  ReloadCommand,
  ReloadEvent,
  ReloadOutcome,
  ReloadState,
  ReloadTimer,
  RestartEnd,
} from '../core/reload-events.ts';
import { startReloads, transition } from '../core/reload-state.ts';
import type { RestartSpacing } from '../core/restart-spacing.ts';

export type FetchEnd =
  | { readonly type: 'fetched' | 'failed' | 'refused' }
  | { readonly type: 'distrusted'; readonly retryAfterMs: number };

export type ApplyEnd =
  | { readonly type: 'failed' | 'refused' }
  | { readonly type: 'applied'; readonly isChanged: boolean; readonly action: AppAction };

/** What a reload does to the world. */
export type ReloadPorts = {
  readonly fetch: (kinds: ReadonlySet<ChangeKind>) => Promise<FetchEnd>;
  readonly apply: () => Promise<ApplyEnd>;
  /** False: no process catches it, or not yet. */
  readonly sendSignal: (signal: number) => boolean;
  readonly runCommand: (argv: readonly string[]) => Promise<boolean>;
  readonly restart: () => Promise<RestartEnd>;
  /** The app was told of what was applied last. */
  readonly remember: (spacing: RestartSpacing | undefined) => void;
  readonly onFinish: (outcome: ReloadOutcome) => void;
  readonly onDefect: (error: unknown) => void;
  readonly quietTime: () => QuietTime;
  /** Of CLOCK_MONOTONIC. */
  readonly nowMs: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
};

export type Reloader = {
  readonly changed: (kinds: readonly ChangeKind[]) => void;
  readonly connected: () => void;
  /**
   * Resolves when the reload that this leads to has finished, also where its restart is still to come.
   *
   * @param isNow - Neither quiet time nor the spacing of restarts holds it up.
   */
  readonly ask: (isNow: boolean) => Promise<ReloadOutcome>;
  readonly appEnded: () => void;
  readonly appStarted: () => void;
  readonly state: () => ReloadState;
};

type Driver = {
  readonly ports: ReloadPorts;
  readonly timers: Map<ReloadTimer, NodeJS.Timeout>;
  readonly waiters: Map<number, (outcome: ReloadOutcome) => void>;
  readonly events: EventToCome[];
  state: ReloadState;
  isBusy: boolean;
  asked: number;
  /** What is being done, if anything is. */
  work: Promise<void> | undefined;
};

type EventToCome = DistributiveOmit<ReloadEvent, 'nowMs'>;
type DistributiveOmit<T, K extends keyof T> = T extends unknown ? Omit<T, K> : never;

/** @param spacing - What a predecessor of this process knew of restarts. */
export function startReloader(ports: ReloadPorts, spacing?: RestartSpacing): Reloader {
  const driver: Driver = {
    ports,
    timers: new Map(),
    waiters: new Map(),
    events: [],
    state: startReloads(spacing),
    isBusy: false,
    asked: 0,
    work: undefined,
  };
  return {
    changed: (kinds) => happen(driver, { type: 'changed', kinds, random: ports.random() }),
    connected: () => happen(driver, { type: 'connected' }),
    ask: (isNow) =>
      new Promise((resolve) => {
        driver.asked += 1;
        driver.waiters.set(driver.asked, resolve);
        happen(driver, { type: 'asked', waiter: driver.asked, isNow });
      }),
    appEnded: () => happen(driver, { type: 'app-ended' }),
    appStarted: () => happen(driver, { type: 'app-started' }),
    state: () => driver.state,
  };
}

/** A command may lead to an event at once: it waits until the commands before it are done. */
function happen(driver: Driver, event: EventToCome): void {
  driver.events.push(event);
  if (driver.isBusy) {
    return;
  }

  driver.isBusy = true;
  try {
    for (let next = driver.events.shift(); next !== undefined; next = driver.events.shift()) {
      advance(driver, next);
    }
  } finally {
    driver.isBusy = false;
  }
}

function advance(driver: Driver, event: EventToCome): void {
  const { ports } = driver;
  const [state, commands] = transition(
    driver.state,
    { ...event, nowMs: ports.nowMs() },
    ports.quietTime(),
  );
  driver.state = state;
  for (const command of commands) {
    execute(driver, command);
  }
}

function execute(driver: Driver, command: ReloadCommand): void {
  const { ports } = driver;
  switch (command.type) {
    case 'set-timer':
      return setTimer(driver, command.timer, command.delayMs);
    case 'fetch':
      return work(
        driver,
        () => ports.fetch(command.kinds).then(withRandom(ports)),
        fetchDefect(ports),
      );
    case 'apply':
      return work(driver, () => ports.apply().then(withRandom(ports)), fetchDefect(ports));
    case 'send-signal': {
      const isSent = ports.sendSignal(command.signal);
      return happen(driver, { type: isSent ? 'signal-sent' : 'signal-untaken' });
    }
    case 'run-command':
      return work(
        driver,
        () => ports.runCommand(command.argv).then((isOk) => ({ type: 'command-ended', isOk })),
        { type: 'command-ended', isOk: false },
      );
    case 'restart':
      return work(
        driver,
        () => ports.restart().then((outcome) => ({ type: 'restart-ended', outcome })),
        { type: 'restart-ended', outcome: 'cancelled' },
      );
    case 'remember':
      return ports.remember(driver.state.spacing);
    case 'finish':
      ports.onFinish(command.outcome);
      for (const waiter of command.waiters) {
        driver.waiters.get(waiter)?.(command.outcome);
        driver.waiters.delete(waiter);
      }
  }
}

function setTimer(driver: Driver, timer: ReloadTimer, delayMs: number): void {
  clearTimeout(driver.timers.get(timer));
  driver.timers.set(
    timer,
    setTimeout(() => happen(driver, { type: 'timer', timer }), delayMs).unref(),
  );
}

/** What was begun for an app that has ended is waited for, and its end is none of what comes after it. */
function work(driver: Driver, begin: () => Promise<EventToCome>, onDefect: EventToCome): void {
  const end = (event: EventToCome): void => {
    if (driver.work === mine) {
      driver.work = undefined;
      happen(driver, event);
    }
  };
  const result = driver.work === undefined ? begin() : driver.work.then(begin);
  const mine = result.then(end, (error: unknown) => {
    driver.ports.onDefect(error);
    end(onDefect);
  });
  driver.work = mine;
}

function withRandom({ random }: ReloadPorts): (end: FetchEnd | ApplyEnd) => EventToCome {
  return (end) => {
    switch (end.type) {
      case 'failed':
        return { type: 'failed', random: random() };
      case 'fetched':
      case 'refused':
        return { type: end.type };
      case 'distrusted':
      case 'applied':
        return end;
    }
  };
}

function fetchDefect({ random }: ReloadPorts): EventToCome {
  return { type: 'failed', random: random() };
}
