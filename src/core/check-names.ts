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
  /** The C library gives the first line of a name alone (host.conf(5)). */
  readonly isFirstOnly: boolean;
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
  const { wanted, lookups, isFirstOnly } = input;
  const bad = [...wanted.keys()].flatMap((name) => judgeName(name, input) ?? []);
  const late = [...wanted.keys()].filter((name) => !lookups.found.has(name)).length;
  const good = wanted.size - bad.length - late;
  const partly = isFirstOnly ? [...wanted.keys()].filter((name) => isPartly(name, input)) : [];
  return [
    ...(good === 0 ? [] : [isFine('names', `${countOf(good)} to the addresses of the platform`)]),
    ...bad.slice(0, shownNames),
    ...(bad.length > shownNames ? [others(bad.slice(shownNames))] : []),
    ...(partly.length === 0 ? [] : [firstOnly(partly)]),
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
  if (inFile === undefined || (typeof found !== 'string' && isPartOf(found, inFile))) {
    return inFile !== undefined && isSame(inFile, expected)
      ? undefined
      : stale(name, inFile, expected);
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

function isPartly(name: string, { wanted, lookups }: NamesInput): boolean {
  const found = lookups.found.get(name);
  const expected = wanted.get(name);
  return (
    found !== undefined &&
    typeof found !== 'string' &&
    expected !== undefined &&
    found.size < expected.size &&
    isPartOf(found, expected)
  );
}

function firstOnly(names: readonly string[]): Finding {
  const [first = '', ...more] = names;
  const who = more.length === 0 ? `${first} resolves` : `${first} and ${more.length} more resolve`;
  return warns('names', {
    code: 'W_NAME_FIRST_ONLY',
    message: `${who} to the first address alone: glibc reads one line of a name in /etc/hosts, unless /etc/host.conf says \`multi on\``,
    where: '/etc/host.conf',
    fix: "Put `RUN echo 'multi on' > /etc/host.conf` into the Dockerfile, for an app that tries another instance when one does not answer.",
  });
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

/** Also all of it. The first line of hosts is the address that is to be used. */
function isPartOf(found: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  const [first = ''] = all;
  return found.has(first) && [...found].every((item) => all.has(item));
}

function listOf(addresses: ReadonlySet<string>): string {
  return addresses.size === 0 ? 'nothing' : [...addresses].join(', ');
}
