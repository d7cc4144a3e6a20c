// What the platform sends to those who listen to its pipeline: one JSON object a text frame.
//
// Field names are those of the platform's own client; a list that does not apply is null there, not missing.
import type { Platform } from './platform.ts';

export type Notification = {
  /** `container.state.changed`, … */
  readonly topic: string;
  readonly object: {
    readonly id: string;
    readonly state?: string;
    readonly state_previous?: string;
    readonly error?: string;
  };
  readonly context: {
    readonly label: string | null;
    readonly hub_id: string | null;
    readonly account_id: string | null;
    readonly environments: readonly string[] | null;
    readonly dns_zones: readonly string[] | null;
    readonly containers: readonly string[] | null;
    readonly clusters: readonly string[] | null;
  };
  readonly annotations?: Readonly<Record<string, string>>;
};

/** What a notification is about, beside its object. */
type About = {
  readonly containerId?: string;
  readonly zoneIds?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
};

/** Makes the notifications of one platform. */
export type Announce = (
  topic: string,
  object: Notification['object'],
  about?: About,
) => Notification;

export function announcerOf({ hub, environment }: Platform): Announce {
  return (topic, object, { containerId, zoneIds, annotations } = {}) => ({
    topic,
    object,
    context: {
      label: null,
      hub_id: hub.id,
      account_id: null,
      environments: [environment.id],
      dns_zones: zoneIds ?? null,
      containers: containerId === undefined ? null : [containerId],
      clusters: null,
    },
    ...(annotations && { annotations }),
  });
}

/** A thing before and after; one of the two is missing where it was added or removed. */
export type Pair<Thing> = readonly [before: Thing | undefined, after: Thing | undefined];

/** In the order of `after`; what was removed comes last. */
export function pairsOf<Thing>(
  before: readonly Thing[],
  after: readonly Thing[],
  keyOf: (thing: Thing) => string,
): Pair<Thing>[] {
  const earlier = new Map(before.map((thing) => [keyOf(thing), thing]));
  const kept = new Set(after.map(keyOf));
  return [
    ...after.map((thing): Pair<Thing> => [earlier.get(keyOf(thing)), thing]),
    ...before
      .filter((thing) => !kept.has(keyOf(thing)))
      .map((thing): Pair<Thing> => [thing, undefined]),
  ];
}
