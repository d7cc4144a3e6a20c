// warp.config.js after validation: every shorthand spelled out, nothing left to check.
//
// All problems are found at once; core/config-problems.ts turns them into text.
import * as v from 'valibot';
import { StartError, exitStatus } from '../errors.ts';
import { pathConflicts } from './config-paths.ts';
import { describeProblem, describeValue, isUnknownKey, problemOf } from './config-problems.ts';
import type { Problem } from './config-problems.ts';
import { configSchema } from './config-schema.ts';
import type { CheckedConfig, CheckedInit, CheckedIstEntry } from './config-schema.ts';
import { parseHostname } from './config-words.ts';
import type { Settings } from './settings.ts';
import { version } from '../version.ts';

/** With what other sources say (core/settings.ts). */
export type Config = ParsedConfig & { readonly settings: Settings };

/** What the file says. Plain data: a memo can hold it. */
export type ParsedConfig = {
  /** The command, where none is given after `--`. */
  readonly args: readonly string[] | undefined;
  /** `deployment.variables` over `variables`. */
  readonly variables: readonly VariableRule[];
  /** `deployment.port`. */
  readonly port: number | undefined;
  readonly ist: readonly IstEntry[];
  readonly init: CheckedInit;
};

export type VariableRule =
  | { readonly name: string; readonly kind: 'literal'; readonly value: string }
  | { readonly name: string; readonly kind: 'local' | 'empty' | 'undef' };

export type IstEntry = {
  readonly service: string;
  readonly variables: readonly string[];
  /** ASCII, lower-cased. */
  readonly hostnames: readonly string[];
};

export type ConfigResult =
  | { readonly ok: true; readonly config: ParsedConfig }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** @param value - What `warp.config.js` exports, after its function has been called. */
export function parseConfig(value: unknown): ConfigResult {
  const result = v.safeParse(configSchema(), value);
  const problems = [
    ...(result.issues ?? []).map(problemOf),
    ...repeatedServices(value),
    ...pathConflicts(value),
  ];

  return result.success && problems.length === 0
    ? { ok: true, config: normalize(result.output) }
    : { ok: false, problems };
}

/** All problems of one config as the error that ends the start. */
export function configError(file: string, problems: readonly Problem[]): StartError {
  const lines = problems.map((problem) => `\n  ${describeProblem(problem)}`).join('');
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  return new StartError('E_CONFIG', `Cannot use ${file}, which has ${count}:${lines}`, {
    exitCode: exitStatus.config,
    remedy: {
      where: file,
      fix: problems.some(isUnknownKey)
        ? `Correct the keys named above. If it is the config of another version of warp-init (this one is ${version}): install that one, or remove them.`
        : 'Correct the keys named above.',
    },
  });
}

/** A service has one entry, so that its names stand in one place. Looks at raw values: other problems may be there too. */
function repeatedServices(value: unknown): Problem[] {
  const { ist } = isObject(value) ? value : {};
  const entries: unknown[] = Array.isArray(ist) ? ist : [];
  const services = entries.map((entry) => (isObject(entry) ? entry['service'] : undefined));

  return services.flatMap((service, index) => {
    const first = services.indexOf(service);
    return typeof service !== 'string' || first === index
      ? []
      : [
          {
            path: `ist[${index}].service`,
            expected: `one entry a service: put these names into ist[${first}]`,
            received: describeValue(service),
          },
        ];
  });
}

function normalize({ args, variables, deployment, ist, init }: CheckedConfig): ParsedConfig {
  const command = typeof args === 'string' ? args.split(/\s+/).filter(Boolean) : (args ?? []);
  const rules = { ...variables, ...deployment?.variables };

  return {
    args: command.length === 0 ? undefined : command,
    variables: Object.entries(rules).map(([name, rule]) => variableRule(name, rule)),
    port: deployment?.port,
    ist: toList<CheckedIstEntry>(ist).map((entry) => ({
      service: entry.service,
      variables: toList(entry.variables),
      hostnames: toList(entry.hostnames).map((name) => canonicalHostname(name)),
    })),
    init: init ?? {},
  };
}

type CheckedVariable = NonNullable<CheckedConfig['variables']>[string];

function variableRule(name: string, rule: CheckedVariable): VariableRule {
  if (typeof rule === 'string') {
    return rule === '' ? { name, kind: 'empty' } : { name, kind: 'literal', value: rule };
  }

  if ('local' in rule) {
    return { name, kind: 'local' };
  }

  return { name, kind: 'empty' in rule ? 'empty' : 'undef' };
}

function canonicalHostname(name: string): string {
  const hostname = parseHostname(name);
  return hostname.ok ? hostname.value : name;
}

function toList<T>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : isList(value) ? value : [value];
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
