// Which of a service's instances a container talks to.
//
// The healthiest instances, and among them rendezvous hashing: each caller ranks them in an order of its own, so
// callers spread, and an instance that goes moves only the callers that it had. A choice stays while it is good.
import type { IstAddress } from './ist.ts';
import type { Settings } from './settings.ts';
import type { Instance } from './snapshot.ts';

/** The best non-empty class of a service's instances; `none` where it has no candidate. */
export type Tier = 'best' | 'running' | 'any' | 'none';

export type AddressQuestion = {
  /** Who asks: our own instance, or our container where that is not known. */
  readonly selfId: string;
  /** All instances of one service. */
  readonly instances: readonly Instance[];
  /** The instance chosen the last time. */
  readonly previous: string | undefined;
  readonly family: Settings['ist']['family'];
};

export type AddressChoice = {
  readonly tier: Tier;
  readonly chosen: IstAddress | undefined;
  /** The other candidates of that tier, in the caller's order of preference. */
  readonly others: readonly IstAddress[];
  /** The chosen instance's address of the wanted family; of both, IPv4. */
  readonly address: string | undefined;
};

/**
 * With the family `ipv4` or `ipv6`, only instances that have such an address are candidates: an app that asks for
 * one cannot use the other. Where no instance has one, every instance is a candidate and `address` is undefined:
 * the service keeps its hostnames, and has no variables.
 */
export function chooseAddress(question: AddressQuestion): AddressChoice {
  const [tier, members] = bestInstances(question);
  const addresses = ranked(members, question).map(toAddress);
  const chosen = addresses.shift();

  return { tier, chosen, others: addresses, address: chosen && addressOf(chosen, question.family) };
}

/** Grades of the instances of a service, from worst to best. Those without an address of the family come first. */
const tiers = ['any', 'running', 'best'] as const satisfies readonly Tier[];

function bestInstances({
  instances,
  family,
}: AddressQuestion): [tier: Tier, members: readonly Instance[]] {
  let bestGrade = -1;
  let members: Instance[] = [];

  for (const instance of instances) {
    const grade = isCandidate(instance) ? gradeOf(instance, family) : -1;

    if (grade > bestGrade) {
      bestGrade = grade;
      members = [instance];
    } else if (grade === bestGrade && grade !== -1) {
      members.push(instance);
    }
  }

  return [tiers[bestGrade % tiers.length] ?? 'none', members];
}

/** It can be reached, whatever its health. */
export function isCandidate(instance: Instance): boolean {
  return (
    instance.readyState === 'active' &&
    instance.state !== 'deleting' &&
    instance.state !== 'deleted' &&
    addressOf(instance, 'auto') !== undefined
  );
}

/** An index of {@link tiers}; more by their number with an address of the family. */
function gradeOf(instance: Instance, family: AddressQuestion['family']): number {
  const offset = addressOf(instance, family) === undefined ? 0 : tiers.length;
  if (instance.state !== 'running') {
    return offset;
  }

  return offset + (instance.isHealthy && instance.isReady && !instance.isDraining ? 2 : 1);
}

/** The caller's order of preference, with the previous choice first while it is a member. */
function ranked(
  members: readonly Instance[],
  { selfId, previous }: AddressQuestion,
): readonly Instance[] {
  if (members.length < 2) {
    return members;
  }

  return members
    .map((instance) => ({
      instance,
      weight: instance.id === previous ? Infinity : hash53(`${selfId}\0${instance.id}`),
    }))
    .toSorted((a, b) => b.weight - a.weight || (a.instance.id < b.instance.id ? -1 : 1))
    .map(({ instance }) => instance);
}

function addressOf(
  address: Pick<Instance, 'ipv4' | 'ipv6'>,
  family: AddressQuestion['family'],
): string | undefined {
  return family === 'auto' ? (address.ipv4 ?? address.ipv6) : address[family];
}

function toAddress({ id, ipv4, ipv6 }: Instance): IstAddress {
  const instanceId = id;

  // Written out: with spread objects instead this is the slowest part of a map of 10,000 services.
  if (ipv4 === undefined) {
    return ipv6 === undefined ? { instanceId } : { instanceId, ipv6 };
  }

  return ipv6 === undefined ? { instanceId, ipv4 } : { instanceId, ipv4, ipv6 };
}

/** Two lanes of FNV-1a with different multipliers, finished as MurmurHash3 does: a whole number below 2^53. */
function hash53(text: string): number {
  let left = 0x811c9dc5;
  let right = 0x1b873593;

  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    left = Math.imul(left ^ unit, 0x01000193);
    right = Math.imul(right ^ unit, 0x85ebca6b);
  }

  return (scatter(left) >>> 11) * 2 ** 32 + (scatter(right) >>> 0);
}

function scatter(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);

  return mixed ^ (mixed >>> 16);
}
