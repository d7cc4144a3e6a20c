// The notifications that the platform would send on the way from one platform to another. Pure.
//
// An object that keeps its id has changed, another id is another object: ids in the file keep things what they are.
import { containerChanges } from './container-changes.ts';
import { announcerOf, pairsOf } from './notification.ts';
import type { Announce, Notification, Pair } from './notification.ts';
import { idFrom } from './platform.ts';
import type { Certificate, Platform, PlatformSecret } from './platform.ts';

/** Empty where nothing changed that the platform would tell of. */
export function notificationsBetween(before: Platform, after: Platform): Notification[] {
  const announce = announcerOf(after);
  return [
    ...pairsOf(before.services, after.services, (service) => service.id).flatMap((pair) =>
      containerChanges(pair, announce),
    ),
    ...environmentChanges(before, after, announce),
    ...pairsOf(before.secrets, after.secrets, (secret) => secret.identifier).flatMap((pair) =>
      secretChanges(pair, after.environment.id, announce),
    ),
    ...pairsOf(before.certificates, after.certificates, (certificate) => certificate.id).flatMap(
      (pair) => certificateChanges(pair, announce),
    ),
  ];
}

function environmentChanges(before: Platform, after: Platform, announce: Announce): Notification[] {
  const { id } = after.environment;
  const topics = [
    ...(before.hub.name === after.hub.name ? [] : ['hub.updated']),
    ...(before.environment.name === after.environment.name ? [] : ['environment.updated']),
    ...(platformServicesOf(before) === platformServicesOf(after)
      ? []
      : ['environment.services.reconfigured']),
    ...(deploymentsOf(before) === deploymentsOf(after)
      ? []
      : ['environment.deployments.reconfigured']),
  ];
  return topics.map((topic) =>
    announce(topic, { id: topic === 'hub.updated' ? after.hub.id : id }),
  );
}

/** The platform's own services: which there are, and where. */
function platformServicesOf({ services }: Platform): string {
  return services
    .filter(({ platformService }) => platformService !== undefined)
    .map(({ id, platformService, instances }) => {
      const addresses = instances.map(({ ipv4, ipv6 }) => [ipv4, ipv6]);
      return JSON.stringify([id, platformService, addresses]);
    })
    .toSorted()
    .join();
}

/** Which container is in which deployment. */
function deploymentsOf({ services }: Platform): string {
  return services
    .filter(({ deployment }) => deployment !== undefined)
    .map(({ id, deployment }) => JSON.stringify([id, deployment]))
    .toSorted()
    .join();
}

function secretChanges(
  [before, after]: Pair<PlatformSecret>,
  environmentId: string,
  announce: Announce,
): Notification[] {
  const { identifier } = after ?? before ?? { identifier: '' };
  const id = idFrom('scoped-variable', environmentId, identifier);
  if (after === undefined) {
    const object = { id, state: 'deleted', state_previous: 'live' };
    return [announce('environment.scoped-variable.state.changed', object)];
  }
  if (before === undefined) return [announce('environment.scoped-variable.new', { id })];
  const isSame =
    before.value === after.value &&
    before.durationMs === after.durationMs &&
    before.isServedOnce === after.isServedOnce;
  return isSame ? [] : [announce('environment.scoped-variable.updated', { id })];
}

function certificateChanges(
  [before, after]: Pair<Certificate>,
  announce: Announce,
): Notification[] {
  const { id, domains } = after ?? before ?? { id: '', domains: [] };
  const zoneIds = [...new Set(domains.map(zoneOf))].map((zone) => idFrom('zone', zone));
  if (after === undefined) {
    const object = { id, state: 'deleted', state_previous: 'live' };
    return [announce('dns.certificate.state.changed', object, { zoneIds })];
  }
  const isSame =
    before?.privateKey === after.privateKey &&
    before.bundle === after.bundle &&
    before.domains.join() === after.domains.join();
  if (isSame) return [];
  const object = { id, state: 'live', state_previous: before ? 'live' : 'new' };
  return [
    announce('dns.certificate.state.changed', object, { zoneIds }),
    ...zoneIds.map((zoneId) =>
      announce('dns.zone.certificate.ready', { id: zoneId }, { zoneIds: [zoneId] }),
    ),
  ];
}

/** `example.com` of `*.shop.example.com`: near enough to a zone where nobody runs a DNS server. */
function zoneOf(domain: string): string {
  return domain.split('.').slice(-2).join('.').toLowerCase();
}
