// What is different between two states of what the app can know, by content: names alone, never values.
//
// Every difference is written to the files; only an urgent one signals, runs or restarts. All are urgent but those that
// health, readiness and drain alone explain: another order or choice among instances that were there and still are.
// So `before` is what the app was last told, and not what was last written: an address that it still uses, and that another
// one has replaced in the files long ago, is gone on the day when its instance is. What is kept up to date in it is which
// instances there are (knowInstances): one that came unhealthy is no news when it becomes healthy.
import { isCandidate } from './addresses.ts';
import type { Variable } from './environment.ts';
import type { IstService } from './ist.ts';
import type { Resolved } from './resolve.ts';
import { Secret } from './secret.ts';
import type { ChangeKind } from './settings-reload.ts';
import type { Settings } from './settings.ts';
import type { Instance } from './snapshot.ts';

export type { ChangeKind } from './settings-reload.ts';

/** What the app can know, by kind of change. Plain data but for the secrets; a memo can hold it. */
export type Knowledge = {
  readonly services: readonly KnownService[];
  /** By identifier: the wanted ones. */
  readonly secrets: ReadonlyMap<string, Secret>;
  /** First domain to the certificate with its chain, as PEM. */
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

export const changeKinds = [
  'ist',
  'secrets',
  'certificates',
  'config',
] as const satisfies readonly ChangeKind[];

type Change = {
  /** Services, identifiers, domains, or variables and keys of the config; each once. */
  readonly names: readonly string[];
  readonly isUrgent: boolean;
};

export type Changes = { readonly [kind in ChangeKind]: Change };

export function changesBetween(before: Knowledge, after: Knowledge): Changes {
  return {
    ist: serviceChange(before.services, after.services),
    secrets: valueChange(before.secrets, after.secrets),
    certificates: valueChange(before.certificates, after.certificates),
    config: valueChange(before.config, after.config),
  };
}

export function hasChanges(changes: Changes): boolean {
  return changeKinds.some((kind) => changes[kind].names.length > 0);
}

function serviceChange(before: readonly KnownService[], after: readonly KnownService[]): Change {
  const uses = { before: usesOf(before), after: usesOf(after) };
  const names = new Set<string>();
  let isUrgent = false;

  for (const key of new Set([...uses.before.keys(), ...uses.after.keys()])) {
    const old = uses.before.get(key);
    const now = uses.after.get(key);
    if (old === undefined || now === undefined || !isSameList(old.addresses, now.addresses)) {
      names.add((now ?? old)?.service.name ?? key);
      isUrgent ||= old === undefined || now === undefined || !isHealthAlone(old, now);
    }
  }

  return { names: [...names], isUrgent };
}

/** What a name leads to. */
type Use = { readonly service: KnownService; readonly addresses: readonly string[] };

function usesOf(services: readonly KnownService[]): ReadonlyMap<string, Use> {
  const uses = new Map<string, Use>();
  for (const service of services) {
    const { variables, hostnames, address, hostAddresses } = service;
    const addresses = address === undefined ? [] : [address];
    for (const name of variables) {
      uses.set(`variable ${name}`, { service, addresses });
    }

    for (const name of hostnames) {
      uses.set(`hostname ${name}`, { service, addresses: hostAddresses });
    }
  }

  return uses;
}

/** What was used is still there, and what is used now was there already. */
function isHealthAlone(old: Use, now: Use): boolean {
  return (
    old.addresses.every((address) => now.service.live.includes(address)) &&
    now.addresses.every((address) => old.service.live.includes(address))
  );
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

function valueChange(
  before: ReadonlyMap<string, string | Secret>,
  after: ReadonlyMap<string, string | Secret>,
): Change {
  const keys = new Set([...before.keys(), ...after.keys()]);
  const names = [...keys].filter((key) => !isSameValue(before.get(key), after.get(key)));
  return { names, isUrgent: names.length > 0 };
}

function isSameValue(a: string | Secret | undefined, b: string | Secret | undefined): boolean {
  return a instanceof Secret && b instanceof Secret ? a.equals(b) : a === b;
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
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
