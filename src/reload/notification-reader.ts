// Messages of the pipeline to what has changed, with a count of everything that is ignored.
//
// Notifications of one turn of the event loop are told together: a flood costs no more than reading it.
import { changesOf, isNoChange, parseNotification } from '../core/notification.ts';
import type { NotifiedKind, Scope, Unusable } from '../core/notification.ts';
import type { Frame } from './pipeline-connection.ts';

export type NotificationReader = {
  readonly read: (frame: Frame) => void;
  /** Counts a message that was not even held. */
  readonly ignore: (reason: IgnoredReason) => void;
  readonly counters: () => ReaderCounters;
};

export type ReaderOptions = {
  readonly scope: () => Scope;
  /** At most once a turn of the event loop; never empty. */
  readonly onChanges: (kinds: ReadonlySet<NotifiedKind>) => void;
};

export type ReaderCounters = {
  /** Messages, usable or not. */
  readonly seen: number;
  readonly ignored: Readonly<Record<IgnoredReason, number>>;
};

/** `not-ours`: of another environment, or of containers that we may not see. `no-change`: of a state to the same state. */
type IgnoredReason = Unusable | 'binary' | 'too-large' | 'not-ours' | 'no-change';

export function createNotificationReader({ scope, onChanges }: ReaderOptions): NotificationReader {
  const ignored: Record<IgnoredReason, number> = {
    'not-json': 0,
    'not-a-notification': 0,
    'unknown-topic': 0,
    binary: 0,
    'too-large': 0,
    'not-ours': 0,
    'no-change': 0,
  };
  let seen = 0;
  let changed = new Set<NotifiedKind>();
  const tell = (): void => {
    const kinds = changed;
    changed = new Set();
    onChanges(kinds);
  };
  const ignore = (reason: IgnoredReason): void => {
    seen += 1;
    ignored[reason] += 1;
  };

  return {
    read: (frame) => {
      const judged = judge(frame, scope);
      if (typeof judged === 'string') {
        ignore(judged);
        return;
      }

      seen += 1;
      if (changed.size === 0) setImmediate(tell);
      for (const kind of judged) {
        changed.add(kind);
      }
    },
    ignore,
    counters: () => ({ seen, ignored: { ...ignored } }),
  };
}

function judge(
  { bytes, isBinary }: Frame,
  scope: () => Scope,
): readonly NotifiedKind[] | IgnoredReason {
  if (isBinary) {
    return 'binary';
  }

  const notification = parseNotification(bytes.toString());
  if (typeof notification === 'string') {
    return notification;
  }

  if (isNoChange(notification)) {
    return 'no-change';
  }

  const kinds = changesOf(notification, scope());
  return kinds.length === 0 ? 'not-ours' : kinds;
}
