// The platform that a file describes, complete: whatever the file leaves out is derived from names.
//
// Ids are 24 hex digits hashed from names, so they are the same in every run and on every machine.
import { createHash } from 'node:crypto';
import { platformFileError } from './platform-file.ts';
import type {
  CheckedCertificate,
  CheckedFile,
  CheckedInstance,
  CheckedService,
} from './platform-schema.ts';
import type { Entry } from './schema-parts.ts';
import { createSelfSigned } from './self-signed.ts';

export type Platform = {
  readonly token: string;
  readonly hub: NamedThing;
  readonly environment: NamedThing;
  readonly services: readonly Service[];
  /** The service that asks. */
  readonly self: Service;
  /** The server that answers are given on: that of the first instance of `self`. */
  readonly server: Server;
  readonly secrets: readonly PlatformSecret[];
  readonly certificates: readonly Certificate[];
};

type NamedThing = { readonly id: string; readonly name: string };
export type Server = { readonly id: string; readonly hostname: string };

/** A container of the environment. */
export type Service = {
  readonly id: string;
  readonly name: string;
  readonly identifier: string;
  readonly deployment?: string;
  readonly state: string;
  readonly platformService?: string;
  readonly instances: readonly Instance[];
};

export type Instance = {
  readonly id: string;
  readonly hostname: string;
  readonly server: Server;
  readonly ipv4?: string;
  readonly ipv6?: string;
  /** Undefined: has no health check. `null`: it has not reported yet. */
  readonly healthy?: boolean | null;
  readonly ready?: boolean | null;
  readonly isDraining: boolean;
  readonly readyState: string;
  readonly state: string;
};

export type PlatformSecret = {
  readonly identifier: string;
  readonly value: string;
  readonly durationMs?: number;
  readonly isServedOnce: boolean;
};

export type Certificate = {
  readonly id: string;
  readonly domains: readonly string[];
  readonly privateKey: string;
  readonly bundle: string;
};

/**
 * @param where - What a problem's report calls the file.
 * @throws {StartError} `E_PLATFORM_FILE` where `self` is no service of the file or an id is used twice.
 */
export function completePlatform(file: CheckedFile, where: string): Platform {
  const defaultServer = completeServer(file.server ?? 'laptop');
  const services = completeServices(file.services, defaultServer);
  const self = findSelf(file, services);
  const repeated = repeatedIds(services);
  if (self === undefined || repeated.length > 0) {
    throw platformFileError(where, [
      ...(self
        ? []
        : [`self: expected a service of this file, received ${JSON.stringify(file.self)}`]),
      ...repeated.map((id) => `services: expected each id once, received ${id} again`),
    ]);
  }
  return {
    token: file.token ?? 'emulator',
    hub: completeNamed('hub', file.hub ?? 'emulator'),
    environment: completeNamed('environment', file.environment ?? 'laptop'),
    services,
    self,
    server: self.instances[0]?.server ?? defaultServer,
    secrets: (file.secrets ?? []).map(({ key, value }) => ({
      identifier: key,
      value: value.value,
      ...(value.duration !== undefined && { durationMs: value.duration }),
      isServedOnce: value.once ?? false,
    })),
    certificates: (file.certificates ?? []).map(completeCertificate),
  };
}

/** 24 hex digits. The same words give the same id. */
export function idFrom(...words: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 24);
}

function completeServices(entries: readonly Entry<CheckedService>[], server: Server): Service[] {
  const seen = new Map<string, number>();
  return entries.map(({ key, value }) => {
    const name = value.name ?? key ?? '';
    const unique = key ?? name;
    const earlier = seen.get(unique) ?? 0;
    seen.set(unique, earlier + 1);
    // The first of a name has the same id whether the file has a map or a list.
    const id =
      value.id ??
      (earlier === 0 ? idFrom('container', unique) : idFrom('container', unique, earlier));
    const identifier = value.identifier ?? toIdentifier(name);
    const instances = value.instances ?? [{ ipv4: '127.0.0.1' }];
    return {
      id,
      name,
      identifier,
      ...(value.deployment !== undefined && { deployment: value.deployment }),
      state: value.state ?? 'running',
      ...(value.platform_service !== undefined && { platformService: value.platform_service }),
      instances: instances.map((instance, index) =>
        completeInstance(instance, {
          id: idFrom('instance', id, index),
          hostname: toIdentifier(identifier),
          server,
        }),
      ),
    };
  });
}

function completeInstance(
  given: CheckedInstance,
  derived: { readonly id: string; readonly hostname: string; readonly server: Server },
): Instance {
  const id = given.id ?? derived.id;
  const server = given.server ?? derived.server.hostname;
  return {
    id,
    hostname: given.hostname ?? `${derived.hostname.slice(0, 40)}-${id.slice(0, 8)}`,
    server: server === derived.server.hostname ? derived.server : completeServer(server),
    ...(given.ipv4 !== undefined && { ipv4: given.ipv4 }),
    ...(given.ipv6 !== undefined && { ipv6: given.ipv6 }),
    ...(given.healthy !== undefined && { healthy: given.healthy }),
    ...(given.ready !== undefined && { ready: given.ready }),
    isDraining: given.draining ?? false,
    readyState: given.ready_state ?? 'active',
    state: given.state ?? 'running',
  };
}

function findSelf(file: CheckedFile, services: readonly Service[]): Service | undefined {
  if (file.self === undefined) return services[0];
  const byKey = file.services.findIndex(({ key }) => key === file.self);
  return (
    services[byKey] ??
    services.find((service) => service.name === file.self || service.id === file.self)
  );
}

function repeatedIds(services: readonly Service[]): string[] {
  const seen = new Set<string>();
  const ids = services.flatMap(({ id, instances }) => [id, ...instances.map((one) => one.id)]);
  return ids.filter((id) => seen.size === seen.add(id).size);
}

function completeNamed(kind: string, given: string | { id?: string; name: string }): NamedThing {
  const { id, name }: { id?: string; name: string } =
    typeof given === 'string' ? { name: given } : given;
  return { id: id ?? idFrom(kind, name), name };
}

function completeServer(given: string | { id?: string; hostname: string }): Server {
  const { id, hostname }: { id?: string; hostname: string } =
    typeof given === 'string' ? { hostname: given } : given;
  return { id: id ?? idFrom('server', hostname), hostname };
}

function completeCertificate(given: CheckedCertificate, index: number): Certificate {
  const { domains } = given;
  const id = given.id ?? idFrom('certificate', index, ...domains);
  const { private_key: privateKey, bundle } = given;
  return {
    id,
    domains,
    ...(privateKey !== undefined && bundle !== undefined
      ? { privateKey, bundle }
      : createSelfSigned(domains)),
  };
}

/** As the platform makes one from a name: «My Container» becomes `my-container`. Never empty. */
function toIdentifier(name: string): string {
  const identifier = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return identifier || 'service';
}
