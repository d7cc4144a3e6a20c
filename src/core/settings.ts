// What the operator chose, from the command line, WARP_INIT_* and `init` of the config, with every default applied.
//
// Of each option the first source that has it counts, of a list as a whole: lists are never merged.
import type { CheckedInit } from './config-schema.ts';
import { logFormats, logLevels, parseText, parseUser } from './config-words.ts';
import { defaultSocketPath } from './default-socket.ts';
import { parseDuration } from './duration.ts';
import { runOptions, usageError, variableOf } from './run-options.ts';
import type { OptionName, RawOptions } from './run-options.ts';
import { parseExitStatus, parseRewrite, parseSignal } from './signals.ts';
import type { Rewrite } from './signals.ts';
import { refuseWord } from './suggest.ts';
import type { Parsed } from './suggest.ts';

export type LogLevel = (typeof logLevels)[number];
export type LogFormat = (typeof logFormats)[number];

export type Settings = {
  readonly socketPath: string;
  readonly dotenvFiles: readonly string[];
  /** As written; inputs/accounts.ts looks it up. */
  readonly user: string | undefined;
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
    readonly allowEmpty: ReadonlySet<string>;
  };
};

export type SettingSources = {
  readonly commandLine: RawOptions;
  readonly environment: RawOptions;
  readonly init: CheckedInit;
};

/** @throws {StartError} E_USAGE: an option or a variable has a value that it cannot have. */
export function resolveSettings(sources: SettingSources): Settings {
  const { init } = sources;

  return {
    socketPath: value(sources, 'socket', parseText) ?? defaultSocketPath,
    dotenvFiles: list(sources, 'env-file', parseText),
    user: value(sources, 'user', parseUser),
    exec: flag(sources, 'exec') ?? false,
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

type Given = { readonly label: string; readonly raw: NonNullable<RawOptions[OptionName]> };

/** The first source that has the option, and what the operator calls it there. */
function given(
  { commandLine, environment, init }: SettingSources,
  name: OptionName,
): Given | undefined {
  const key = runOptions[name].init;
  const [label, raw] =
    commandLine[name] !== undefined
      ? [`--${name}`, commandLine[name]]
      : environment[name] !== undefined
        ? [variableOf(name), environment[name]]
        : [`init.${key}`, key === undefined ? undefined : init[key]];
  return raw === undefined ? undefined : { label, raw };
}

type Parse<T> = (text: string) => Parsed<T>;

function value<T>(sources: SettingSources, name: OptionName, parse: Parse<T>): T | undefined {
  const found = given(sources, name);
  return found === undefined ? undefined : parseOne(found, found.raw, parse);
}

function list<T>(sources: SettingSources, name: OptionName, parse: Parse<T>): readonly T[] {
  const found = given(sources, name);

  if (found === undefined) {
    return [];
  }

  const items: readonly unknown[] = Array.isArray(found.raw) ? found.raw : [found.raw];
  return items.map((item) => parseOne(found, item, parse));
}

function flag(sources: SettingSources, name: OptionName): boolean | undefined {
  const found = given(sources, name);

  if (found === undefined) {
    return undefined;
  }

  if (typeof found.raw === 'boolean') {
    return found.raw;
  }

  throw usageError({
    label: found.label,
    received: JSON.stringify(found.raw),
    expected: 'no value',
  });
}

function parseOne<T>({ label }: Given, raw: unknown, parse: Parse<T>): T {
  const result: Parsed<T> =
    typeof raw === 'string' ? parse(raw) : { ok: false, expected: 'one value' };

  if (!result.ok) {
    throw usageError({ label, received: JSON.stringify(raw), ...result });
  }

  return result.value;
}

function wordOf<Word extends string>(words: readonly Word[]): Parse<Word> {
  return (text) => {
    const word = words.find((known) => known === text);
    return word === undefined ? refuseWord(text, words) : { ok: true, value: word };
  };
}

function toMap(rewrites: readonly Rewrite[]): ReadonlyMap<number, number> {
  return new Map(rewrites.map(({ from, to }) => [from, to]));
}

function deadlineMs(text = '30s'): number {
  const label = 'init.platform.deadline';
  return parseOne({ label, raw: text }, text, parseDuration);
}

function secretSettings(secrets: CheckedInit['secrets']): Settings['secrets'] {
  const { env = 'none', dotenv = [], allowEmpty = [] } = secrets ?? {};
  return {
    env: env === 'all' ? 'all' : new Map(env === 'none' ? [] : Object.entries(env)),
    dotenv: [dotenv].flat(),
    allowEmpty: new Set([allowEmpty].flat()),
  };
}
