// What the platform says when containers and their instances are no longer what they were. Pure.
//
// Topics: the published AsyncAPI document and the platform's own client, which agree on none but the names.
import { pairsOf } from './notification.ts';
import type { Announce, Notification, Pair } from './notification.ts';
import type { Instance, Service } from './platform.ts';

/** One container before and after. Nothing for one that stayed the same. */
export function containerChanges(
  [before, after]: Pair<Service>,
  announce: Announce,
): Notification[] {
  const service = after ?? before;
  if (service === undefined || before === after) return [];
  const { id } = service;
  const about = { containerId: id };
  const pairs = pairsOf(before?.instances ?? [], after?.instances ?? [], (one) => one.id);
  const state = after?.state ?? 'deleted';
  const wasState = before?.state ?? 'new';
  return [
    ...(before ? [] : [announce('container.new', { id, state: 'new' }, about)]),
    ...(state === wasState && after
      ? []
      : [announce('container.state.changed', { id, state, state_previous: wasState }, about)]),
    ...(before && after && isReconfigured(before, after)
      ? [announce('container.reconfigured', { id }, about)]
      : []),
    ...(pairs.some(isMoved) ? [announce('container.instances.reconfigured', { id }, about)] : []),
    ...pairs.flatMap((pair) => instanceChanges(pair, id, announce)),
  ];
}

function isReconfigured(before: Service, after: Service): boolean {
  return (
    before.name !== after.name ||
    before.identifier !== after.identifier ||
    before.deployment !== after.deployment ||
    before.platformService !== after.platformService
  );
}

/** Whether it is not there, or not where it was. */
function isMoved([before, after]: Pair<Instance>): boolean {
  return (
    before === undefined ||
    after === undefined ||
    before.ipv4 !== after.ipv4 ||
    before.ipv6 !== after.ipv6 ||
    before.hostname !== after.hostname ||
    before.server.id !== after.server.id ||
    before.readyState !== after.readyState
  );
}

function instanceChanges(
  [before, after]: Pair<Instance>,
  containerId: string,
  announce: Announce,
): Notification[] {
  const id = (after ?? before)?.id ?? '';
  const about = { containerId };
  const state = after?.state ?? 'deleted';
  const wasState = before?.state ?? 'new';
  const health = announcedHealth(after?.healthy);
  const readiness = announcedReadiness(after?.ready);
  return [
    ...(state === wasState
      ? []
      : [
          announce(
            'container.instance.state.changed',
            { id, state, state_previous: wasState },
            about,
          ),
        ]),
    ...(after === undefined || after.healthy === before?.healthy
      ? []
      : [
          announce(
            'container.instance.health.status.changed',
            { id },
            { containerId, annotations: { health } },
          ),
        ]),
    ...(after === undefined || after.ready === before?.ready
      ? []
      : [
          announce(
            'container.instance.readiness.status.changed',
            { id },
            { containerId, annotations: { ready: readiness } },
          ),
        ]),
    ...(after === undefined || after.isDraining === (before?.isDraining ?? false)
      ? []
      : [announce('container.instance.traffic-drain.reconfigured', { id }, about)]),
  ];
}

function announcedHealth(isHealthy: boolean | null | undefined): string {
  if (typeof isHealthy !== 'boolean') return 'unknown';
  return isHealthy ? 'healthy' : 'unhealthy';
}

function announcedReadiness(isReady: boolean | null | undefined): string {
  if (typeof isReady !== 'boolean') return 'unknown';
  return isReady ? 'ready' : 'pending';
}
