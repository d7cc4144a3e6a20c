// The IST map: which names of which services lead to which addresses, for one container.
//
// Names: core/ist-names.ts. Choice of an address: core/addresses.ts. This file joins them and settles conflicts.
import type { Tier } from './addresses.ts';
import type { Warning } from './warning.ts';

/** The resolved map. Plain data; `services` is sorted by name, then by container id. */
export type IstMap = {
  readonly services: readonly IstService[];
  readonly conflicts: readonly IstConflict[];
  readonly warnings: readonly Warning[];
};

export type IstService = {
  readonly name: string;
  readonly containerId: string;
  /** True where the config has an `ist` entry for it. */
  readonly hasEntry: boolean;
  /** Undefined where no instance can be reached; such a service has no names in the map's output. */
  readonly chosen?: IstAddress;
  /** The other candidates of the best tier, in their order of preference. */
  readonly others: readonly IstAddress[];
  readonly tier: Tier;
  /** The value of the service's variables: the chosen instance's IPv4, else its IPv6 (`init.ist.family`). */
  readonly address?: string;
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

/** Two or more services wanted one name; `winner` has it. */
export type IstConflict = {
  readonly kind: 'hostname' | 'variable';
  readonly name: string;
  readonly winner: string;
  readonly losers: readonly string[];
};
