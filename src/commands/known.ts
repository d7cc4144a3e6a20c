// What a brain knows of the state that the app is in: from the last start or reload, or from what a predecessor has left.
import { type Knowledge, knowledgeOf } from '../core/knowledge.ts';
import type { ChosenCertificate } from '../core/certificate-files.ts';
import type { Config } from '../core/config.ts';
import { type Identity, type Memo, type Written, chosenInstances } from '../core/memo.ts';
import { type Scope, scopeOf } from '../core/notification.ts';
import type { Secret } from '../core/secret.ts';
import {
  type KnownSecrets,
  type Suspicion,
  type Trusted,
  stillToApply,
  trustedOf,
} from '../core/trust.ts';
import {
  type WrittenCertificates,
  knownIn,
  writtenCertificatesOf,
} from '../core/written-certificates.ts';
import { fingerprint, fingerprintsOf } from './certificate-fingerprints.ts';
import type { Intent, Prepared } from './prepare.ts';

export type Known = {
  readonly config: Config;
  readonly intent: Intent;
  readonly chosen: ReadonlyMap<string, string>;
  readonly secrets: ReadonlyMap<string, Secret>;
  /** Answered since then, and not in force yet. */
  readonly served: ReadonlyMap<string, Secret>;
  readonly certificates: readonly ChosenCertificate[] | undefined;
  readonly writtenCertificates: WrittenCertificates;
  readonly identity: Identity;
  readonly trusted: Trusted | undefined;
  /** Of the notifications that concern us. */
  readonly scope: Scope;
  readonly suspicion: Suspicion | undefined;
};

const noSecrets: KnownSecrets = { secrets: new Map(), served: new Map() };

/** @param before - What stays of it: all where this config wants no secret; what was served and is not in force. */
export function knownOf(prepared: Prepared, before: KnownSecrets = noSecrets): Known {
  const { config, written, wanted, account, files, planCertificates, secrets } = prepared;
  const { environment, server, hub } = prepared.platform?.snapshot ?? {};
  const identity = {
    ...(environment && { environment }),
    ...(server && { server }),
    ...(hub && { hub }),
  };
  return {
    config,
    intent: { written, wanted, account, files, planCertificates },
    chosen: chosenInstances(prepared.resolved.ist),
    secrets: secrets ?? before.secrets,
    served: stillToApply({ secrets: secrets ?? new Map(), served: before.served }, new Map()),
    certificates: prepared.certificates?.certificates,
    writtenCertificates: writtenCertificatesOf({
      certificates: fingerprintsOf(prepared.certificates?.certificates),
    }),
    identity,
    trusted: prepared.platform && trustedOf(prepared.platform.snapshot),
    scope: prepared.platform ? scopeOf(prepared.platform.snapshot) : scopeBy(identity),
    suspicion: undefined,
  };
}

export function knowledgeOfPrepared(prepared: Prepared): Knowledge {
  return knowledgeOf({
    resolved: prepared.resolved,
    instances: prepared.platform?.snapshot.instances ?? [],
    secrets: prepared.secrets ?? new Map(),
    certificates: fingerprintsOf(prepared.certificates?.certificates),
    argv: prepared.argv,
    settings: prepared.config.settings,
  });
}

/** @param certificates - As they were found. Of them only what init has written counts: others may have written the rest. */
export function knownByMemo(
  { chosen, secrets, served, writtenCertificates, identity, trusted }: Memo,
  { config, intent, certificates }: Pick<Known, 'config' | 'intent' | 'certificates'>,
): Known {
  const isWritten = knownIn(writtenCertificates);
  return {
    config,
    intent,
    chosen,
    secrets,
    served,
    certificates: certificates?.filter(
      ({ name, pem }) => pem !== undefined && isWritten(name, fingerprint(pem)),
    ),
    writtenCertificates,
    identity,
    trusted,
    scope: scopeBy(identity),
    suspicion: undefined,
  };
}

export function memoOf(
  { config, intent, chosen, secrets, served, writtenCertificates, identity, trusted }: Known,
  rest: Pick<Memo, 'told' | 'spacing' | 'command'>,
): Memo {
  return {
    chosen,
    secrets,
    served,
    writtenCertificates,
    identity,
    trusted,
    written: writtenOf(config, intent),
    ...rest,
  };
}

/** Without the settings, which depend on options, too. */
function writtenOf({ args, variables, port, ist, init }: Config, { written }: Intent): Written {
  return { config: { args, variables, port, ist, init }, dotenv: written.dotenv };
}

/** Which containers are hidden from us the next answer tells. */
function scopeBy({ environment }: Identity): Scope {
  return { environmentId: environment?.id, hiddenContainerIds: new Set() };
}
