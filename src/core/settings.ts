// What the operator chose, from the command line, WARP_INIT_* and `init` of the config, with every default applied.
//
// Of each option the first source that has it counts, of a list as a whole: lists are never merged. What only the
// config can say is in settings-{files,limits,reload}.ts.
import type { CheckedInit } from './config-schema.ts';
import {
  logFormats,
  logLevels,
  normalPath,
  parseFilePath,
  parseText,
  parseUser,
} from './config-words.ts';
import { defaultSocketPath } from './default-socket.ts';
import { parseDuration } from './duration.ts';
import type { OptionName } from './run-options.ts';
import { resolveCertificates, resolveEnvFile, resolveSecretFiles } from './settings-files.ts';
import type { CertificateFiles, SecretFile } from './settings-files.ts';
import { resolveLimits } from './settings-limits.ts';
import type { ResourceLimit } from './settings-limits.ts';
import { refuseReloadWithExec, resolveReload } from './settings-reload.ts';
import type { ReloadSettings } from './settings-reload.ts';
import { flag, given, list, parseOne, value, wordOf } from './settings-sources.ts';
import type { SettingSources } from './settings-sources.ts';
import { parseExitStatus, parseRewrite, parseSignal } from './signals.ts';
import type { Rewrite } from './signals.ts';

export type LogLevel = (typeof logLevels)[number];
export type LogFormat = (typeof logFormats)[number];

export type Settings = {
  readonly socketPath: string;
  readonly dotenvFiles: readonly string[];
  /** As written; inputs/accounts.ts looks it up. */
  readonly user: string | undefined;
  /** Where it is written: `--user`, `WARP_INIT_USER` or `init.user`. */
  readonly userLabel: string;
  readonly exec: boolean;
  readonly debug: boolean;
  /** Signal number got to signal number sent; 0 drops. Only the rewritten ones. */
  readonly rewrite: ReadonlyMap<number, number>;
  /** Exit status of the app to exit status of init. Only the replaced ones. */
  readonly exitStatus: ReadonlyMap<number, number>;
  readonly singleChild: boolean;
  /** Undefined: where init is not PID 1. */
  readonly subreaper: boolean | undefined;
  readonly parentDeathSignal: number | undefined;
  /** Signal number that the app gets for a SIGTERM. */
  readonly stopSignal: number | undefined;
  readonly killDelayMs: number | undefined;
  readonly lingerMs: number;
  readonly logLevel: LogLevel;
  /** Undefined: pretty on a terminal, else JSON. */
  readonly logFormat: LogFormat | undefined;
  readonly follow: boolean;
  readonly platform: { readonly required: boolean | undefined; readonly deadlineMs: number };
  readonly ist: {
    readonly family: 'auto' | 'ipv4' | 'ipv6';
    readonly variables: 'all' | 'explicit' | 'none';
  };
  readonly hosts: {
    readonly addresses: 'all' | 'chosen';
    readonly onError: 'warn' | 'fail';
  };
  readonly nsswitch: 'warn' | 'fix' | 'fail' | 'ignore';
  readonly secrets: {
    /** Variable name to secret identifier, or every secret. */
    readonly env: 'all' | ReadonlyMap<string, string>;
    readonly dotenv: readonly string[];
    readonly files: readonly SecretFile[];
    readonly allowEmpty: ReadonlySet<string>;
  };
  /** Where the app starts, absolute; undefined: where init was started. */
  readonly cwd: string | undefined;
  readonly noNewPrivileges: boolean;
  readonly limits: readonly ResourceLimit[];
  /** Keep the platform's token from the app. */
  readonly hideToken: boolean;
  /** Absolute; undefined: the first of the usual ones that can be written. */
  readonly stateDirectory: string | undefined;
  /** Absolute; `true`: `env` in the state directory; undefined: none is written. */
  readonly envFile: true | string | undefined;
  readonly certificates: CertificateFiles | undefined;
  readonly reload: ReloadSettings;
};

/**
 * @throws {StartError} E_USAGE: an option or a variable has a value that it cannot have. E_CONFIG: exec mode beside
 *   `init.reload`.
 */
