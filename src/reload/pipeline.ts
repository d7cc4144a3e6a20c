// Follows the platform's notifications for ever: connects, reads, and tells what has to be fetched again.
//
// Nothing here can end the app or this process: every failure is a reason to connect again (core/pipeline-state.ts).
import type WebSocket from 'ws';

import type { NotifiedKind, Scope } from '../core/notification.ts';
import { defaultTiming, startConnecting, transition } from '../core/pipeline-state.ts';
import type {
  Loss,
  PipelineCommand,
  PipelineEvent,
  PipelineState,
  PipelineTiming,
} from '../core/pipeline-state.ts';
import { createNotificationReader } from './notification-reader.ts';
import type { NotificationReader, ReaderCounters } from './notification-reader.ts';
import { openConnection } from './pipeline-connection.ts';
import type { Connection, Frame } from './pipeline-connection.ts';

export type PipelineOptions = {
  readonly socketPath: string;
  readonly token: string | undefined;
  /** Asked for each notification: it changes with each snapshot. */
  readonly scope: () => Scope;
  /** After each (re)connect: what was notified meanwhile is lost, so everything is to be fetched again. */
  readonly onConnected: () => void;
  /** At most once a turn of the event loop; never empty. */
  readonly onChanges: (kinds: ReadonlySet<NotifiedKind>) => void;
  /** Once an outage, and once more where the platform refuses the token. */
  readonly onLost: (loss: Loss) => void;
  /** A clock that never goes back. */
  readonly nowMs: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly timing?: PipelineTiming;
};

export type Pipeline = {
  readonly counters: () => PipelineCounters;
  /** For good. May be called again. */
  readonly close: () => void;
};

type PipelineCounters = ReaderCounters & {
  readonly isConnected: boolean;
  readonly connects: number;
  /** By `nowMs`. */
  readonly lastConnectedAtMs: number | undefined;
};

type Follower = {
  readonly options: PipelineOptions;
  readonly timing: PipelineTiming;
  readonly reader: NotificationReader;
  state: PipelineState;
  client: typeof WebSocket | undefined;
  connection: Connection | undefined;
  timer: NodeJS.Timeout | undefined;
  hasHeard: boolean;
  connects: number;
  lastConnectedAtMs: number | undefined;
};

export function startPipeline(options: PipelineOptions): Pipeline {
  const timing = options.timing ?? defaultTiming;
  const [state, commands] = startConnecting(timing);
  const follower: Follower = {
    options,
    timing,
    reader: createNotificationReader({
      scope: options.scope,
      onChanges: (kinds) => {
        if (follower.state.id !== 'closed') options.onChanges(kinds);
      },
    }),
    state,
    client: undefined,
    connection: undefined,
    timer: undefined,
    hasHeard: false,
    connects: 0,
    lastConnectedAtMs: undefined,
  };
  carryOut(follower, commands);

  return {
    counters: () => ({
      ...follower.reader.counters(),
      isConnected: follower.state.id === 'connected',
      connects: follower.connects,
      lastConnectedAtMs: follower.lastConnectedAtMs,
    }),
    close: () => advance(follower, { type: 'close' }),
  };
}

function advance(follower: Follower, event: PipelineEvent): void {
  const { options, timing } = follower;
  const moment = { nowMs: options.nowMs(), random: options.random(), timing };
  const [state, commands] = transition(follower.state, event, moment);
  follower.state = state;
  carryOut(follower, commands);
}

function carryOut(follower: Follower, commands: readonly PipelineCommand[]): void {
  for (const command of commands) {
    execute(follower, command);
  }
}

function execute(follower: Follower, command: PipelineCommand): void {
  const { options } = follower;
  switch (command.type) {
    case 'connect':
      void connect(follower);
      return;
    case 'ping':
      follower.connection?.ping();
      return;
    case 'drop':
      follower.connection?.drop();
      follower.connection = undefined;
      return;
    case 'set-timer':
      setTimer(follower, command.delayMs);
      return;
    case 'clear-timer':
      clearTimeout(follower.timer);
      return;
    case 'report-connected':
      follower.connects += 1;
      follower.lastConnectedAtMs = options.nowMs();
      options.onConnected();
      return;
    case 'report-lost':
      options.onLost(command.loss);
  }
}

function setTimer(follower: Follower, delayMs: number): void {
  clearTimeout(follower.timer);
  follower.hasHeard = false;
  const timer = setTimeout(() => {
    // After a pause of the whole process an answer may lie in the socket: it is read before it counts as missing.
    setImmediate(() => {
      if (follower.timer === timer) {
        advance(follower, { type: 'timer', hasHeard: follower.hasHeard });
      }
    });
  }, delayMs).unref();
  follower.timer = timer;
}

/** Of a message. A notification has a few hundred. */
const maxBytes = 2 ** 20;

async function connect(follower: Follower): Promise<void> {
  const { socketPath, token } = follower.options;
  try {
    follower.client ??= (await import('ws')).default;
    if (follower.state.id !== 'connecting' || follower.connection !== undefined) {
      return; // Closed while ws was loading, or that took longer than a handshake may.
    }

    follower.connection = openConnection(follower.client, {
      socketPath,
      token,
      maxBytes,
      onOpened: () => advance(follower, { type: 'opened' }),
      onHeard: (frame) => hear(follower, frame),
      // No sign of life: its end may never come.
      onTooLarge: () => follower.reader.ignore('too-large'),
      onLost: (loss) => advance(follower, { type: 'lost', loss }),
    });
  } catch {
    const loss: Loss = { reason: 'io', detail: 'the WebSocket client could not be started' };
    advance(follower, { type: 'lost', loss });
  }
}

function hear(follower: Follower, frame: Frame | undefined): void {
  follower.hasHeard = true;
  if (frame !== undefined) follower.reader.read(frame);
}
