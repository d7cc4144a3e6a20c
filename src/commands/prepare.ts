// Inputs to resolved, the way that `run` and `debug` share: options, config, platform, dotenv files, secrets.
import type { CertificatesStep, ChosenCertificate } from '../core/certificate-files.ts';
import type { Config, ParsedConfig } from '../core/config.ts';
import { emptyConfig } from '../core/empty-config.ts';
import type { DotenvLayer, ResolvedSecrets, WrittenLayers } from '../core/environment.ts';
import { type Platform, type Resolved, resolveInputs } from '../core/resolve.ts';
import { type RawOptions, optionsFromEnvironment } from '../core/run-options.ts';
import {
  type WantedSecrets,
  findWantedSecrets,
  resolveSecrets,
} from '../core/secret-references.ts';
import type { OwnedSecretFile, SecretFileStep } from '../core/secret-files.ts';
import type { Secret } from '../core/secret.ts';
import { configPath, logSettings, resolveSettings } from '../core/settings.ts';
import type { SettingSources } from '../core/settings-sources.ts';
import { type Account, lookupUser, systemFiles } from '../inputs/accounts.ts';
import { type ConfigPlace, findConfigFile, findUnreadConfig } from '../inputs/config-path.ts';
import { currentDirectory } from '../inputs/current-directory.ts';
import { loadDotenvParser, readDotenvFiles } from '../inputs/dotenv-file.ts';
import { nsswitchPath, readNsswitch } from '../inputs/nsswitch-file.ts';
import { readStackLimit } from '../inputs/stack-limit.ts';
import type { Log } from '../log.ts';
import { type Answers, type PlatformQuestion, askPlatform } from './ask-platform.ts';
import type { PlanCertificates } from './own-certificates.ts';

export type PrepareOptions = PlatformQuestion & {
  readonly commandLine: RawOptions;
  /** The command as given; empty where the config's `args` is meant. */
  readonly argv: readonly string[];
  readonly loadConfig: LoadConfig;
};

/** @throws {StartError} E_CONFIG. */
export type LoadConfig = (
  place: ConfigPlace,
) => Promise<{ readonly path: string; readonly value: unknown } | undefined>;

export type Prepared = Intent & {
  readonly config: Config;
  readonly platform: Platform | undefined;
  readonly argv: readonly string[];
  readonly resolved: Resolved;
  readonly nsswitch: ReturnType<typeof readNsswitch>;
  readonly secretFiles: readonly SecretFileStep[];
  readonly certificates: CertificatesStep | undefined;
  /** As fetched; undefined where none were. */
  readonly secrets: ReadonlyMap<string, Secret> | undefined;
};

export const configDeadlineMs = 5000;

/** @throws {StartError} whatever keeps the app from being started with what it needs. */
export async function prepare(options: PrepareOptions): Promise<Prepared> {
  const sources = sourcesOf(options);
  const config = await readConfig(options, sources).catch((error: unknown) => {
    options.log.open(logSettings(sources));
    throw error;
  });
  options.log.open({ level: config.settings.logLevel, format: config.settings.logFormat });
  for (const warning of findUnreadConfig(placeOf(sources))) {
    options.log.warn(warning);
  }

  const intent = await intend(options, config);
  const answers = await askPlatform(options, config, intent.wanted);
  return resolveAnswers(options, { config, intent, answers });
}

/** Options as given, but for the config's. */
export function sourcesOf(
  options: Pick<PrepareOptions, 'inherited' | 'log' | 'commandLine'>,
): Omit<SettingSources, 'init'> {
  const { options: environment, warnings } = optionsFromEnvironment(options.inherited);
  for (const warning of warnings) {
    options.log.warn(warning);
  }

  return { commandLine: options.commandLine, environment };
}

/** @throws {StartError} E_CONFIG, E_USAGE. */
export async function readConfig(
  { loadConfig }: Pick<PrepareOptions, 'loadConfig'>,
  sources: Omit<SettingSources, 'init'>,
): Promise<Config> {
  const place = placeOf(sources);
  if (findConfigFile(place) === undefined) {
    return completeConfig(emptyConfig, sources);
  }

  const [file, { configError, parseConfig }] = await Promise.all([
    loadConfig(place),
    import('../core/config.ts'),
  ]);
  const result = parseConfig(file?.value);
  if (!result.ok) {
    throw configError(file?.path ?? '', result.problems);
  }

  return completeConfig(result.config, sources);
}

function placeOf(sources: Omit<SettingSources, 'init'>): ConfigPlace {
  return { path: configPath(sources), directory: currentDirectory() };
}

