// Notifications of the platform: read from a text frame, and judged by whether they can concern us.
//
// Shape: the published AsyncAPI document; where the platform's own client differs, both spellings are read (DESIGN
// section 3). What is not said restricts nothing: one fetch too many finds no difference, one too few misses a change.
import { isVisible } from './ist.ts';
import type { Snapshot } from './snapshot.ts';

/** What a notification can have changed. */
export type NotifiedKind = 'ist' | 'secrets' | 'certificates';

const kindOf = {
  'container.instances.reconfigured': 'ist',
  'container.reconfigured': 'ist',
  'container.state.changed': 'ist',
  'container.instance.state.changed': 'ist',
  'container.instance.health.status.changed': 'ist',
  'container.instance.readiness.status.changed': 'ist',
  'container.instance.traffic-drain.reconfigured': 'ist',
  'environment.services.reconfigured': 'ist',
  'environment.deployments.reconfigured': 'ist',
  'sdn.network.reconfigured': 'ist',
  'environment.scoped-variable.new': 'secrets',
  'environment.scoped-variable.updated': 'secrets',
  'environment.scoped-variable.state.changed': 'secrets',
  'dns.zone.certificate.ready': 'certificates',
  'dns.certificate.state.changed': 'certificates',
} as const satisfies Record<string, NotifiedKind>;

type Topic = keyof typeof kindOf;

export type Notification = {
  readonly topic: Topic;
  /** `object.id`: of a container, an instance, a variable …, as the topic says. */
  readonly id: string | undefined;
  readonly state: string | undefined;
  readonly previousState: string | undefined;
  /** `context`. Empty where the platform does not say; it writes null then. */
  readonly environments: readonly string[];
  readonly containers: readonly string[];
};

/** Why a text frame is no notification for us. */
export type Unusable = 'not-json' | 'not-a-notification' | 'unknown-topic';

export function parseNotification(text: string): Notification | Unusable {
  const frame = parseJson(text);
  if (frame === undefined) {
    return 'not-json';
  }

  const { topic, object, context } = fieldsOf(frame);
  if (typeof topic !== 'string') {
    return 'not-a-notification';
  }

  return isTopic(topic)
    ? toNotification(topic, fieldsOf(object), fieldsOf(context))
    : 'unknown-topic';
}

/** From where we look at the platform. */
export type Scope = {
  /** Our environment; undefined where it is not known, and then every environment may be ours. */
  readonly environmentId: string | undefined;
  /**
   * Containers that the last snapshot had and that we may not see. Those in no snapshot yet are not among them: a new
   * container may be a new service, and only the fetch tells its deployment.
   */
  readonly hiddenContainerIds: ReadonlySet<string>;
};

export function scopeOf({ self, containers, environment }: Snapshot): Scope {
  const hidden = containers.filter((container) => !isVisible(container, self));
  return {
    environmentId: environment?.id,
    hiddenContainerIds: new Set(hidden.map(({ id }) => id)),
  };
}

/**
 * Topics that are about `object.state` and nothing else. With others it can be the same before and after: a certificate
 * that was renewed is live, as the one before was.
 */
const aboutState: ReadonlySet<Topic> = new Set([
  'container.state.changed',
  'container.instance.state.changed',
]);

/** Its state is what it was. */
export function isNoChange({ topic, state, previousState }: Notification): boolean {
  return aboutState.has(topic) && state !== undefined && state === previousState;
}

/** What has to be fetched again; empty for a notification that cannot concern us. */
export function changesOf(notification: Notification, scope: Scope): readonly NotifiedKind[] {
  return isElsewhere(notification, scope) || isHidden(notification, scope)
    ? []
    : [kindOf[notification.topic]];
}

function isElsewhere({ environments }: Notification, { environmentId }: Scope): boolean {
  return (
    environmentId !== undefined && environments.length > 0 && !environments.includes(environmentId)
  );
}

/** After these a container may be in another deployment than in the last snapshot, perhaps in ours. */
const movesContainers: ReadonlySet<Topic> = new Set([
  'container.reconfigured',
  'environment.deployments.reconfigured',
]);

function isHidden(notification: Notification, { hiddenContainerIds }: Scope): boolean {
  const containers = containersOf(notification);
  return (
    containers.length > 0 &&
    !movesContainers.has(notification.topic) &&
    containers.every((id) => hiddenContainerIds.has(id))
  );
}

const aboutContainer: ReadonlySet<Topic> = new Set([
  'container.instances.reconfigured',
  'container.state.changed',
]);

function containersOf({ topic, id, containers }: Notification): readonly string[] {
  return containers.length === 0 && id !== undefined && aboutContainer.has(topic)
    ? [id]
    : containers;
}

function isTopic(topic: string): topic is Topic {
  return Object.hasOwn(kindOf, topic);
}

type Fields = Readonly<Record<string, unknown>>;

function toNotification(topic: Topic, object: Fields, context: Fields): Notification {
  return {
    topic,
    id: textOf(object['id']),
    state: textOf(object['state']),
    previousState: textOf(object['previous_state']) ?? textOf(object['state_previous']),
    environments: textsOf(context['environments']),
    containers: textsOf(context['containers']),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // The parser's message quotes the text.
  }
}

const noFields: Fields = {};

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : noFields;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
