// Whether IST hostnames lead where they should: what /etc/hosts has, what the platform says now, what a lookup gives.
import { StartError, exitStatus } from '../errors.ts';
import { type Finding, fails, isFine, warns } from './check-report.ts';
import type { HostsEntry } from './hosts-file.ts';
import type { Settings } from './settings.ts';

/** By name. Of addresses only which ones counts: libraries sort them, each by rules of its own. */
export type AddressesOf = ReadonlyMap<string, ReadonlySet<string>>;

export type NameLookups = {
  /** Of getaddrinfo(3), or the name of its error. A name that is not among them had no time. */
  readonly found: ReadonlyMap<string, ReadonlySet<string> | string>;
  readonly deadlineMs: number;
};

export type NamesInput = {
  /** As the platform has it now. */
  readonly wanted: AddressesOf;
  /** As the block of ours in /etc/hosts has it. */
  readonly written: AddressesOf;
  readonly lookups: NameLookups;
  /** `init.nsswitch`. */
  readonly nsswitch: Settings['nsswitch'];
};

export function addressesOf(entries: readonly HostsEntry[]): AddressesOf {
  const all = new Map<string, Set<string>>();
  for (const { address, names } of entries) {
    for (const name of names) {
      all.set(name, (all.get(name) ?? new Set()).add(address));
    }
  }

  return all;
}

/** More would bury the others. */
const shownNames = 20;

export function judgeNames(input: NamesInput): Finding[] {
  const { wanted, lookups } = input;
  const bad = [...wanted.keys()].flatMap((name) => judgeName(name, input) ?? []);
  const late = [...wanted.keys()].filter((name) => !lookups.found.has(name)).length;
  const good = wanted.size - bad.length - late;
  return [
    ...(good === 0 ? [] : [isFine('names', `${countOf(good)} to the addresses of the platform`)]),
    ...bad.slice(0, shownNames),
    ...(bad.length > shownNames ? [others(bad.slice(shownNames))] : []),
    ...(late === 0 ? [] : [tooLate(late, lookups.deadlineMs)]),
  ];
}

function judgeName(
  name: string,
  { wanted, written, lookups, nsswitch }: NamesInput,
): Finding | undefined {
  const found = lookups.found.get(name);
  const expected = wanted.get(name) ?? new Set();
  if (found === undefined || (typeof found !== 'string' && isSame(found, expected))) {
    return undefined;
  }

  const inFile = written.get(name);
  if (inFile === undefined || (typeof found !== 'string' && isSame(found, inFile))) {
    return stale(name, inFile, expected);
  }

  const what =
    typeof found === 'string'
      ? `does not resolve (${found}), although /etc/hosts has ${listOf(inFile)}`
      : `resolves to ${listOf(found)}, although /etc/hosts has ${listOf(inFile)}`;
  const remedy = {
    where: '/etc/nsswitch.conf',
    fix: `Put \`files\` first on its hosts line, let no other line of /etc/hosts have this name, or use the variables of the service.`,
  };
  // Who ignores nsswitch.conf does not rely on names.
  return nsswitch === 'ignore'
    ? warns('names', { code: 'W_NAME', message: `${name} ${what}`, ...remedy }, name)
    : {
        ...fails(
          'names',
          new StartError('E_NAME', `Cannot rely on ${name}: it ${what}`, {
            exitCode: exitStatus.config,
            remedy,
          }),
          name,
        ),
        exitStatus: null, // A start does not look names up.
      };
}

function stale(
  name: string,
  inFile: ReadonlySet<string> | undefined,
  expected: ReadonlySet<string>,
): Finding {
  const has = inFile === undefined ? 'does not have it' : `has ${listOf(inFile)}`;
  return warns(
    'names',
    {
      code: 'W_NAME_STALE',
      message: `${name}: /etc/hosts ${has}, the platform says ${listOf(expected)}`,
      where: '/etc/hosts',
      fix: 'Run `warp-init reload`; with init.follow: false, start the container again.',
    },
    name,
  );
}

function others(bad: readonly Finding[]): Finding {
  const [first] = bad;
  const isFailure = bad.some(({ verdict }) => verdict === 'failure');
  const reason = `${bad.length} more hostnames have such a problem`;
  return {
    ...(first ?? isFine('names', reason)),
    subject: null,
    reason,
    verdict: isFailure ? 'failure' : 'warning',
  };
}

function tooLate(count: number, deadlineMs: number): Finding {
  return warns('names', {
    code: 'W_NAME_LATE',
    message: `${count === 1 ? 'One hostname has' : `${count} hostnames have`} no answer after ${deadlineMs} ms`,
    where: '/etc/nsswitch.conf',
    fix: 'Look at /etc/resolv.conf if lookups are slow.',
  });
}

function countOf(count: number): string {
  return count === 1 ? 'one hostname resolves' : `${count} hostnames resolve`;
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((item) => b.has(item));
}

function listOf(addresses: ReadonlySet<string>): string {
  return addresses.size === 0 ? 'nothing' : [...addresses].join(', ');
}
