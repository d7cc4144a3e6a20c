// Inputs to resolved, the way that `run` and `debug` share: options, config, platform, dotenv files, secrets.
import type { Config } from '../core/config.ts';
import { emptyConfig } from '../core/empty-config.ts';
import type { ResolvedSecrets, WrittenLayers } from '../core/environment.ts';
import { type Platform, type Resolved, resolveInputs } from '../core/resolve.ts';
import { type RawOptions, optionsFromEnvironment } from '../core/run-options.ts';
import {
  type WantedSecrets,
  findWantedSecrets,
  resolveSecrets,
} from '../core/secret-references.ts';
import type { Secret } from '../core/secret.ts';
import { type SettingSources, configPath, logSettings, resolveSettings } from '../core/settings.ts';
import { type Account, lookupUser } from '../inputs/accounts.ts';
import { findConfigFile } from '../inputs/config-path.ts';
import type { StuckReport } from '../inputs/config-watchdog.ts';
import { loadDotenvParser, readDotenvFiles } from '../inputs/dotenv-file.ts';
import { nsswitchPath, readNsswitch } from '../inputs/nsswitch-file.ts';
import { restoreNodeVariables } from '../inputs/own-environment.ts';
import { readStackLimit } from '../inputs/stack-limit.ts';
import type { Log } from '../log.ts';
import { type PlatformQuestion, askPlatform } from './ask-platform.ts';

export type PrepareOptions = PlatformQuestion & {
  readonly commandLine: RawOptions;
  /** The command as given; empty where the config's `args` is meant. */
  readonly argv: readonly string[];
  readonly onStuck: StuckReport;
};

export type Prepared = {
  readonly config: Config;
  readonly platform: Platform | undefined;
  readonly written: WrittenLayers;
  readonly wanted: WantedSecrets;
  readonly account: Account | undefined;
  readonly argv: readonly string[];
  readonly resolved: Resolved;
  readonly nsswitch: ReturnType<typeof readNsswitch>;
};

const configDeadlineMs = 5000;

/** @throws {StartError} whatever keeps the app from being started with what it needs. */
export async function prepare(options: PrepareOptions): Promise<Prepared> {
  const { options: fromEnvironment, warnings } = optionsFromEnvironment(options.inherited);
  for (const warning of warnings) {
    options.log.warn(warning);
  }

  const sources = { commandLine: options.commandLine, environment: fromEnvironment };
  const config = await readConfig(options, sources).catch((error: unknown) => {
    options.log.open(logSettings(sources));
    throw error;
  });
  options.log.open({ level: config.settings.logLevel, format: config.settings.logFormat });
  return complete(options, config);
}

/** One that was removed is still there under this name, and empty. */
function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '/proc/self/cwd';
  }
}

async function readConfig(
  { onStuck }: PrepareOptions,
  sources: Omit<SettingSources, 'init'>,
): Promise<Config> {
  const place = { path: configPath(sources), directory: currentDirectory() };
  if (findConfigFile(place) === undefined) {
    const { init, ...rest } = emptyConfig;
    return { ...rest, settings: resolveSettings({ ...sources, init }) };
  }

  // A config may ask for NODE_ENV.
  restoreNodeVariables(process.env);
  const [{ loadConfigFile }, { configError, parseConfig }] = await Promise.all([
    import('../inputs/config-file.ts'),
    import('../core/config.ts'),
  ]);
  const file = await loadConfigFile({ ...place, deadlineMs: configDeadlineMs, onStuck });
  const result = parseConfig(file?.value);
  // A rejected promise that the config has left behind shows itself here, and not after the start.
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  if (!result.ok) {
    throw configError(file?.path ?? '', result.problems);
  }

  const { init, ...rest } = result.config;
  return { ...rest, settings: resolveSettings({ ...sources, init }) };
}

async function complete(options: PrepareOptions, config: Config): Promise<Prepared> {
  const { inherited } = options;
  const { settings } = config;
  const written = {
    inherited,
    dotenv: settings.dotenvFiles.length === 0 ? [] : await readDotenvFiles(settings.dotenvFiles),
    rules: config.variables,
  };
  const wanted = findWantedSecrets(written, settings.secrets);
  const account = settings.user === undefined ? undefined : lookupUser(settings.user);
  const answers = await askPlatform(options, config, wanted);
  const secrets =
    options.purpose === 'debug'
      ? undefined
      : await grantSecrets(config, { wanted, fetched: answers?.secrets ?? new Map() }, options.log);
  const argv = options.argv.length > 0 ? options.argv : (config.args ?? []);
  const resolved = await resolveInputs({
    config,
    platform: answers?.platform,
    written,
    user: account,
    secrets,
    argv,
    stackBytes: readStackLimit(),
  });
  const nsswitch = readNsswitch(nsswitchPath);
  return {
    config,
    platform: answers?.platform,
    written,
    wanted,
    account,
    argv,
    resolved,
    nsswitch,
  };
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
