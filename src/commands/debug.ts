// `warp-init debug`: everything that `run` would do, told and not done. No secret is fetched, nothing is written.
//
// stdout has the format and nothing else; warnings go to the log, which is stderr.
import { buildReport, formatJson, type DebugReport } from '../core/debug-report.ts';
import type { ProgramLookup } from '../core/debug-start.ts';
import { formatDotenv } from '../core/debug-dotenv.ts';
import { formatHosts } from '../core/debug-hosts.ts';
import { formatShell } from '../core/debug-shell.ts';
import { formatTable } from '../core/debug-table.ts';
import { referencedSecret } from '../core/environment.ts';
import type { Warning } from '../core/warning.ts';
import { StartError, errnoOf, exitStatus } from '../errors.ts';
import { findProgram } from '../inputs/find-program.ts';
import type { DebugFormat, Invocation } from '../invocation.ts';
import type { Log } from '../log.ts';
import { type Prepared, prepare } from './prepare.ts';
import { stuckReport } from './stuck-report.ts';

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
  const prepared = await withoutStdout(() =>
    prepare({
      commandLine: options,
      argv,
      inherited: inheritedVariables(),
      log: { ...log, warn },
      purpose: 'debug',
      onStuck: stuckReport({ kind: 'command' }),
    }),
  );
  for (const warning of prepared.resolved.warnings) {
    warn(warning);
  }

  await writeOut(formats[format](reportOf(prepared, warnings)));
  return 0;
}

/** What a config prints goes to stderr: stdout is for the format alone, and may be evaluated by a shell. */
async function withoutStdout<T>(work: () => Promise<T>): Promise<T> {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  try {
    return await work();
  } finally {
    process.stdout.write = write;
  }
}

/** For `run --debug`, which has logged the warnings. Secrets that it has resolved stay hidden. */
export function describeRun(prepared: Prepared, format: DebugFormat): string {
  return formats[format](reportOf(prepared, prepared.resolved.warnings));
}

const formats = {
  table: formatTable,
  json: formatJson,
  dotenv: formatDotenv,
  shell: formatShell,
  hosts: formatHosts,
} as const satisfies Record<DebugFormat, (report: DebugReport) => string>;

function reportOf(prepared: Prepared, warnings: readonly Warning[]): DebugReport {
  return buildReport({ ...prepared, warnings, program: lookupProgram(prepared) });
}

function inheritedVariables(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}

/** A PATH that is a secret, or is to be one, is not searched: what was found would be a part of it. */
function lookupProgram({ argv: [name], resolved }: Prepared): ProgramLookup {
  const path = resolved.variables.find((variable) => variable.name === 'PATH');
  const isSecret =
    path !== undefined && (typeof path.value !== 'string' || referencedSecret(path) !== undefined);
  if (name === undefined || isSecret) {
    return { kind: 'not-looked-up' };
  }

  try {
    const value = typeof path?.value === 'string' ? path.value : undefined;
    return { kind: 'found', file: findProgram(name, value) };
  } catch (error) {
    if (error instanceof StartError) {
      return { kind: 'failed', error };
    }

    throw error;
  }
}

/** `warp-init debug | head` closes the pipe early: no failure. */
async function writeOut(text: string): Promise<void> {
  const error = await new Promise<Error | null | undefined>((resolve) => {
    // The stream reports to both; without a listener the event would end the process.
    process.stdout.on('error', resolve);
    process.stdout.write(text, resolve);
  });
  const errno = errnoOf(error);
  if (error && errno !== 'EPIPE') {
    throw new StartError('E_OUTPUT', `Cannot write to stdout: ${errno ?? error.message}`, {
      exitCode: exitStatus.cannotWrite,
      remedy: { where: 'stdout', fix: 'Give the output a place that takes all of it.' },
    });
  }
}
