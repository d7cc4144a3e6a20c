// Every answer that depends on the platform alone, rendered once. Pure.
//
// Bodies are Buffers: one of 10,000 instances is some 9 MB, and is asked for again and again.
import type { Platform, Service } from './platform.ts';
import {
  createOwner,
  formatContainer,
  formatEnvironment,
  formatHub,
  formatInstance,
  formatServer,
} from './resources.ts';
import type { Owner } from './resources.ts';

export type Answers = {
  /** Bodies by path. */
  readonly bodies: ReadonlyMap<string, Buffer>;
  /** The answer about one container, for the paths that take `container-id`; undefined for an unknown id. */
  readonly findBody: (path: ContainerPath, containerId: string) => Buffer | undefined;
};

/** The paths that take `container-id`. The last one is where older platforms serve certificates. */
export const containerPaths = [
  '/v1/container',
  '/v1/container/instances',
  '/v1/containers/certificates',
  '/v1/container/certificates',
] as const;

export type ContainerPath = (typeof containerPaths)[number];

export function renderAnswers(platform: Platform): Answers {
  const owner = createOwner(platform);
  const { self, server, services } = platform;
  const byId = new Map(services.map((service) => [service.id, service]));
  const instances = services.flatMap((service) => instancesOf(service, owner));
  const neighbours = instances.filter((instance) => instance.server_id === server.id);
  return {
    bodies: new Map([
      ...containerPaths.map((path) => [path, renderFor(path, self, platform)] as const),
      ['/v1/environment', renderBody(formatEnvironment(platform, owner))],
      [
        '/v1/environment/containers',
        renderBody(services.map((one) => formatContainer(one, owner))),
      ],
      ['/v1/environment/instances', renderBody(instances)],
      ['/v1/server', renderBody(formatServer(server, owner))],
      ['/v1/server/instances', renderBody(neighbours)],
      ['/v1/hub', renderBody(formatHub(platform, owner))],
    ]),
    findBody: (path, containerId) => {
      const service = byId.get(containerId);
      return service && renderFor(path, service, platform);
    },
  };
}

/** `{"data": …}`, as every answer that is no error. */
function renderBody(data: unknown): Buffer {
  return Buffer.from(JSON.stringify({ data }));
}

function renderFor(path: ContainerPath, service: Service, platform: Platform): Buffer {
  const owner = createOwner(platform);
  switch (path) {
    case '/v1/container':
      return renderBody(formatContainer(service, owner));
    case '/v1/container/instances':
      return renderBody(instancesOf(service, owner));
    case '/v1/containers/certificates':
    case '/v1/container/certificates':
      return renderBody(service.id === platform.self.id ? certificatesOf(platform) : []);
  }
}

function instancesOf(service: Service, owner: Owner) {
  return service.instances.map((instance) => formatInstance(instance, service, owner));
}

function certificatesOf(platform: Platform) {
  return platform.certificates.map(({ id, domains, privateKey, bundle }) => ({
    id,
    domains,
    private_key: privateKey,
    bundle,
    hub_id: platform.hub.id,
  }));
}
