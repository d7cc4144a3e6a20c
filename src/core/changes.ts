// What is different between two states of what the app can know, by content: names alone, never values.
//
// Every difference is written to the files; only an urgent one signals, runs or restarts. All are urgent but those that
// health, readiness and drain alone explain: another order or choice among instances that were there and still are.
// So `before` is what the app was last told, and not what was last written: an address that it still uses, and that another
// one has replaced in the files long ago, is gone on the day when its instance is. What is kept up to date in it is which
// instances there are (knowledge.ts, knowInstances): one that came unhealthy is no news when it becomes healthy.
import { type Knowledge, type KnownService, isSameList } from './knowledge.ts';
import { Secret } from './secret.ts';
import type { ChangeKind } from './settings-reload.ts';

export type { ChangeKind } from './settings-reload.ts';

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
  const uses = {
    before: usesOf(unlike(before, after)),
    after: usesOf(unlike(after, before)),
  };
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

/** Nearly all services are as they were, and in the same place: without these few names are left to compare. */
function unlike(
  services: readonly KnownService[],
  others: readonly KnownService[],
): readonly KnownService[] {
  return services.filter((service, index) => !isSameUse(service, others[index]));
}

function isSameUse(a: KnownService, b: KnownService | undefined): boolean {
  return (
    b !== undefined &&
    a.name === b.name &&
    a.address === b.address &&
    isSameList(a.hostAddresses, b.hostAddresses) &&
    isSameList(a.variables, b.variables) &&
    isSameList(a.hostnames, b.hostnames)
  );
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
