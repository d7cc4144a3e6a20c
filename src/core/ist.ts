// The IST map: which names of which services lead to which addresses, for one container.
//
// Names: core/ist-names.ts. Choice of an address: core/addresses.ts. Conflicts: core/ist-claims.ts.
import { chooseAddress, type AddressChoice, type Tier } from './addresses.ts';
import type { IstEntry } from './config.ts';
import { assignNames, type Claimant } from './ist-claims.ts';
import { encodeServiceName, loadFolding } from './ist-names.ts';
import { entryWarnings, serviceWarnings } from './ist-warnings.ts';
import type { Settings } from './settings.ts';
import type { Container, Instance, Snapshot } from './snapshot.ts';
import type { Warning } from './warning.ts';

/** The resolved map. Plain data; `services` is sorted by name, then reachable ones first, then by container id. */
export type IstMap = {
  readonly services: readonly IstService[];
  /** Every contested name; only those that the config does not settle are warnings, too. */
  readonly conflicts: readonly IstConflict[];
  readonly warnings: readonly Warning[];
};

export type IstService = {
  readonly name: string;
  readonly containerId: string;
  /** True where the config has an `ist` entry for it. */
  readonly hasEntry: boolean;
  /** Undefined where no instance can be reached; such a service has no names in the map's output. */
  readonly chosen?: IstAddress | undefined;
  /** The other candidates of the best tier, in their order of preference. */
  readonly others: readonly IstAddress[];
  readonly tier: Tier;
  /**
   * The value of the service's variables: the chosen instance's IPv4, else its IPv6 (`init.ist.family`).
   * Undefined, and then there are no variables, also where no instance has an address of that family.
   */
  readonly address?: string | undefined;
  /** Names that this service has won, in order: explicit ones first. */
  readonly hostnames: readonly IstName[];
  readonly variables: readonly IstName[];
};

export type IstAddress = {
  readonly instanceId: string;
  readonly ipv4?: string;
  readonly ipv6?: string;
};

/** A name, and the rule that gave it. Explicit names come from `ist` in the config. */
export type IstName = {
  readonly name: string;
  readonly rule: 'explicit' | 'generic' | 'shell' | 'hostname';
};

/** Two or more services wanted one name; `winner` owns it, and nobody else gets it while that one is down. */
export type IstConflict = {
  readonly kind: 'hostname' | 'variable';
  readonly name: string;
  readonly winner: string;
  readonly losers: readonly string[];
};

export type IstInput = {
  readonly snapshot: Pick<Snapshot, 'self' | 'containers' | 'instances'>;
  readonly entries: readonly IstEntry[];
  readonly settings: Settings['ist'];
  /** Our own instance's id, or our container's where that is not known. */
  readonly selfId: string;
  /** Container id to the instance chosen the last time. */
  readonly previous?: ReadonlyMap<string, string>;
};

/** A service on its way into the map: with its address, before the names are given out. */
export type Candidate = Claimant & { readonly choice: AddressChoice; readonly sortKey: string };

const variableRules = {
  all: ['explicit', 'generic', 'shell'],
  explicit: ['explicit'],
  none: [],
} as const satisfies Record<Settings['ist']['variables'], readonly IstName['rule'][]>;

/** Asynchronous only for {@link loadFolding}; it waits for nothing outside. */
export async function resolveIst(input: IstInput): Promise<IstMap> {
  const services = await findServices(input);
  const variables = assignNames({
    kind: 'variable',
    rules: variableRules[input.settings.variables],
    claimants: services,
  });
  const hostnames = assignNames({
    kind: 'hostname',
    rules: ['explicit', 'hostname'],
    claimants: services,
  });

  return {
    services: services.map((service, index) =>
      toService(service, hostnames.names[index], variables.names[index]),
    ),
    conflicts: [...hostnames.conflicts, ...variables.conflicts],
    warnings: [
      ...entryWarnings(input, services),
      ...serviceWarnings(input, services),
      ...hostnames.warnings,
      ...variables.warnings,
    ],
  };
}

async function findServices(input: IstInput): Promise<readonly Candidate[]> {
  const { snapshot, selfId, settings, previous } = input;
  const entries = new Map(input.entries.map((entry) => [entry.service, entry]));
  const instances = groupByContainer(snapshot.instances);
  const visible = snapshot.containers.filter(
    (container) =>
      isVisible(container, snapshot.self) &&
      (entries.has(container.name) || !isPlatformService(instances.get(container.id))),
  );
  const fold = await loadFolding(visible.map(({ name }) => name));

  return visible
    .map((container) => ({
      service: container.name,
      sortKey: toSortKey(container.name),
      containerId: container.id,
      entry: entries.get(container.name),
      defaults: encodeServiceName(container.name, fold),
      choice: chooseAddress({
        selfId,
        instances: instances.get(container.id) ?? [],
        previous: previous?.get(container.id),
        family: settings.family,
      }),
    }))
    .toSorted(compareServices);
}

/** A container in a deployment resolves its deployment and the containers in none; one in none resolves all. */
export function isVisible(container: Container, self: Container): boolean {
  return (
    self.deployment === undefined ||
    container.deployment === undefined ||
    container.deployment === self.deployment
  );
}

function isPlatformService(instances: readonly Instance[] | undefined): boolean {
  return instances?.some(({ platformService }) => platformService !== undefined) ?? false;
}

function groupByContainer(instances: readonly Instance[]): ReadonlyMap<string, Instance[]> {
  const groups = new Map<string, Instance[]>();

  for (const instance of instances) {
    const group = groups.get(instance.containerId);
    if (group === undefined) {
      groups.set(instance.containerId, [instance]);
    } else {
      group.push(instance);
    }
  }

  return groups;
}

/** Of two containers with one name, the one that can be reached has the name: to a caller they are one service. */
function compareServices(a: Candidate, b: Candidate): number {
  return (
    compareUnits(a.sortKey, b.sortKey) ||
    Number(a.choice.address === undefined) - Number(b.choice.address === undefined) ||
    Number(a.choice.chosen === undefined) - Number(b.choice.chosen === undefined) ||
    compareUnits(a.containerId, b.containerId)
  );
}

function compareUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A text whose UTF-16 units are in the order of the name's code points: surrogates move behind U+E000 to U+FFFF. */
function toSortKey(name: string): string {
  return plainAscii.test(name)
    ? name
    : name.replaceAll(/[\uD800-\uFFFF]/g, (unit) => {
        const code = unit.charCodeAt(0);
        return String.fromCharCode(code < 0xe000 ? code + 0x2000 : code - 0x800);
      });
}

/** What nearly every name is: 10,000 of them are a part of a start. */
const plainAscii = /^[ -~]*$/;

function toService(
  { service, containerId, entry, choice }: Candidate,
  hostnames: readonly IstName[] = [],
  variables: readonly IstName[] = [],
): IstService {
  const { chosen, others, tier, address } = choice;

  return {
    name: service,
    containerId,
    hasEntry: entry !== undefined,
    chosen,
    others,
    tier,
    address,
    hostnames: chosen === undefined ? [] : hostnames,
    variables: address === undefined ? [] : variables,
  };
}
