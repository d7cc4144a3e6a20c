// The platform as `debug` shows it: who we are, whose certificates there are, which services lead where.
//
// Part of the shape that docs/debug-json.md documents: see core/debug-report.ts for its rules.
import type { Tier } from './addresses.ts';
import type { IstAddress, IstMap, IstName, IstService } from './ist.ts';
import type { Platform } from './resolve.ts';
import type { Instance, NamedThing, Server, Snapshot } from './snapshot.ts';

export type DebugIdentity = {
  readonly hub: NamedThing | null;
  readonly environment: NamedThing | null;
  readonly server: Server | null;
  readonly container: {
    readonly id: string;
    readonly name: string;
    readonly identifier: string;
    readonly deployment: string | null;
    readonly state: string | null;
  };
  /** `null` where our own instance is not known. */
  readonly instanceId: string | null;
  /** All of this container's, our own among them. */
  readonly instances: readonly DebugInstance[];
};

export type DebugInstance = {
  readonly id: string;
  readonly isOwn: boolean;
  readonly serverId: string;
  readonly hostname: string;
  readonly readyState: string;
  readonly state: string;
  readonly isHealthy: boolean;
  readonly isReady: boolean;
  readonly isDraining: boolean;
  readonly ipv4: string | null;
  readonly ipv6: string | null;
};

export type DebugCertificate = {
  readonly domain: string;
  readonly certificateIds: readonly string[];
};

export type DebugAddress = {
  readonly instanceId: string;
  readonly ipv4: string | null;
  readonly ipv6: string | null;
};

export type DebugService = {
  readonly name: string;
  readonly containerId: string;
  /** True for the service that this container is an instance of. */
  readonly isOwn: boolean;
  /** True where the config has an `ist` entry for it. */
  readonly hasEntry: boolean;
  readonly tier: Tier;
  /** The value of its variables. */
  readonly address: string | null;
  readonly chosen: DebugAddress | null;
  /** The others of the tier, in the order of preference. */
  readonly others: readonly DebugAddress[];
  readonly hostnames: readonly IstName[];
  readonly variables: readonly IstName[];
};

export function describeIdentity({ snapshot, self }: Platform): DebugIdentity {
  const { hub, environment, server, instances } = snapshot;
  const { id, name, identifier, deployment, state } = snapshot.self;
  return {
    hub: hub === undefined ? null : { id: hub.id, name: hub.name },
    environment: environment === undefined ? null : { id: environment.id, name: environment.name },
    server: server === undefined ? null : { id: server.id, hostname: server.hostname },
    container: {
      id,
      name,
      identifier,
      deployment: deployment ?? null,
      state: state ?? null,
    },
    instanceId: self.instance?.id ?? null,
    instances: instances
      .filter(({ containerId }) => containerId === id)
      .map((instance) => describeInstance(instance, self.instance?.id)),
  };
}

export function describeCertificates({ certificates }: Snapshot): DebugCertificate[] | null {
  if (certificates === undefined) {
    return null;
  }

  const byDomain = new Map<string, string[]>();
  for (const { id, domains } of certificates) {
    for (const domain of domains) {
      byDomain.set(domain, [...(byDomain.get(domain) ?? []), id]);
    }
  }

  return Array.from(byDomain, ([domain, certificateIds]) => ({ domain, certificateIds })).toSorted(
    (a, b) => (a.domain < b.domain ? -1 : 1),
  );
}

export function describeServices(map: IstMap, ownId: string | undefined): DebugService[] {
  return map.services.map((service) => describeService(service, service.containerId === ownId));
}

function describeInstance(instance: Instance, ownId: string | undefined): DebugInstance {
  const { id, serverId, hostname, readyState, state, isHealthy, isReady, isDraining } = instance;
  return {
    id,
    isOwn: id === ownId,
    serverId,
    hostname,
    readyState,
    state,
    isHealthy,
    isReady,
    isDraining,
    ipv4: instance.ipv4 ?? null,
    ipv6: instance.ipv6 ?? null,
  };
}

function describeService(service: IstService, isOwn: boolean): DebugService {
  const { name, containerId, hasEntry, tier, address, chosen, others } = service;
  return {
    name,
    containerId,
    isOwn,
    hasEntry,
    tier,
    address: address ?? null,
    chosen: chosen === undefined ? null : describeAddress(chosen),
    others: others.map(describeAddress),
    hostnames: service.hostnames.map(describeName),
    variables: service.variables.map(describeName),
  };
}

function describeAddress({ instanceId, ipv4, ipv6 }: IstAddress): DebugAddress {
  return { instanceId, ipv4: ipv4 ?? null, ipv6: ipv6 ?? null };
}

function describeName({ name, rule }: IstName): IstName {
  return { name, rule };
}
