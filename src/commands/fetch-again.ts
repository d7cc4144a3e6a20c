// The questions to the platform once more, for an app that runs: what fails now changes nothing and is asked again.
import type { Config } from '../core/config.ts';
import { findOwnInstance } from '../core/own-instance.ts';
import { type WantedSecrets, areSecretsWanted } from '../core/secret-references.ts';
import type { Secret } from '../core/secret.ts';
import type { Warning } from '../core/warning.ts';
import { request } from '../inputs/early-requests.ts';
import { partialAnswer } from '../inputs/platform-failure.ts';
import { readHostname } from '../inputs/hostname.ts';
import { readMemoryLimitBytes } from '../inputs/memory-limit.ts';
import type { Answers } from './ask-platform.ts';

const requestDeadlineMs = 5000;
const answerLimitBytes = 32 * 2 ** 20;
/** An answer is text, values and what is made of them: several times its size. */
const memoryShare = 16;

export type SecretsQuestion = {
  readonly wanted: WantedSecrets;
  /** Also where another answer fails. */
  readonly onSecrets: (secrets: ReadonlyMap<string, Secret>) => void;
};

/** @throws {StartError} 69 where the platform does not give what is needed, 77 where it refuses it. */
export async function fetchAgain(
  inherited: ReadonlyMap<string, string>,
  { settings }: Config,
  { wanted, onSecrets }: SecretsQuestion,
): Promise<Answers & { readonly warnings: readonly Warning[] }> {
  const memoryBytes = readMemoryLimitBytes() ?? Infinity;
  const { api } = request({
    socketPath: settings.socketPath,
    inherited,
    onWait: () => undefined,
    limits: {
      deadlineMs: requestDeadlineMs,
      maxBytes: Math.min(answerLimitBytes, Math.floor(memoryBytes / memoryShare)),
    },
  });
  const collected = await api.collect({
    deadlineMs: settings.platform.deadlineMs,
    wantSecrets: areSecretsWanted(wanted),
    onSecrets,
    wantCertificates: settings.certificates === undefined ? 'none' : 'files',
    required: true,
  });
  if (collected.kind !== 'platform') {
    throw new RangeError('a platform that is required was left out');
  }

  const { snapshot, secrets, certificates } = collected;
  // What may be left out stays as it was.
  const warnings = collected.warnings.filter(({ code }) => code !== partialAnswer);
  const self = findOwnInstance(snapshot, {
    instanceId: inherited.get('CYCLE_INSTANCE_ID'),
    hostname: readHostname(),
  });
  return { platform: { snapshot, self }, secrets, certificates, warnings };
}
