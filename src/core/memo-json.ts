// A memo as JSON: secrets in the open, maps as lists, null for what is not there. What comes back is checked.
import type { Knowledge, KnownService } from './knowledge.ts';
import type { Identity, Memo, RunningCommand, Written } from './memo.ts';
import type { RestartSpacing } from './restart-spacing.ts';
import { Secret } from './secret.ts';
import type { Trusted } from './trust.ts';

/** Another one for every change of what is in it or of what that means. */
const version = 5;

type Entries = readonly (readonly [string, string])[];

type MemoJson = {
  readonly version: typeof version;
  readonly chosen: Entries;
  readonly secrets: Entries;
  readonly served: Entries;
  readonly writtenCertificates: Entries;
  readonly trusted: TrustedJson | null;
  readonly identity: Identity;
  readonly written: WrittenJson | null;
  readonly told: KnowledgeJson | null;
  readonly spacing: RestartSpacing | null;
  readonly command: RunningCommand | null;
};

type TrustedJson = Pick<Trusted, 'selfId'> & { readonly services: readonly string[] };

type WrittenJson = Pick<Written, 'config'> & { readonly dotenv: readonly DotenvJson[] };

type DotenvJson = { readonly path: string; readonly values: Entries };

type KnowledgeJson = {
  readonly services: readonly KnownServiceJson[];
  readonly secrets: Entries;
  readonly certificates: Entries;
  readonly config: Entries;
};

type KnownServiceJson = Omit<KnownService, 'address'> & { readonly address: string | null };

export function toJson({
  chosen,
  secrets,
  served,
  trusted,
  written,
  told,
  ...rest
}: Memo): MemoJson {
  return {
    version,
    chosen: [...chosen],
    secrets: reveal(secrets),
    served: reveal(served),
    writtenCertificates: rest.writtenCertificates,
    trusted: trusted === undefined ? null : { ...trusted, services: [...trusted.services] },
    identity: rest.identity,
    written:
      written === undefined
        ? null
        : {
            config: written.config,
            dotenv: written.dotenv.map(({ path, values }) => ({ path, values: [...values] })),
          },
    told: told === undefined ? null : knowledgeToJson(told),
    spacing: rest.spacing ?? null,
    command: rest.command ?? null,
  };
}

export function fromJson({
  chosen,
  secrets,
  served,
  trusted,
  written,
  told,
  ...rest
}: MemoJson): Memo {
  return {
    chosen: new Map(chosen),
    secrets: conceal(secrets),
    served: conceal(served),
    writtenCertificates: rest.writtenCertificates,
    trusted: trusted === null ? undefined : { ...trusted, services: new Set(trusted.services) },
    identity: rest.identity,
    written:
      written === null
        ? undefined
        : {
            // JSON leaves `undefined` out.
            config: { ...written.config, args: written.config.args, port: written.config.port },
            dotenv: written.dotenv.map(({ path, values }) => ({ path, values: new Map(values) })),
          },
    told: told === null ? undefined : knowledgeFromJson(told),
    spacing: rest.spacing ?? undefined,
    command: rest.command ?? undefined,
  };
}

function knowledgeToJson({ services, secrets, certificates, config }: Knowledge): KnowledgeJson {
  return {
    services: services.map(({ address = null, ...rest }) => ({ ...rest, address })),
    secrets: reveal(secrets),
    certificates: [...certificates],
    config: [...config],
  };
}

function knowledgeFromJson({ services, secrets, certificates, config }: KnowledgeJson): Knowledge {
  return {
    services: services.map(({ address, ...rest }) => ({ ...rest, address: address ?? undefined })),
    secrets: conceal(secrets),
    certificates: new Map(certificates),
    config: new Map(config),
  };
}

function reveal(secrets: ReadonlyMap<string, Secret>): Entries {
  return [...secrets].map(([identifier, secret]) => [identifier, secret.reveal()]);
}

function conceal(secrets: Entries): ReadonlyMap<string, Secret> {
  return new Map(secrets.map(([identifier, text]) => [identifier, new Secret(text)]));
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

export function isMemoJson(value: unknown): value is MemoJson {
  return (
    isFields(value) &&
    value['version'] === version &&
    isEntries(value['chosen']) &&
    isEntries(value['secrets']) &&
    isEntries(value['served']) &&
    isEntries(value['writtenCertificates']) &&
    (value['trusted'] === null || isTrusted(value['trusted'])) &&
    isIdentity(value['identity']) &&
    (value['written'] === null || isWritten(value['written'])) &&
    (value['told'] === null || isKnowledge(value['told'])) &&
    (value['spacing'] === null || isSpacing(value['spacing'])) &&
    (value['command'] === null || isCommand(value['command']))
  );
}

function isTrusted(value: unknown): value is TrustedJson {
  return isFields(value) && typeof value['selfId'] === 'string' && isTexts(value['services']);
}

function isIdentity(value: unknown): value is Identity {
  return (
    isFields(value) &&
    ['hub', 'environment', 'server'].every((key) => {
      const thing = value[key];
      return thing === undefined || (isFields(thing) && isTexts(Object.values(thing)));
    })
  );
}

/** Of the config the outline alone: this version has written it, and the rest was checked when it was read. */
function isWritten(value: unknown): value is WrittenJson {
  if (!isFields(value) || !isFields(value['config'])) {
    return false;
  }

  const { config, dotenv } = value;
  return (
    Array.isArray(config['variables']) &&
    Array.isArray(config['ist']) &&
    isFields(config['init']) &&
    Array.isArray(dotenv) &&
    dotenv.every(isDotenv)
  );
}

function isDotenv(value: unknown): value is DotenvJson {
  return isFields(value) && typeof value['path'] === 'string' && isEntries(value['values']);
}

function isKnowledge(value: unknown): value is KnowledgeJson {
  return (
    isFields(value) &&
    Array.isArray(value['services']) &&
    value['services'].every(isService) &&
    isEntries(value['secrets']) &&
    isEntries(value['certificates']) &&
    isEntries(value['config'])
  );
}

function isService(value: unknown): value is KnownServiceJson {
  return (
    isFields(value) &&
    typeof value['name'] === 'string' &&
    isTextOrNull(value['address']) &&
    ['variables', 'hostnames', 'hostAddresses', 'live'].every((key) => isTexts(value[key]))
  );
}

function isSpacing(value: unknown): value is RestartSpacing {
  return isFields(value) && isTime(value['lastAtMs']) && isTime(value['gapMs']);
}

/** A pid of 1 or less would mean every process to kill(2). */
function isCommand(value: unknown): value is RunningCommand {
  return (
    isFields(value) &&
    typeof value['pid'] === 'number' &&
    Number.isSafeInteger(value['pid']) &&
    value['pid'] > 1 &&
    typeof value['startTicks'] === 'string'
  );
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isEntries(value: unknown): value is Entries {
  return Array.isArray(value) && value.every((entry) => isTexts(entry) && entry.length === 2);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string';
}
