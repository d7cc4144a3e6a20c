// What the notifications have come to while nobody was looking: at most two events, however many there were.
//
// `connected` asks for everything to be fetched, so whatever was before it does not count any more, and no change adds to it.
import type { NotifiedKind } from './notification.ts';
import type { Loss } from './pipeline-state.ts';

export type NotificationEvent =
  /** The connection is there, for the first time or again. What was notified before is lost: fetch everything. */
  | { readonly type: 'connected' }
  /** These may have changed: fetch them. */
  | { readonly type: 'changed'; readonly kinds: ReadonlySet<NotifiedKind> }
  /** There is no connection; attempts go on. Once an outage, and once more where the platform refuses the token. */
  | ({ readonly type: 'lost' } & Loss);

/** @param pending - Oldest first. */
export function addEvent(
  pending: readonly NotificationEvent[],
  event: NotificationEvent,
): readonly NotificationEvent[] {
  const toFetch = pending.find(({ type }) => type !== 'lost');
  const lost = pending.filter(({ type }) => type === 'lost');
  switch (event.type) {
    case 'connected':
      return [event];
    case 'changed':
      return [merge(toFetch, event), ...lost];
    case 'lost':
      return toFetch === undefined ? [event] : [toFetch, event];
  }
}

type Changed = Extract<NotificationEvent, { type: 'changed' }>;

function merge(before: NotificationEvent | undefined, { kinds }: Changed): NotificationEvent {
  switch (before?.type) {
    case 'connected':
      return before;
    case 'changed':
      return { type: 'changed', kinds: new Set([...before.kinds, ...kinds]) };
    case 'lost':
    case undefined:
      return { type: 'changed', kinds };
  }
}
