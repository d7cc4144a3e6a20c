import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { NotifiedKind } from '../../src/core/notification.ts';
import { type NotificationEvent, addEvent } from '../../src/core/pending-events.ts';

const connected: NotificationEvent = { type: 'connected' };
const lost: NotificationEvent = { type: 'lost', reason: 'ended', detail: 'it was closed (1006)' };
const refused: NotificationEvent = {
  type: 'lost',
  reason: 'unauthorized',
  detail: 'the answer was 401',
};

function changed(...kinds: NotifiedKind[]): NotificationEvent {
  return { type: 'changed', kinds: new Set(kinds) };
}

function pendingAfter(events: readonly NotificationEvent[]): readonly NotificationEvent[] {
  return events.reduce(addEvent, [] as readonly NotificationEvent[]);
}

/** What has to be fetched after them. */
function wanted(events: readonly NotificationEvent[]): readonly NotifiedKind[] {
  return events.some(({ type }) => type === 'connected')
    ? ['ist', 'secrets', 'certificates']
    : events.flatMap((event) => (event.type === 'changed' ? [...event.kinds] : []));
}

describe('events that nobody has taken', () => {
  test.each([
    [
      'changes are one, with all their kinds',
      [changed('ist'), changed('secrets', 'ist')],
      [changed('ist', 'secrets')],
    ],
    [
      'a change adds nothing to a connection, after which all is fetched',
      [connected, changed('ist')],
      [connected],
    ],
    ['a connection replaces what was before it', [changed('ist'), lost, connected], [connected]],
    ['a loss comes after what is to be fetched', [changed('ist'), lost], [changed('ist'), lost]],
    ['a loss does not undo a connection', [connected, lost], [connected, lost]],
    ['of two losses the last counts', [lost, refused], [refused]],
    [
      'a change that is told late comes before the loss',
      [lost, changed('ist')],
      [changed('ist'), lost],
    ],
  ])('%s', (_what, events, expected) => {
    expect(pendingAfter(events)).toEqual(expected);
  });

  const someEvent = fc.oneof(
    fc.constantFrom(connected, lost, refused),
    fc
      .subarray(['ist', 'secrets', 'certificates'] as const, { minLength: 1 })
      .map((kinds) => changed(...kinds)),
  );

  test('are two at most, and whoever fetches what they say misses nothing', () => {
    fc.assert(
      fc.property(fc.array(someEvent), (events) => {
        const pending = pendingAfter(events);

        expect(pending.length).toBeLessThanOrEqual(2);
        expect(new Set(wanted(pending))).toEqual(new Set(wanted(events)));
        expect(pending.at(-1)?.type === 'lost').toBe(
          events.findLast(({ type }) => type !== 'changed')?.type === 'lost',
        );
      }),
    );
  });
});
