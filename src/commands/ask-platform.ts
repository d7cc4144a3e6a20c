// Whether there is a platform, and what it says: the early requests if they went to the right socket, else new ones.
import { existsSync } from 'node:fs';

import type { Config } from '../core/config.ts';
import { findOwnInstance } from '../core/own-instance.ts';
import { platformPresence, standaloneWarning } from '../core/platform-presence.ts';
import type { Platform } from '../core/resolve.ts';
import {
  type WantedSecrets,
  areSecretsWanted,
  refuseWithoutPlatform,
} from '../core/secret-references.ts';
import type { Secret } from '../core/secret.ts';
import type { Settings } from '../core/settings.ts';
import type { Certificate, CertificateSummary } from '../core/snapshot.ts';
import { type EarlyRequests, request } from '../inputs/early-requests.ts';
import { readHostname } from '../inputs/hostname.ts';
import type { Log } from '../log.ts';

export type PlatformQuestion = {
  readonly inherited: ReadonlyMap<string, string>;
  readonly log: Log;
  /** `run` fetches wanted secrets; `debug` never does, and asks for the certificates' domains. */
  readonly purpose: 'run' | 'debug';
  /** Whoever sent them closes them. */
  readonly early?: EarlyRequests | undefined;
};

export type Answers = {
  readonly platform: Platform;
  readonly secrets: ReadonlyMap<string, Secret> | undefined;
  /** Undefined where none were wanted; `debug` knows their domains alone. */
  readonly certificates: readonly (CertificateSummary | Certificate)[] | undefined;
};

/** Undefined in standalone mode. */
export async function askPlatform(
  question: PlatformQuestion,
  { settings }: Config,
  wanted: WantedSecrets,
): Promise<Answers | undefined> {
  const { inherited, log, purpose } = question;
  const { socketPath } = settings;
  const { required, deadlineMs } = settings.platform;
  const token = inherited.get('CYCLE_API_TOKEN');
  const presence = platformPresence({ socketExists: existsSync(socketPath), token, required });
  if (presence === 'standalone') {
    log.warn(standaloneWarning(socketPath));
    await refuseStandalone(question, settings, wanted);
    return undefined;
  }

  const { early } = question;
  if (early?.socketPath !== socketPath) {
    early?.api.close();
  }

  const { api } =
    early?.socketPath === socketPath
      ? early
      : request({ socketPath, inherited, onWait: sayWait(log) });
  const collected = await api.collect({
    deadlineMs,
    wantSecrets: purpose === 'run' && areSecretsWanted(wanted),
    wantCertificates:
      purpose === 'debug' ? 'domains' : settings.certificates === undefined ? 'none' : 'files',
    required,
  });
  for (const warning of collected.warnings) {
    log.warn(warning);
  }

  if (collected.kind === 'standalone') {
    await refuseStandalone(question, settings, wanted);
    return undefined;
  }

  const { snapshot, secrets } = collected;
  const certificates = collected.certificates ?? snapshot.certificates;
  const self = findOwnInstance(snapshot, {
    instanceId: inherited.get('CYCLE_INSTANCE_ID'),
    hostname: readHostname(),
  });
  return { platform: { snapshot, self }, secrets, certificates };
}

function sayWait(log: Log): (reason: string) => void {
  return (reason) => log.info(`Waiting for the platform: ${reason}`);
}

/** `debug` shows it as a problem. */
async function refuseStandalone(
  { purpose }: PlatformQuestion,
  { certificates }: Settings,
  wanted: WantedSecrets,
): Promise<void> {
  if (purpose === 'debug') {
    return;
  }

  const refusal =
    refuseWithoutPlatform(wanted) ??
    (certificates === undefined
      ? undefined
      : (await import('../core/certificate-files.ts')).refuseCertificates());
  if (refusal !== undefined) {
    throw refusal;
  }
}