export function resolveSettings(sources: SettingSources): Settings {
  const { init } = sources;
  const exec = flag(sources, 'exec') ?? false;
  if (exec) {
    refuseReloadWithExec(init.reload, given(sources, 'exec')?.label ?? '--exec');
  }

  return {
    socketPath: value(sources, 'socket', parseText) ?? defaultSocketPath,
    dotenvFiles: list(sources, 'env-file', parseText),
    user: value(sources, 'user', parseUser),
    userLabel: given(sources, 'user')?.label ?? '--user',
    exec,
    debug: flag(sources, 'debug') ?? false,
    rewrite: toMap(list(sources, 'rewrite', parseRewrite)),
    exitStatus: toMap(list(sources, 'exit-status', parseExitStatus)),
    singleChild: flag(sources, 'single-child') ?? false,
    subreaper: flag(sources, 'subreaper'),
    parentDeathSignal: value(sources, 'parent-death', parseSignal),
    stopSignal: value(sources, 'stop-signal', parseSignal),
    killDelayMs: value(sources, 'kill-delay', parseDuration),
    lingerMs: value(sources, 'linger', parseDuration) ?? 0,
    logLevel: value(sources, 'log-level', wordOf(logLevels)) ?? 'info',
    logFormat: value(sources, 'log-format', wordOf(logFormats)),
    follow: init.follow ?? true,
    platform: {
      required: init.platform?.required,
      deadlineMs: deadlineMs(init.platform?.deadline),
    },
    ist: { family: init.ist?.family ?? 'auto', variables: init.ist?.variables ?? 'all' },
    hosts: { addresses: init.hosts?.addresses ?? 'all', onError: init.hosts?.onError ?? 'warn' },
    nsswitch: init.nsswitch ?? 'warn',
    secrets: secretSettings(init.secrets),
    ...appSettings(init),
    stateDirectory: value(sources, 'state-directory', parseFilePath),
    envFile: resolveEnvFile(init.envFile),
    certificates: resolveCertificates(init.certificates),
    reload: resolveReload(init.reload),
  };
}

/** Those of the log, as far as they are right: for an error that comes before all settings are known. */
export function logSettings(sources: Omit<SettingSources, 'init'>): {
  readonly level: LogLevel;
  readonly format: LogFormat | undefined;
} {
  const all = { ...sources, init: {} };
  const known = <T extends string>(name: OptionName, words: readonly T[]): T | undefined =>
    words.find((word) => word === given(all, name)?.raw);
  return {
    level: known('log-level', logLevels) ?? 'info',
    format: known('log-format', logFormats),
  };
}

/** `--config` or `WARP_INIT_CONFIG`, needed before there is a config. */
export function configPath(sources: Omit<SettingSources, 'init'>): string | undefined {
  return value({ ...sources, init: {} }, 'config', parseText);
}

function toMap(rewrites: readonly Rewrite[]): ReadonlyMap<number, number> {
  return new Map(rewrites.map(({ from, to }) => [from, to]));
}

function deadlineMs(text = '30s'): number {
  const label = 'init.platform.deadline';
  return parseOne({ label, raw: text }, text, parseDuration);
}

function secretSettings(secrets: CheckedInit['secrets']): Settings['secrets'] {
  const { env = 'none', dotenv = [], files, allowEmpty = [] } = secrets ?? {};
  return {
    env: env === 'all' ? 'all' : new Map(env === 'none' ? [] : Object.entries(env)),
    dotenv: [dotenv].flat(),
    files: resolveSecretFiles(files),
    allowEmpty: new Set([allowEmpty].flat()),
  };
}

type AppSettings = Pick<Settings, 'cwd' | 'noNewPrivileges' | 'limits' | 'hideToken'>;

function appSettings({ cwd, noNewPrivileges, limits, hideToken }: CheckedInit): AppSettings {
  return {
    cwd: cwd === undefined ? undefined : normalPath(cwd),
    noNewPrivileges: noNewPrivileges ?? false,
    limits: resolveLimits(limits),
    hideToken: hideToken ?? false,
  };
}
