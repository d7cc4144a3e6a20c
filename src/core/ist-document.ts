// `ist.json` in the state directory: the current map, for an app that asks while it runs.
//
// Documented in docs/ist-json.md. Every key is always there, `null` where there is nothing. New keys do not change the
// version; a key that goes or changes its meaning does. No time and no counter: the same map gives the same bytes.
import { addressesOf } from './hosts-file.ts';
import type { IstAddress, IstMap, IstService } from './ist.ts';
import type { Ownership } from './ownership.ts';
import type { Settings } from './settings.ts';
import type { StateDirectory } from './state-directory.ts';

/** What the file holds. */
export type IstDocument = {
  readonly version: 1;
  /** By name; those without an address are among them. */
  readonly services: readonly IstDocumentService[];
  /** Each hostname and its addresses, the best first. */
  readonly hostnames: Readonly<Record<string, readonly string[]>>;
  /** Each IST variable and the address that is its value. */
  readonly variables: Readonly<Record<string, string>>;
};

export type IstDocumentService = {
  readonly name: string;
  readonly containerId: string;
  readonly tier: IstService['tier'];
  readonly address: string | null;
  readonly chosen: IstDocumentAddress | null;
  readonly others: readonly IstDocumentAddress[];
  readonly hostnames: readonly string[];
  readonly variables: readonly string[];
};

export type IstDocumentAddress = {
  readonly instanceId: string;
  readonly ipv4: string | null;
  readonly ipv6: string | null;
};

/** A step of the plan. */
export type IstFileStep = {
  readonly kind: 'write-ist';
  readonly path: string;
  readonly text: string;
  readonly owner: Ownership;
};

export type IstFileInput = {
  readonly state: StateDirectory;
  readonly settings: Pick<Settings, 'hosts'>;
  /** Of init. */
  readonly uid: number;
  readonly gid: number;
};

/** Everybody in the container may read it: it says no more than /etc/hosts. */
const mode = 0o644;

/** Undefined where there is no state directory. */
export function planIstFile(map: IstMap, input: IstFileInput): IstFileStep | undefined {
  const { state, settings, uid, gid } = input;
  return state.kind === 'none'
    ? undefined
    : {
        kind: 'write-ist',
        path: `${state.path}/ist.json`,
        text: formatIstDocument(map, settings.hosts.addresses),
        owner: { mode, uid, gid },
      };
}

/**
 * The text of an {@link IstDocument}; `variables` is what a start at this moment would get as IST variables.
 *
 * The names are written one by one: an object with 20,000 keys costs more than all else of a start. A name has one owner, so that
 * no key is there twice; it may be `__proto__`.
 *
 * @param addresses - `init.hosts.addresses`: `hostnames` has what /etc/hosts has.
 */
export function formatIstDocument(map: IstMap, addresses: 'all' | 'chosen'): string {
  const hostnames: string[] = [];
  const variables: string[] = [];
  for (const service of map.services) {
    const served =
      service.hostnames.length === 0 ? '' : JSON.stringify(addressesOf(service, addresses));
    for (const { name } of service.hostnames) {
      hostnames.push(`${JSON.stringify(name)}:${served}`);
    }

    for (const { name } of service.variables) {
      variables.push(`${JSON.stringify(name)}:${JSON.stringify(service.address)}`);
    }
  }

  const services = JSON.stringify(map.services.map(describeService));
  return `{"version":1,"services":${services},"hostnames":{${hostnames.join(',')}},"variables":{${variables.join(',')}}}\n`;
}

function describeService(service: IstService): IstDocumentService {
  const { name, containerId, tier, address, chosen, others, hostnames, variables } = service;
  return {
    name,
    containerId,
    tier,
    address: address ?? null,
    chosen: chosen === undefined ? null : describeAddress(chosen),
    others: others.map(describeAddress),
    hostnames: hostnames.map((hostname) => hostname.name),
    variables: variables.map((variable) => variable.name),
  };
}

function describeAddress({ instanceId, ipv4, ipv6 }: IstAddress): IstDocumentAddress {
  return { instanceId, ipv4: ipv4 ?? null, ipv6: ipv6 ?? null };
}
