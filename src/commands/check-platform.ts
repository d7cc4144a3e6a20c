// Whether the platform is there, lets us in and gives what a start needs; values of secrets are not asked for.
import { existsSync } from 'node:fs';

import { refuseCertificates } from '../core/certificate-files.ts';
import { type CheckId, fails, isFine, warns } from '../core/check-report.ts';
import type { Config } from '../core/config.ts';
import { platformPresence, standaloneWarning } from '../core/platform-presence.ts';
import {
  type WantedSecrets,
  areSecretsWanted,
  refuseWithoutPlatform,
} from '../core/secret-references.ts';
import { StartError, exitStatus } from '../errors.ts';
import { probeSocket } from '../inputs/socket-probe.ts';
import { type Answers, askPlatform } from './ask-platform.ts';
import type { Notes } from './check-notes.ts';
import type { PrepareOptions } from './prepare.ts';

export type PlatformSubject = { readonly config: Config; readonly wanted: WantedSecrets };

/** A start has more time: the platform may start beside it. */
const patienceMs = 5000;

/** Undefined where there is none, or none that answers. */
export async function inspectPlatform(
  notes: Notes,
  start: PrepareOptions,
  { config, wanted }: PlatformSubject,
): Promise<Answers | undefined> {
  const { settings } = config;
  const { socketPath, platform } = settings;
  const { required } = platform;
  const token = start.inherited.get('CYCLE_API_TOKEN');
  const presence = platformPresence({ socketExists: existsSync(socketPath), token, required });
  if (presence === 'standalone') {
    inspectStandalone(notes, { config, wanted });
    return undefined;
  }

  const problem = await probeSocket(socketPath);
  if (problem === undefined) {
    notes.add(isFine('socket', `${socketPath} takes connections`));
  } else {
    const { remedy, message, code } = problem;
    notes.add(
      required === false ? warns('socket', { code, message, ...remedy }) : fails('socket', problem),
    );
    inspectToken(notes, token);
    notes.skip(dependent, 'the socket cannot be used');
    return undefined;
  }

  const patient = {
    ...config,
    settings: {
      ...settings,
      platform: { ...platform, deadlineMs: Math.min(platform.deadlineMs, patienceMs) },
    },
  };
  const answers = await notes.attempt(
    (error) => (isAboutToken(error) ? 'token' : 'platform'),
    () => askPlatform({ ...start, log: notes.logFor('platform') }, patient, wanted),
  );
  if (!notes.findings.some(({ id }) => id === 'token')) {
    inspectToken(notes, token);
  }

  if (answers === undefined) {
    notes.skip(
      dependent.filter((id) => id !== 'platform' || !hasFinding(notes, 'platform')),
      'the platform does not answer as it should',
    );
  } else {
    describeAnswers(notes, { config, wanted }, answers);
  }

  return answers;
}

const dependent: readonly CheckId[] = ['platform', 'secrets', 'certificates', 'ist', 'names'];

function hasFinding(notes: Notes, id: CheckId): boolean {
  return notes.findings.some((finding) => finding.id === id);
}

/** It cannot be sent, or is refused. */
function isAboutToken({ code, message }: StartError): boolean {
  return (
    code === 'E_TOKEN' || (code === 'E_PLATFORM_REFUSED' && message.includes('the answer was 401'))
  );
}

function inspectToken(notes: Notes, token: string | undefined): void {
  notes.add(
    token === undefined || token === ''
      ? warns('token', {
          code: 'W_TOKEN',
          message: 'CYCLE_API_TOKEN is not set: requests go out without it',
          where: 'CYCLE_API_TOKEN',
          fix: 'Set CYCLE_API_TOKEN, as the platform does for an instance.',
        })
      : isFine('token', 'CYCLE_API_TOKEN is set'),
  );
}

function inspectStandalone(notes: Notes, { config, wanted }: PlatformSubject): void {
  const { socketPath, platform, certificates } = config.settings;
  notes.add(
    platform.required === false
      ? isFine('socket', `there is none at ${socketPath}, and no platform is required`)
      : warns('socket', standaloneWarning(socketPath)),
  );
  notes.skip(['token', 'platform', 'ist', 'names'], 'there is no platform here');
  const refusal = refuseWithoutPlatform(wanted);
  notes.add(
    refusal === undefined ? isFine('secrets', 'none is wanted') : fails('secrets', refusal),
    certificates === undefined ? undefined : fails('certificates', refuseCertificates()),
  );
}

function describeAnswers(
  notes: Notes,
  { config, wanted }: PlatformSubject,
  { platform, certificates }: Answers,
): void {
  const { self, containers, environment } = platform.snapshot;
  const place = environment === undefined ? '' : ` in the environment ${environment.name}`;
  notes.add(
    isFine('platform', `${self.name} (${self.id})${place}, ${containers.length} containers`),
    isFine(
      'secrets',
      areSecretsWanted(wanted)
        ? `${wanted.isAll ? 'all are' : `${wanted.secrets.length} are`} wanted; not asked for, because a value may be served once`
        : 'none is wanted',
    ),
  );
  if (config.settings.certificates === undefined) {
    return;
  }

  notes.add(
    certificates === undefined
      ? fails(
          'certificates',
          new StartError(
            'E_PLATFORM_UNAVAILABLE',
            'Cannot get the certificates that the config wants',
            {
              exitCode: exitStatus.unavailable,
              remedy: {
                where: 'init.certificates',
                fix: 'See what `platform` says, or leave out init.certificates.',
              },
            },
          ),
        )
      : isFine('certificates', `${certificates.length} of the platform`),
  );
}
