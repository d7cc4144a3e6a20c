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

type Answers = {
  readonly platform: Platform;
  readonly secrets: ReadonlyMap<string, Secret> | undefined;
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
    refuseSecrets(wanted, purpose);
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
    wantCertificates: purpose === 'debug',
    required,
  });
  for (const warning of collected.warnings) {
    log.warn(warning);
  }

  if (collected.kind === 'standalone') {
    refuseSecrets(wanted, purpose);
    return undefined;
  }

  const { snapshot, secrets } = collected;
  const self = findOwnInstance(snapshot, {
    instanceId: inherited.get('CYCLE_INSTANCE_ID'),
    hostname: readHostname(),
  });
  return { platform: { snapshot, self }, secrets };
}

function sayWait(log: Log): (reason: string) => void {
  return (reason) => log.info(`Waiting for the platform: ${reason}`);
}

function refuseSecrets(wanted: WantedSecrets, purpose: PlatformQuestion['purpose']): void {
  const refusal = purpose === 'run' ? refuseWithoutPlatform(wanted) : undefined;
  if (refusal !== undefined) {
    throw refusal;
  }
}
