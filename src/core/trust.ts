// Whether an answer of the platform is believed: one that parsed can still be half a list.
//
// The app runs, so old knowledge is worth more than strange news: services that all vanish at once are believed when two
// answers, some seconds apart, miss the same ones; a secret that is served once, or as an empty text, keeps its value.
import { isCandidate } from './addresses.ts';
import { isVisible } from './ist.ts';
import { variableName } from './secret-references.ts';
import type { WantedSecrets } from './secret-references.ts';
import type { Secret } from './secret.ts';
import type { Snapshot } from './snapshot.ts';
import type { Warning } from './warning.ts';

/** Answers this far apart are two opinions and not one. */
export const confirmAfterMs = 10_000;

type Answer = Pick<Snapshot, 'self' | 'containers' | 'instances'>;

/** What the last answer that was accepted has had: a memo can hold it. */
export type Trusted = {
  readonly selfId: string;
  /** Container ids. */
  readonly services: ReadonlySet<string>;
};

/**
 * A service counts as there when it is visible to us and has an address; so an answer without instances is as strange
 * as one without containers. We ourselves do not count.
 */
export function trustedOf({ self, containers, instances }: Answer): Trusted {
  const reachable = new Set(instances.filter(isCandidate).map(({ containerId }) => containerId));
  const services = containers.filter(
    (it) => it.id !== self.id && reachable.has(it.id) && isVisible(it, self),
  );
  return { selfId: self.id, services: new Set(services.map(({ id }) => id)) };
}

/** A strange answer that waits for another one. */
export type Suspicion = {
  /** Of the first answer, by a clock that never goes back. */
  readonly sinceMs: number;
  /** Ids of the containers, and certificates, that every answer since then has missed. */
  readonly vanished: ReadonlySet<string>;
};

export type Verdict =
  | { readonly kind: 'accept' }
  | {
      readonly kind: 'wait';
      /** For the next judgement. */
      readonly suspicion: Suspicion | undefined;
      readonly retryAfterMs: number;
      readonly warning: Warning;
    };

export type JudgeOptions = {
  readonly nowMs: number;
  /** Of the last verdict, if that was to wait. */
  readonly suspicion: Suspicion | undefined;
  /** By name: those that there were, where none is left. */
  readonly lostCertificates?: readonly string[];
};

/** @param trusted - Undefined where no answer was accepted yet. */
export function judgeSnapshot(
  trusted: Trusted | undefined,
  next: Answer,
  { nowMs, suspicion, lostCertificates = [] }: JudgeOptions,
): Verdict {
  if (trusted !== undefined && !isOurs(next, trusted)) {
    return { kind: 'wait', suspicion: undefined, retryAfterMs: confirmAfterMs, warning: notOurs };
  }

  const before = trusted?.services ?? new Set<string>();
  const after = trustedOf(next).services;
  const gone = [...before].filter((id) => !after.has(id));
  const lostServices = gone.length * 2 > before.size ? gone : [];
  const vanished = new Set([
    ...lostServices,
    ...lostCertificates.map((name) => `certificate ${name}`),
  ]);
  if (vanished.size === 0) {
    return { kind: 'accept' };
  }

  // One that is missed now and was not missed then has a single witness.
  const isSame = suspicion !== undefined && [...vanished].every((id) => suspicion.vanished.has(id));
  const sinceMs = isSame && suspicion.sinceMs <= nowMs ? suspicion.sinceMs : nowMs;
  const retryAfterMs = sinceMs + confirmAfterMs - nowMs;
  return retryAfterMs <= 0
    ? { kind: 'accept' }
    : {
        kind: 'wait',
        suspicion: { sinceMs, vanished },
        retryAfterMs,
        warning:
          lostServices.length > 0
            ? warnVanished(lostServices.length, before.size)
            : warnCertificates(lostCertificates.length),
      };
}

function isOurs({ self, containers }: Answer, { selfId }: Trusted): boolean {
  return self.id === selfId && containers.some(({ id }) => id === selfId);
}

export type MergedSecrets = {
  /** What the app gets; of wanted identifiers alone. */
  readonly values: ReadonlyMap<string, Secret>;
  readonly changedIdentifiers: readonly string[];
  readonly warnings: readonly Warning[];
};

