// The connection to the platform's notifications as a table: (state, event) -> (next state, commands).
//
//   connecting --opened--> connected      every pingMs a ping; nothing heard for pongMs after it: dropped
//     ^    |                   |
//     |   lost, or no answer   | lost, or silent
//     |    v                   v
//     '-- waiting (backoff, full jitter) ; closed from everywhere, for good
//
// There is one timer: setting it replaces it. Attempts never end; their number starts anew only after a connection that
// lived, so that a platform which accepts and hangs up is not hammered.
import { type Backoff, retryDelayMs } from './backoff.ts';

export type PipelineTiming = {
  readonly backoff: Backoff;
  /** From the attempt to the end of the handshake. */
  readonly handshakeMs: number;
  readonly pingMs: number;
  /** From a ping until something must have been heard; at most `pingMs`. */
  readonly pongMs: number;
  /** A connection of this age lived. */
  readonly livedMs: number;
};

export const defaultTiming: PipelineTiming = {
  backoff: { initialMs: 100, factor: 2, limitMs: 30_000 },
  handshakeMs: 10_000,
  pingMs: 15_000,
  pongMs: 15_000, // One timer in place of two: each wakes a process that has nothing to do.
  livedMs: 10_000,
};

/** Why there is no connection, and half a sentence that contains nothing the server sent. */
export type Loss = { readonly reason: LossReason; readonly detail: string };

export type LossReason =
  | 'no-socket'
  | 'refused'
  | 'denied'
  /** 401 or 403. */
  | 'unauthorized'
  /** Another status than 101. */
  | 'unexpected-answer'
  | 'malformed'
  | 'silent'
  | 'ended'
  | 'io';

export type PipelineState =
  | { readonly id: 'connecting'; readonly outage: Outage }
  | {
      readonly id: 'connected';
      readonly outage: Outage;
      readonly sinceMs: number;
      readonly isAwaitingPong: boolean;
    }
  | { readonly id: 'waiting'; readonly outage: Outage }
  | { readonly id: 'closed' };

/** What has failed since a connection last lived. */
type Outage = {
  readonly failures: number;
  /** What the operator was told since the last connection: each of the two only once. */
  readonly told: 'nothing' | 'lost' | 'unauthorized';
};

export type PipelineEvent =
  | { readonly type: 'opened' }
  | { readonly type: 'lost'; readonly loss: Loss }
  /** `hasHeard`: whether the peer has sent anything since the timer was set. */
  | { readonly type: 'timer'; readonly hasHeard: boolean }
  | { readonly type: 'close' };

/** When an event happens, and what is random about it: uniform in [0, 1). */
export type Moment = {
  readonly nowMs: number;
  readonly random: number;
  readonly timing: PipelineTiming;
};

export type PipelineCommand =
  | { readonly type: 'connect' }
  | { readonly type: 'ping' }
  /** Ends the connection, whatever its state; nothing is heard of it any more. */
  | { readonly type: 'drop' }
  | { readonly type: 'set-timer'; readonly delayMs: number }
  | { readonly type: 'clear-timer' }
  | { readonly type: 'report-connected' }
  | { readonly type: 'report-lost'; readonly loss: Loss };

type Transition = readonly [PipelineState, readonly PipelineCommand[]];

export function startConnecting(timing: PipelineTiming): Transition {
  return connect({ failures: 0, told: 'nothing' }, timing);
}

export function transition(state: PipelineState, event: PipelineEvent, moment: Moment): Transition {
  if (state.id === 'closed') {
    return [state, []];
  }

  switch (event.type) {
    case 'opened':
      return state.id === 'connecting' ? open(state.outage, moment) : [state, []];
    case 'lost':
      return lose(state, event.loss, moment);
    case 'timer':
      return onTimer(state, event.hasHeard, moment);
    case 'close':
      return [{ id: 'closed' }, [{ type: 'clear-timer' }, { type: 'drop' }]];
  }
}

type Living = Exclude<PipelineState, { id: 'closed' }>;

function connect(outage: Outage, { handshakeMs }: PipelineTiming): Transition {
  return [
    { id: 'connecting', outage },
    [{ type: 'connect' }, { type: 'set-timer', delayMs: handshakeMs }],
  ];
}

function open({ failures }: Outage, { nowMs, timing }: Moment): Transition {
  const outage = { failures, told: 'nothing' } as const;
  return [
    { id: 'connected', outage, sinceMs: nowMs, isAwaitingPong: false },
    [{ type: 'set-timer', delayMs: timing.pingMs }, { type: 'report-connected' }],
  ];
}

function onTimer(state: Living, hasHeard: boolean, moment: Moment): Transition {
  const { handshakeMs, pingMs, pongMs } = moment.timing;
  switch (state.id) {
    case 'waiting':
      return connect(state.outage, moment.timing);
    case 'connecting':
      return lose(state, silence('the handshake', handshakeMs), moment);
    case 'connected':
      if (!state.isAwaitingPong) {
        return [
          { ...state, isAwaitingPong: true },
          [{ type: 'ping' }, { type: 'set-timer', delayMs: pongMs }],
        ];
      }

      return hasHeard
        ? [{ ...state, isAwaitingPong: false }, [{ type: 'set-timer', delayMs: pingMs - pongMs }]]
        : lose(state, silence('a ping', pongMs), moment);
  }
}

function silence(what: string, deadlineMs: number): Loss {
  return { reason: 'silent', detail: `${what} was not answered within ${deadlineMs} ms` };
}

function lose(state: Living, loss: Loss, { nowMs, random, timing }: Moment): Transition {
  if (state.id === 'waiting') {
    return [state, []];
  }

  const hasLived = state.id === 'connected' && nowMs - state.sinceMs >= timing.livedMs;
  const failures = hasLived ? 1 : state.outage.failures + 1;
  const isRefused = loss.reason === 'unauthorized';
  const { told } = state.outage;
  const isNews = told === 'nothing' || (told === 'lost' && isRefused);
  const delayMs = isRefused
    ? slowDelayMs(timing.backoff, random)
    : retryDelayMs(timing.backoff, failures, random);
  const telling = isRefused ? 'unauthorized' : 'lost';
  return [
    { id: 'waiting', outage: { failures, told: isNews ? telling : told } },
    [
      { type: 'drop' },
      { type: 'set-timer', delayMs },
      ...(isNews ? [{ type: 'report-lost', loss } as const] : []),
    ],
  ];
}

/** Between half of the limit and all of it: a token that was refused does not get better within seconds. */
function slowDelayMs({ limitMs }: Backoff, random: number): number {
  return Math.floor((limitMs * (1 + random)) / 2);
}
