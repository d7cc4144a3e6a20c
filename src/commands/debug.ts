// `warp-init debug`: everything that `run` would do, told and not done. No secret is fetched, nothing is written.
//
// stdout has the format and nothing else; warnings go to the log, which is stderr.
import {
  buildReport,
  formatJson,
  type DebugInput,
  type DebugReport,
} from '../core/debug-report.ts';
import type { ProgramLookup } from '../core/debug-start.ts';
import { formatDotenv } from '../core/debug-dotenv.ts';
import { formatHosts } from '../core/debug-hosts.ts';
import { formatShell } from '../core/debug-shell.ts';
import { formatTable } from '../core/debug-table.ts';
import { referencedSecret } from '../core/environment.ts';
import { areSecretsWanted } from '../core/secret-references.ts';
import { stateCandidates } from '../core/state-directory.ts';
import type { Warning } from '../core/warning.ts';
import { StartError } from '../errors.ts';
import { findStateDirectory } from '../inputs/state-directory.ts';
import type { DebugFormat, Invocation } from '../invocation.ts';
import type { Log } from '../log.ts';
import { findApp } from './app-start.ts';
import { refuseCommand } from './foresee-command.ts';
import { askHeldSecrets } from './held-secrets.ts';
import { type Prepared, prepare } from './prepare.ts';
import { inheritedVariables } from './inherited-variables.ts';
import { loadConfigForCommand } from './load-config.ts';
import { type StateSteps, ownIds, planStateSteps } from './state-steps.ts';
import { writeOut } from './write-out.ts';

/**
 * @returns the exit status, 0.
 * @throws {StartError} what would stop `run` before it had anything to show.
 */
export async function debug(
  { options, argv, format }: Extract<Invocation, { command: 'debug' }>,
  log: Log,
): Promise<number> {
  const warnings: Warning[] = [];
  const warn = (warning: Warning) => {
    warnings.push(warning);
    log.warn(warning);
  };
  const prepared = await prepare({
    commandLine: options,
    argv,
    inherited: inheritedVariables(),
    log: { ...log, warn },
    purpose: 'debug',
    loadConfig: loadConfigForCommand,
  });
  const stateSteps = await findState(prepared);
  for (const warning of [...prepared.resolved.warnings, ...stateSteps.warnings]) {
    warn(warning);
  }

  const heldSecrets = areSecretsWanted(prepared.wanted)
    ? await askHeldSecrets(prepared.config.settings.stateDirectory)
    : undefined;
  const report = reportOf({ ...prepared, ...stateSteps, heldSecrets }, warnings);
  await writeOut(formats[format](report));
  return 0;
}

/** For `run --debug`, which has logged the warnings. Secrets that it has resolved stay hidden. */
export function describeRun(prepared: Prepared & StateSteps, format: DebugFormat): string {
  const { resolved, warnings } = prepared;
  return formats[format](reportOf(prepared, [...resolved.warnings, ...warnings]));
}

const formats = {
  table: formatTable,
  json: formatJson,
  dotenv: formatDotenv,
  shell: formatShell,
  hosts: formatHosts,
} as const satisfies Record<DebugFormat, (report: DebugReport) => string>;

/** Where a start would have its files; nothing is made. */
export function findState(prepared: Prepared): Promise<StateSteps> {
  const { uid } = ownIds();
  const candidates = stateCandidates(prepared.config.settings.stateDirectory, uid);
  return planStateSteps(prepared, findStateDirectory(candidates, uid));
}

function reportOf(
  prepared: Prepared & StateSteps & Pick<DebugInput, 'heldSecrets'>,
  warnings: readonly Warning[],
): DebugReport {
  return buildReport({ ...prepared, warnings, program: lookupProgram(prepared) });
}

/** A PATH that is a secret, or is to be one, is not searched: what was found would be a part of it. */
export function lookupProgram(prepared: Prepared): ProgramLookup {
  const [name] = prepared.argv;
  const { resolved, wanted } = prepared;
  const path = resolved.variables.find((variable) => variable.name === 'PATH');
  const isSecret =
    (path !== undefined &&
      (typeof path.value !== 'string' || referencedSecret(path) !== undefined)) ||
    wanted.secrets.some((secret) => secret.kind === 'env' && secret.variable === 'PATH');
  if (name === undefined || isSecret) {
    return { kind: 'not-looked-up' };
  }

  try {
    const file = findApp(prepared);
    refuseCommand(file, prepared);
    return { kind: 'found', file };
  } catch (error) {
    if (error instanceof StartError) {
      return { kind: 'failed', error };
    }

    throw error;
  }
}
