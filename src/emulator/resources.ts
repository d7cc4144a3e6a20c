// The platform's resources in their published shapes: every required field, and beyond these only what is read.
//
// Source: the platform's OpenAPI document of the internal API. Lean, since an environment can have 10,000 instances.
import { idFrom } from './platform.ts';
import type { Instance, Platform, Server, Service } from './platform.ts';

/** Nothing here has a past: everything was made at one moment. */
const created = '2026-01-01T00:00:00Z';
/** The platform's zero time, for what has not happened. */
const never = '0001-01-01T00:00:00Z';
const cluster = 'emulator';
const vendor = 'emulator';
const location = 'laptop';
const events = { created, updated: created, deleted: never };

/** What the resources of one platform have in common. */
export type Owner = {
  readonly hubId: string;
  readonly environmentId: string;
  readonly creator: { readonly id: string; readonly type: 'account' };
};

export function createOwner(platform: Platform): Owner {
  return {
    hubId: platform.hub.id,
    environmentId: platform.environment.id,
    creator: { id: idFrom('account', platform.hub.id), type: 'account' },
  };
}

/** Schema `Container`. */
export function formatContainer(service: Service, owner: Owner) {
  return {
    id: service.id,
    identifier: service.identifier,
    name: service.name,
    creator: owner.creator,
    environment: { id: owner.environmentId, cluster },
    hub_id: owner.hubId,
    image: {
      id: idFrom('image', service.name),
      extension: null,
      service: service.platformService ?? null,
    },
    config: {
      network: { public: 'disable', hostname: service.identifier },
      deploy: { instances: service.instances.length },
    },
    deployment: service.deployment === undefined ? null : { version: service.deployment },
    instances: service.instances.length,
    stateful: false,
    deprecate: false,
    lock: false,
    state: { current: service.state, changed: created },
    events: { ...events, started: created },
  };
}

/** Schema `Instance`. */
export function formatInstance(instance: Instance, service: Service, owner: Owner) {
  const { healthy, ready } = instance;
  return {
    id: instance.id,
    creator: owner.creator,
    hub_id: owner.hubId,
    container_id: service.id,
    location_id: location,
    environment: formatNetwork(instance, owner),
    provider: { vendor, integration_id: owner.hubId, location },
    server_id: instance.server.id,
    ready_state: instance.readyState,
    hostname: instance.hostname,
    ...(service.platformService !== undefined && { service: service.platformService }),
    state: {
      current: instance.state,
      changed: created,
      health: healthy === undefined ? null : { healthy, updated: created },
      readiness: ready === undefined ? null : { ready, updated: created },
    },
    traffic_drain: instance.isDraining ? { started: created } : null,
    deployment: service.deployment === undefined ? null : { version: service.deployment },
    events,
  };
}

/** Schema `EnvironmentNetworkSummary`. */
function formatNetwork(instance: Instance, owner: Owner) {
  const { ipv4, ipv6 } = instance;
  return {
    id: owner.environmentId,
    network_subnet: 'fd00::/16',
    subnet: 'fd00::/96',
    ipv6: ipv6 === undefined ? null : { ip: ipv6, cidr: `${ipv6}/96` },
    legacy: {
      host: 1,
      subnet: 1,
      ipv4: ipv4 === undefined ? null : { ip: ipv4, cidr: `${ipv4}/24` },
    },
    // Locally administered: the second digit is 2.
    mac_addr: `02${instance.id.slice(0, 10)}`.replace(/..(?=.)/g, '$&:'),
    vxlan_tag: 1,
  };
}

/** Schema `Environment`. */
export function formatEnvironment(platform: Platform, owner: Owner) {
  const loadbalancer = platform.services.find((one) => one.platformService === 'loadbalancer');
  return {
    ...platform.environment,
    identifier: platform.environment.name,
    cluster,
    about: { description: 'From a platform file of the emulator.', favorite: false },
    creator: owner.creator,
    hub_id: owner.hubId,
    state: { current: 'live', changed: created },
    events,
    features: { legacy_networking: true },
    services: {
      loadbalancer: loadbalancer
        ? { enable: true, container_id: loadbalancer.id, high_availability: false }
        : null,
    },
  };
}

/** Schema `Server`. */
export function formatServer(server: Server, owner: Owner) {
  return {
    ...server,
    hub_id: owner.hubId,
    location_id: location,
    model_id: idFrom('model', vendor),
    node_id: idFrom('node', server.id),
    shared_file_systems: {},
    creator: owner.creator,
    provider: { vendor, integration_id: owner.hubId, model: vendor, location, server: server.id },
    cluster,
    features: { sftp: false },
    constraints: { tags: [], allow: { pool: true, services: true, overcommit: true } },
    ephemeral: false,
    state: { current: 'live', changed: created },
    events: {
      ...events,
      latest_instance: created,
      provisioning: { started: created, failed: never, completed: created },
    },
  };
}

/** Schema `PublicHub`. */
export function formatHub(platform: Platform, owner: Owner) {
  return {
    ...platform.hub,
    events,
    creator: owner.creator,
    state: { current: 'live', changed: created },
  };
}
