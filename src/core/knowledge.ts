// What the app can know: of services, secrets, certificates and config, as far as it can be compared.
import { isCandidate } from './addresses.ts';
import type { Variable } from './environment.ts';
import type { IstService } from './ist.ts';
import type { Resolved } from './resolve.ts';
import type { Secret } from './secret.ts';
import type { Settings } from './settings.ts';
import type { Instance } from './snapshot.ts';

/** What the app can know, by kind of change. Plain data but for the secrets; a memo can hold it. */
export type Knowledge = {
  readonly services: readonly KnownService[];
  /** By identifier: the wanted ones. */
  readonly secrets: ReadonlyMap<string, Secret>;
  /** First domain to what two certificates have in common only if chain and private key are the same. */
  readonly certificates: ReadonlyMap<string, string>;
  /** What the config, the dotenv files and the platform's identity give, each under a name for people. */
  readonly config: ReadonlyMap<string, string>;
};

export type KnownService = {
  readonly name: string;
  readonly variables: readonly string[];
  readonly hostnames: readonly string[];
  /** The value of the variables. */
  readonly address: string | undefined;
  /** Those of the hosts file, in its order. */
  readonly hostAddresses: readonly string[];
  /** Of every instance that could be used, however ill it is. */
  readonly live: readonly string[];
};

export type KnowledgeInput = {
  readonly resolved: Pick<Resolved, 'ist' | 'variables'>;
  /** All of the snapshot; none in standalone mode. */
  readonly instances: readonly Instance[];
  readonly secrets: ReadonlyMap<string, Secret>;
  readonly certificates: ReadonlyMap<string, string>;
  readonly argv: readonly string[];
  readonly settings: Settings;
};

export function knowledgeOf(input: KnowledgeInput): Knowledge {
  const { resolved, secrets, certificates, settings } = input;
  const live = liveAddresses(input.instances);
  const own = new Set(
    resolved.variables.filter(({ origin }) => origin === 'ist').map(({ name }) => name),
  );
  return {
    services: resolved.ist.services
      .filter(({ chosen }) => chosen !== undefined)
      .map((service) => ({
        name: service.name,
        // Those that another layer has not replaced.
        variables: service.variables.map(({ name }) => name).filter((name) => own.has(name)),
        hostnames: service.hostnames.map(({ name }) => name),
        address: service.address,
        hostAddresses: hostAddressesOf(service, settings.hosts.addresses),
        live: live.get(service.containerId) ?? [],
      })),
    secrets,
    certificates,
    config: new Map([
      ['args', JSON.stringify(input.argv)],
      ...resolved.variables.flatMap(configVariable),
      ...appSettings.map((key): [string, string] => [`init.${key}`, textOf(settings[key])]),
      ['init.secrets.files', textOf(settings.secrets.files)],
    ]),
  };
}

/**
 * What the app was told, after an answer in which nothing is urgent for it. An instance that does not run yet becomes
 * known when it does.
 */
export function knowInstances(
  told: Knowledge,
  after: Knowledge,
  instances: readonly Instance[],
): Knowledge {
  const running = new Set(
    instances.filter(({ state }) => state === 'running').flatMap(addressesOf),
  );
  const liveNow = new Map(after.services.map((service) => [keyOf(service), service.live]));
  const services = told.services.map((service) => {
    const live = (liveNow.get(keyOf(service)) ?? []).filter(
      (address) => running.has(address) || service.live.includes(address),
    );
    return isSameList(live, service.live) ? service : { ...service, live };
  });
  return services.every((service, index) => service === told.services[index])
    ? told
    : { ...told, services };
}

/** Two services may have one name. */
function keyOf({ name, variables, hostnames }: KnownService): string {
  return JSON.stringify([name, variables, hostnames]);
}

export function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

function liveAddresses(instances: readonly Instance[]): ReadonlyMap<string, readonly string[]> {
  const live = new Map<string, string[]>();
  for (const instance of instances.filter(isCandidate)) {
    const addresses = live.get(instance.containerId) ?? [];
    addresses.push(...addressesOf(instance));
    live.set(instance.containerId, addresses);
  }

  return live;
}

function hostAddressesOf(
  { chosen, others }: IstService,
  addresses: Settings['hosts']['addresses'],
): readonly string[] {
  const instances = chosen === undefined ? [] : [chosen, ...(addresses === 'all' ? others : [])];
  return instances.flatMap(addressesOf);
}

function addressesOf({ ipv4, ipv6 }: Pick<Instance, 'ipv4' | 'ipv6'>): readonly string[] {
  return [ipv4, ipv6].filter((address) => address !== undefined);
}

/**
 * Of a secret's variable only whose it is: the value is a change of the secret. So is the name of one that comes from a
 * document or with all others, and the name of such a line is a part of the secret.
 */
function configVariable({ name, value, origin, from, isBulk }: Variable): [string, string][] {
  switch (origin) {
    case 'ist':
      return [];
    case 'secret':
      return isBulk === true ? [] : [[`variable ${name}`, `secret ${from}`]];
    case 'inherited':
    case 'dotenv':
    case 'identity':
    case 'user':
    case 'variables':
      return [[`variable ${name}`, typeof value === 'string' ? value : 'secret']];
  }
}

/** Those that reach the app, by its start or as files. */
const appSettings = [
  'user',
  'cwd',
  'noNewPrivileges',
  'limits',
  'hideToken',
  'rewrite',
  'exitStatus',
  'singleChild',
  'parentDeathSignal',
  'stopSignal',
  'killDelayMs',
  'lingerMs',
  'stateDirectory',
  'envFile',
  'certificates',
] as const satisfies readonly (keyof Settings)[];

/** The same text for the same value, whatever holds it. */
function textOf(value: unknown): string {
  return (
    JSON.stringify(value, (_key, item: unknown) =>
      item instanceof Map ? [...item] : typeof item === 'bigint' ? `${item}` : item,
    ) ?? 'undefined'
  );
}
