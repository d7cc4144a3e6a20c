// Who has a name that several services want, and the warning that says so.
//
// Names are given out in the order of precedence, first come first served: explicit before default, generic before
// shell; and for each rule, services without an `ist` entry before those with one, then by name. Reachability is no
// part of it: a name never moves to another service because its owner is down.
import type { IstEntry } from './config.ts';
import { quoteName } from './ist-names.ts';
import type { IstConflict, IstName } from './ist.ts';
import type { Warning } from './warning.ts';

type NameKind = IstConflict['kind'];
type Rule = IstName['rule'];

export type Claimant = {
  readonly service: string;
  readonly containerId: string;
  readonly entry: IstEntry | undefined;
  /** What the service name gives by default, by rule. */
  readonly defaults: Readonly<Partial<Record<Rule, string | undefined>>>;
};

export type Assignment = {
  /** The names that each claimant has won, explicit ones first; in the order of the claimants. */
  readonly names: readonly (readonly IstName[])[];
  readonly conflicts: readonly IstConflict[];
  readonly warnings: readonly Warning[];
};

export type NameQuestion = {
  readonly kind: NameKind;
  /** In the order of precedence. */
  readonly rules: readonly Rule[];
  /** In the order of precedence, except for their entries. */
  readonly claimants: readonly Claimant[];
};

/** A name that several claimants want. */
type Contest = {
  readonly name: IstName;
  readonly claimant: Claimant;
  /** The others that want it, each with the first rule that gives it to them. */
  readonly rivals: Map<Claimant, Rule>;
};

export function assignNames({ kind, rules, claimants }: NameQuestion): Assignment {
  const names = claimants.map((): IstName[] => []);
  const owners = new Map<string, number>();
  const contests = new Map<string, Contest>();
  const order = byEntry(claimants);

  const claim = (index: number, name: IstName) => {
    const key = keyOf(kind, name.name);
    const owner = owners.get(key);

    if (owner === undefined) {
      owners.set(key, index);
      names[index]!.push(name);
    } else if (owner !== index) {
      const contest = contests.get(key) ?? {
        name: names[owner]!.find((own) => keyOf(kind, own.name) === key)!,
        claimant: claimants[owner]!,
        rivals: new Map<Claimant, Rule>(),
      };
      contests.set(key, contest);
      addRival(contest, claimants[index]!, name.rule);
    }
  };

  for (const rule of rules) {
    for (const index of order) {
      const { entry, defaults } = claimants[index]!;

      if (rule === 'explicit') {
        namesOf(entry, kind).forEach((name) => claim(index, { name, rule }));
      } else if (defaults[rule] !== undefined) {
        claim(index, { name: defaults[rule], rule });
      }
    }
  }

  return { names, ...describeContests(kind, [...contests.values()]) };
}

function describeContests(kind: NameKind, contests: readonly Contest[]): Omit<Assignment, 'names'> {
  return {
    conflicts: contests.map((contest) => toConflict(kind, contest)),
    warnings: contests.filter(isOpen).map((contest) => conflictWarning(kind, contest)),
  };
}

function addRival({ rivals }: Contest, claimant: Claimant, rule: Rule): void {
  if (!rivals.has(claimant)) {
    rivals.set(claimant, rule);
  }
}

const noNames: readonly string[] = [];

function namesOf(entry: IstEntry | undefined, kind: NameKind): readonly string[] {
  return (kind === 'hostname' ? entry?.hostnames : entry?.variables) ?? noNames;
}

/** Indices, services without an `ist` entry first: whoever has one can be given another name there. */
function byEntry(claimants: readonly Claimant[]): readonly number[] {
  const without: number[] = [];
  const having: number[] = [];
  claimants.forEach(({ entry }, index) => (entry === undefined ? without : having).push(index));

  return having.length === 0 ? without : [...without, ...having];
}

/** DNS and hosts(5) compare without regard to case (RFC 4343); the environment does not. */
function keyOf(kind: NameKind, name: string): string {
  return kind === 'hostname' ? name.toLowerCase() : name;
}

function toConflict(kind: NameKind, { name, claimant, rivals }: Contest): IstConflict {
  const losers = Array.from(rivals.keys(), ({ service }) => service);

  return { kind, name: name.name, winner: claimant.service, losers };
}

/** A name that the config gives to one service alone is settled: that is what a conflict's warning asks for. */
function isOpen({ name, rivals }: Contest): boolean {
  return name.rule !== 'explicit' || [...rivals.values()].includes('explicit');
}

function conflictWarning(kind: NameKind, contest: Contest): Warning {
  const { claimant, name, rivals } = contest;
  const losers = [...rivals.keys()];
  const shown = losers.slice(0, 5).map(describe).join(', ');
  const more = losers.length > 5 ? ` and ${losers.length - 5} more` : '';

  return {
    code: 'W_IST_CONFLICT',
    message: `The ${kind} ${name.name} is the name of several services: ${describe(claimant)} has it, and not ${shown}${more}`,
    where: 'ist in warp.config.js',
    fix: conflictFix(kind, contest),
  };
}

function conflictFix(kind: NameKind, { claimant, name: { name, rule }, rivals }: Contest): string {
  const loser = [...rivals.keys()].find(({ service }) => service !== claimant.service);
  if (loser === undefined) {
    return 'Rename one of these containers, or keep them apart by deployments.';
  }

  if (rule === 'explicit') {
    const entry = formatEntry(loser, kind, (names) =>
      names.filter((one) => keyOf(kind, one) !== keyOf(kind, name)),
    );
    return `Leave the name to one of them, for example by the \`ist\` entry ${entry}.`;
  }

  const entry = formatEntry(loser, kind, (names) => [...names, name]);
  return `Put ${entry} into \`ist\` to give the name to ${quoteName(loser.service)}, or the same for ${quoteName(claimant.service)} to keep it there.`;
}

/** The `ist` entry of a service as source text, with its names of one kind changed. */
function formatEntry(
  { service, entry }: Claimant,
  kind: NameKind,
  change: (names: readonly string[]) => readonly string[],
): string {
  const { variables = [], hostnames = [] } = entry ?? {};
  const fields = [
    `service: ${quoteName(service)}`,
    formatNames('variables', kind === 'variable' ? change(variables) : variables),
    formatNames('hostnames', kind === 'hostname' ? change(hostnames) : hostnames),
  ];

  return `{ ${fields.filter((field) => field !== '').join(', ')} }`;
}

function formatNames(field: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `${field}: [${names.map(quoteName).join(', ')}]`;
}

function describe({ service, containerId }: Claimant): string {
  return `${quoteName(service)} (${containerId})`;
}