/**
 * The secrets after another answer. A value may be served once, so a missing one is no deletion; an empty one is what the
 * platform serves where it could not fetch a remote secret, also for those that `allowEmpty` lets start empty.
 *
 * @param previous - What the app has.
 * @param fetched - Everything in the answer; wanted or not.
 */
export function mergeSecrets(
  previous: ReadonlyMap<string, Secret>,
  fetched: ReadonlyMap<string, Secret>,
  wanted: WantedSecrets,
): MergedSecrets {
  const values = new Map<string, Secret>();
  const changedIdentifiers: string[] = [];
  const becameEmpty: string[] = [];

  for (const identifier of identifiersOf(wanted, [...previous.keys(), ...fetched.keys()])) {
    const old = previous.get(identifier);
    const served = fetched.get(identifier);
    const isLost = served?.isEmpty() === true && old?.isEmpty() === false;
    const value = isLost ? old : (served ?? old);
    if (isLost) {
      becameEmpty.push(identifier);
    }

    if (value !== undefined) {
      values.set(identifier, value);
    }

    if (value !== undefined && (old === undefined || !old.equals(value))) {
      changedIdentifiers.push(identifier);
    }
  }

  return { values, changedIdentifiers, warnings: warnEmpty(becameEmpty) };
}

type Secrets = ReadonlyMap<string, Secret>;

/** `served`: answered, and not in force yet, because another part of the answer failed or was not believed. */
export type KnownSecrets = { readonly secrets: Secrets; readonly served: Secrets };

/** As {@link mergeSecrets}, for an answer that comes after one that is not in force yet. */
export function mergeServed(
  { secrets, served }: KnownSecrets,
  fetched: Secrets,
  wanted: WantedSecrets,
): MergedSecrets {
  return mergeSecrets(new Map([...secrets, ...served]), fetched, wanted);
}

/** What must not be forgotten until it is in force: the next answer may not have it. */
export function stillToApply({ secrets, served }: KnownSecrets, merged: Secrets): Secrets {
  return new Map(
    [...new Map([...served, ...merged])].filter(
      ([identifier, secret]) => secrets.get(identifier)?.equals(secret) !== true,
    ),
  );
}

export function areSameSecrets(a: Secrets, b: Secrets): boolean {
  return (
    a.size === b.size &&
    [...a].every(([identifier, secret]) => b.get(identifier)?.equals(secret) === true)
  );
}

function identifiersOf(
  { secrets, isAll }: WantedSecrets,
  known: readonly string[],
): ReadonlySet<string> {
  return new Set([
    ...secrets.map(({ identifier }) => identifier),
    ...(isAll ? known.filter((identifier) => variableName.test(identifier)) : []),
  ]);
}

const notOurs: Warning = {
  code: 'W_FOREIGN_ANSWER',
  message: 'The platform answered with the containers of somebody else: the last answer stays',
  where: '/v1/container',
  fix: 'Nothing, if it happens once; else check that the socket and the token are those of this container.',
};

function warnVanished(gone: number, total: number): Warning {
  return {
    code: 'W_SERVICES_VANISHED',
    message: `${gone} of ${total} services are gone from one answer to the next: the old ones stay until another answer, ${confirmAfterMs} ms later, agrees`,
    where: '/v1/environment/containers',
    fix: 'Nothing, if they were removed on purpose; else look at the state of the platform.',
  };
}

function warnCertificates(count: number): Warning {
  return {
    code: 'W_CERTIFICATES_VANISHED',
    message: `No certificate of ${count} is left from one answer to the next: the old ones stay until another answer, ${confirmAfterMs} ms later, agrees`,
    where: '/v1/containers/certificates',
    fix: 'Nothing, if they were removed on purpose; else look at the state of the platform.',
  };
}

function warnEmpty(identifiers: readonly string[]): readonly Warning[] {
  return identifiers.length === 0
    ? []
    : [
        {
          code: 'W_SECRET_BECAME_EMPTY',
          message: `The platform serves an empty value for ${identifiers.map((it) => `"${it}"`).join(', ')}, as it does where it could not fetch a remote secret: the old value stays`,
          where: '/v1/environment/scoped-variables',
          fix: 'Check the remote source of the secret. To take a value away, remove its use from the config.',
        },
      ];
}