/** @throws {StartError} an option that is wrong, or does not go with another one. */
export function completeConfig(
  parsed: ParsedConfig,
  sources: Omit<SettingSources, 'init'>,
): Config {
  return { ...parsed, settings: resolveSettings({ ...sources, init: parsed.init }) };
}

/** What a config asks for, known before the platform is asked. */
export type Intent = {
  readonly written: WrittenLayers;
  readonly wanted: WantedSecrets;
  readonly account: Account | undefined;
  readonly files: readonly OwnedSecretFile[];
  readonly planCertificates: PlanCertificates | undefined;
};

/**
 * @param dotenv - As read before; else the files are read.
 * @throws {StartError} a user, a group or a dotenv file that there is not.
 */
export async function intend(
  { inherited }: Pick<PrepareOptions, 'inherited'>,
  config: Config,
  dotenv?: readonly DotenvLayer[],
): Promise<Intent> {
  const { settings } = config;
  const written = {
    inherited,
    dotenv: dotenv ?? (await readDotenvFiles(settings.dotenvFiles)),
    rules: config.variables,
  };
  const wanted = findWantedSecrets(written, settings.secrets);
  const { user, userLabel } = settings;
  const account = user === undefined ? undefined : lookupUser(user, systemFiles, userLabel);
  const files = await ownSecretFiles(config, account);
  const planCertificates = await ownCertificates(config, account);
  return { written, wanted, account, files, planCertificates };
}

export type Gathered = {
  readonly config: Config;
  readonly intent: Intent;
  /** Undefined in standalone mode. */
  readonly answers: Answers | undefined;
  /** Of the last time, at a reload: what is good of it stays. */
  readonly known?: {
    readonly chosen: ReadonlyMap<string, string>;
    readonly certificates: readonly ChosenCertificate[] | undefined;
  };
};

/** @throws {StartError} what does not fit together: a secret that is missing, an environment that is too large. */
export async function resolveAnswers(
  options: Pick<PrepareOptions, 'purpose' | 'log' | 'argv'>,
  { config, intent, answers, known }: Gathered,
): Promise<Prepared> {
  const { written, wanted, account, files, planCertificates } = intent;
  const isDebug = options.purpose === 'debug';
  const fetched = answers?.secrets ?? new Map<string, Secret>();
  const secrets = isDebug
    ? undefined
    : await grantSecrets(config, { wanted, fetched }, options.log);
  const secretFiles =
    files.length === 0
      ? []
      : (await import('../core/secret-files.ts')).planSecretFiles(
          files,
          isDebug ? undefined : answers?.secrets,
        );
  const argv = options.argv.length > 0 ? options.argv : (config.args ?? []);
  const resolved = await resolveInputs({
    config,
    platform: answers?.platform,
    written,
    user: account,
    secrets,
    argv,
    stackBytes: readStackLimit(),
    ...(known && { chosen: known.chosen }),
  });
  return {
    ...intent,
    config,
    platform: answers?.platform,
    argv,
    resolved,
    nsswitch: readNsswitch(nsswitchPath),
    secretFiles,
    certificates: planCertificates?.(answers?.certificates ?? [], options.log, known?.certificates),
    secrets: answers?.secrets,
  };
}

/** Undefined where none are configured. */
async function ownCertificates({ settings }: Config, app: Account | undefined) {
  return settings.certificates === undefined
    ? undefined
    : (await import('./own-certificates.ts')).ownCertificates(settings.certificates, app);
}

async function ownSecretFiles(
  { settings }: Config,
  app: Account | undefined,
): Promise<readonly OwnedSecretFile[]> {
  const { files, allowEmpty } = settings.secrets;
  if (files.length === 0) {
    return [];
  }

  const { lookupOwner } = await import('../inputs/file-owner.ts');
  return files.map((file) => ({
    file: { ...file, allowEmpty: file.allowEmpty || allowEmpty.has(file.secret) },
    owner: lookupOwner(file, { app, where: 'init.secrets.files' }),
  }));
}

async function grantSecrets(
  { settings }: Config,
  { wanted, fetched }: { wanted: WantedSecrets; fetched: ReadonlyMap<string, Secret> },
  log: Log,
): Promise<ResolvedSecrets> {
  const { allowEmpty, dotenv } = settings.secrets;
  const parseDotenv = dotenv.length === 0 ? () => new Map() : await loadDotenvParser();
  const secrets = resolveSecrets(wanted, fetched, { allowEmpty, parseDotenv });
  for (const warning of secrets.warnings) {
    log.warn(warning);
  }

  return secrets;
}
