// The platform's notifications as an async iterable: the pipeline that init follows, for a caller who pulls.
//
// A caller who is slow misses nothing and costs nothing: what comes meanwhile is merged (core/pending-events.ts).
import { type NotificationEvent, addEvent } from '../core/pending-events.ts';
import { scopeOf } from '../core/notification.ts';
import type { Scope } from '../core/notification.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { nowMs } from '../inputs/monotonic-clock.ts';
import { checkToken } from '../inputs/platform-request.ts';
import { startPipeline } from '../reload/pipeline.ts';
import { type Place, placeOf } from './place.ts';

export type NotificationOptions = Place & {
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined;
  /** What is known. Where it is given, notifications of what it cannot see are left out. */
  readonly snapshot?: (() => Snapshot | undefined) | undefined;
};

/**
 * Follows the platform until the loop over it is left or `signal` aborts. Connects when it is first asked for an event, again
 * and again where that fails (full jitter, at most 30 s), and never ends by itself. Keeps the process running while
 * somebody waits for an event.
 *
 * @throws {StartError} `E_TOKEN`: the token cannot be sent.
 */
export async function* notifications(
  options: NotificationOptions = {},
): AsyncGenerator<NotificationEvent, void, undefined> {
  const { signal } = options;
  const place = placeOf(options);
  checkToken(place.token);
  if (signal?.aborted === true) {
    return;
  }

  const inbox = createInbox();
  const pipeline = startPipeline({
    ...place,
    scope: () => scopeOfKnown(options.snapshot?.()),
    onConnected: () => inbox.add({ type: 'connected' }),
    onChanges: (kinds) => inbox.add({ type: 'changed', kinds }),
    onLost: (loss) => inbox.add({ type: 'lost', ...loss }),
    nowMs,
    random: Math.random,
  });
  signal?.addEventListener('abort', inbox.close);
  try {
    for (;;) {
      const event = await inbox.take();
      if (event === undefined) {
        return;
      }

      yield event;
    }
  } finally {
    signal?.removeEventListener('abort', inbox.close);
    pipeline.close();
  }
}

function scopeOfKnown(snapshot: Snapshot | undefined): Scope {
  return snapshot === undefined
    ? { environmentId: undefined, hiddenContainerIds: new Set() }
    : scopeOf(snapshot);
}

type Inbox = {
  readonly add: (event: NotificationEvent) => void;
  /** Waits for one where there is none; undefined after `close`. */
  readonly take: () => Promise<NotificationEvent | undefined>;
  readonly close: () => void;
};

/** The longest that a timer can be, some 24 days. */
const longMs = 2 ** 31 - 1;

function createInbox(): Inbox {
  let pending: readonly NotificationEvent[] = [];
  let isClosed = false;
  let wake: (() => void) | undefined;
  // The pipeline's own socket and timers keep no process running.
  const sleep = (): Promise<void> =>
    new Promise((resolve) => {
      const hold = setInterval(() => undefined, longMs);
      wake = () => {
        clearInterval(hold);
        resolve();
      };
    });

  return {
    add: (event) => {
      pending = addEvent(pending, event);
      wake?.();
    },
    take: async () => {
      if (pending.length === 0 && !isClosed) {
        await sleep();
      }

      const [event, ...rest] = isClosed ? [] : pending;
      pending = rest;
      return event;
    },
    close: () => {
      isClosed = true;
      wake?.();
    },
  };
}
