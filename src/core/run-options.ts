// The options of `run`: one table for the command line, `WARP_INIT_*`, `init` of the config and the help.
//
// An option comes as text from the command line and the environment; core/settings.ts gives it its meaning.
import { StartError, exitStatus } from '../errors.ts';
import { nearest } from './suggest.ts';
import type { Warning } from './warning.ts';
import type { InitConfig } from './warp-config.ts';

type RunOption = {
  /** A list may be given several times; in the environment commas separate its items. */
  readonly kind: 'flag' | 'value' | 'list';
  /** Its key under `init`, where it has one. */
  readonly init: keyof InitConfig | undefined;
  /** What stands for its value in the help; empty for a flag. */
  readonly placeholder: string;
  readonly description: string;
};

// prettier-ignore
export const runOptions = {
  config: { kind: 'value', init: undefined, placeholder: 'FILE', description: 'config module to load instead of warp.config.js' },
  socket: { kind: 'value', init: 'socket', placeholder: 'PATH', description: 'Unix socket of the internal API' },
  'env-file': { kind: 'list', init: 'dotenv', placeholder: 'FILE', description: 'dotenv file that fills what the environment lacks' },
  user: { kind: 'value', init: 'user', placeholder: 'NAME[:GROUP]', description: 'who the app runs as, by name or id' },
  exec: { kind: 'flag', init: 'exec', placeholder: '', description: 'become the app after preparing: no forwarding, no reaping' },
  debug: { kind: 'flag', init: 'debug', placeholder: '', description: 'print the resolved map to stderr before the start' },
  rewrite: { kind: 'list', init: 'rewrite', placeholder: 'SIG:SIG', description: 'forward another signal instead; SIG:0 drops it' },
  'exit-status': { kind: 'list', init: 'exitStatus', placeholder: 'FROM[:TO]', description: 'end with TO (0) where the app ends with FROM' },
  'single-child': { kind: 'flag', init: 'singleChild', placeholder: '', description: 'forward signals to the app alone, not to its group' },
  subreaper: { kind: 'flag', init: 'subreaper', placeholder: '', description: 'adopt orphans although not PID 1' },
  'parent-death': { kind: 'value', init: 'parentDeath', placeholder: 'SIG', description: 'signal for init when its parent ends' },
  'stop-signal': { kind: 'value', init: 'stopSignal', placeholder: 'SIG', description: 'what the app gets for a SIGTERM' },
  'kill-delay': { kind: 'value', init: 'killDelay', placeholder: 'TIME', description: 'time from the stop signal to SIGKILL (none)' },
  linger: { kind: 'value', init: 'linger', placeholder: 'TIME', description: 'time that the rest of the group has after the app (0s)' },
  'state-directory': { kind: 'value', init: 'stateDirectory', placeholder: 'DIR', description: 'where init keeps ist.json and its control socket (/run/warp-init)' },
  'log-level': { kind: 'value', init: 'logLevel', placeholder: 'LEVEL', description: 'trace, debug, info, warn, error, fatal or silent (info)' },
  'log-format': { kind: 'value', init: 'logFormat', placeholder: 'FORMAT', description: 'json or pretty (pretty on a terminal)' },
} as const satisfies Record<string, RunOption>;

export type OptionName = keyof typeof runOptions;

/** As written on the command line or in the environment. */
export type RawOptions = {
  readonly [name in OptionName]?: string | boolean | readonly string[] | undefined;
};

export type EnvironmentOptions = {
  readonly options: RawOptions;
  readonly warnings: readonly Warning[];
};

const prefix = 'WARP_INIT_';

/** These are for pid1, which looks for Node and for us. */
const variablesOfPid1 = [`${prefix}NODE`, `${prefix}PLAIN`];

/**
 * The options that `WARP_INIT_*` sets. An empty variable counts as absent: compose files make such from unset ones.
 * An unknown name is a warning, not an error, for a container inherits variables from images that it did not write.
 *
 * @throws {StartError} E_USAGE: a flag is neither on nor off.
 */
export function optionsFromEnvironment(
  environment: Iterable<readonly [name: string, value: string | undefined]>,
): EnvironmentOptions {
  const options: Partial<Record<OptionName, string | boolean | readonly string[]>> = {};
  const warnings: Warning[] = [];

  for (const [variable, value] of environment) {
    if (!variable.startsWith(prefix) || value === undefined || variablesOfPid1.includes(variable)) {
      continue;
    }

    const name = optionNames().find((known) => variableOf(known) === variable);

    if (name === undefined) {
      warnings.push(unknownVariable(variable));
    } else if (value !== '') {
      options[name] = rawValue(name, value);
    }
  }

  return { options, warnings };
}

export function optionNames(): OptionName[] {
  return Object.keys(runOptions).filter((name) => isOptionName(name));
}

/** `env-file` → `WARP_INIT_ENV_FILE`. */
export function variableOf(name: OptionName): string {
  return prefix + name.toUpperCase().replaceAll('-', '_');
}

/** A value that an operator gave, and the option or variable that it came by. */
export type GivenValue = {
  readonly label: string;
  readonly received: string;
  readonly expected: string;
  readonly suggestion?: string;
};

export function usageError(given: GivenValue): StartError {
  const { label, received, expected } = given;
  const fix =
    given.suggestion === undefined
      ? `Give ${label} ${expected}.`
      : `Write ${given.suggestion} instead.`;
  return new StartError('E_USAGE', `Cannot use ${received} for ${label}: expected ${expected}`, {
    exitCode: exitStatus.usage,
    remedy: { where: label, fix },
  });
}

function rawValue(name: OptionName, value: string): string | boolean | readonly string[] {
  switch (runOptions[name].kind) {
    case 'value':
      return value;
    case 'list':
      return value
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
    case 'flag':
      return parseFlag(variableOf(name), value);
  }
}

function parseFlag(label: string, value: string): boolean {
  switch (value.toLowerCase()) {
    case '1':
    case 'true':
      return true;
    case '0':
    case 'false':
      return false;
    default:
      throw usageError({ label, received: JSON.stringify(value), expected: '1, true, 0 or false' });
  }
}

function unknownVariable(variable: string): Warning {
  const known = nearest(variable, [...optionNames().map(variableOf), ...variablesOfPid1]);
  return {
    code: 'W_UNKNOWN_OPTION',
    message: `${variable} is no option of warp-init and has no effect`,
    where: variable,
    fix: known === undefined ? `Remove ${variable}.` : `Write ${known} instead.`,
  };
}

function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(runOptions, name);
}
