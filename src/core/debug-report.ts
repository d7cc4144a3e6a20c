// What `debug` tells, as plain data: the versioned shape of `--format json`, and what the other formats are made of.
//
// Documented in docs/debug-json.md. Every key is always there, in this order, `null` where there is nothing: a program
// that reads it needs no other rule. New keys do not change the version; a key that goes or changes its meaning does.
import {
  type DebugCertificate,
  type DebugIdentity,
  type DebugService,
  describeCertificates,
  describeIdentity,
  describeServices,
} from './debug-platform.ts';
import {
  type DebugProblem,
  type DebugStart,
  type DebugStep,
  type StartInput,
  describeProblems,
  describeStart,
  describeStep,
} from './debug-start.ts';
import { type DebugVariable, describeVariables } from './debug-variables.ts';
import type { IstConflict, IstMap } from './ist.ts';
import { type NsswitchVerdict, judgeNsswitch } from './nsswitch.ts';
import { type StepInput, buildSteps } from './plan.ts';
import type { WantedSecret, WantedSecrets } from './secret-references.ts';
import type { Settings } from './settings.ts';
import type { Warning } from './warning.ts';

export type DebugReport = {
  readonly version: 1;
  readonly mode: 'platform' | 'standalone';
  /** `null` in standalone mode. */
  readonly identity: DebugIdentity | null;
  /** By domain; `null` where the platform did not tell. */
  readonly certificates: readonly DebugCertificate[] | null;
  readonly services: readonly DebugService[];
  readonly conflicts: readonly IstConflict[];
  readonly variables: readonly DebugVariable[];
  readonly removedVariables: readonly string[];
  readonly secrets: DebugSecrets;
  readonly nsswitch: {
    readonly path: string;
    readonly verdict: NsswitchVerdict['verdict'];
    readonly reason: string;
    readonly line: number | null;
    /** `init.nsswitch`. */
    readonly mode: Settings['nsswitch'];
  };
  /** What `run` would do before the start, in this order. */
  readonly steps: readonly DebugStep[];
  readonly start: DebugStart;
  /** What would stop `run`. */
  readonly problems: readonly DebugProblem[];
  readonly warnings: readonly Warning[];
};

export type DebugSecrets = {
  /** `init.secrets.env: "all"`. */
  readonly isAll: boolean;
  readonly wanted: readonly {
    readonly identifier: string;
    readonly kind: WantedSecret['kind'];
    /** `null` for a file, and for a dotenv document, which gives as many as it has. */
    readonly variable: string | null;
    /** Of a file; else `null`. */
    readonly path: string | null;
    readonly where: string;
  }[];
  /** How many variables documents gave; 0 for the command `debug`, which fetches none. */
  readonly unnamedVariables: number;
  /** Identifiers of those that the init which runs here holds; `null` where none was asked, or has answered. */
  readonly held: readonly string[] | null;
};

export type DebugInput = StartInput &
  Omit<StepInput, 'settings'> & {
    /** In the order in which `run` would log them. */
    readonly warnings: readonly Warning[];
    /** What a running init says of itself. */
    readonly heldSecrets?: readonly string[] | undefined;
  };

export function buildReport(input: DebugInput): DebugReport {
  const { config, platform, written, wanted, resolved } = input;
  const steps = buildSteps({ ...input, settings: config.settings });
  const { variables, removed, unnamed } = describeVariables({
    variables: resolved.variables,
    written,
    wanted,
  });

  return {
    version: 1,
    mode: platform === undefined ? 'standalone' : 'platform',
    identity: platform === undefined ? null : describeIdentity(platform),
    certificates: platform === undefined ? null : describeCertificates(platform.snapshot),
    services: describeServices(resolved.ist, platform?.snapshot.self.id),
    conflicts: resolved.ist.conflicts.map(describeConflict),
    variables,
    removedVariables: removed,
    secrets: { ...describeSecrets(wanted, unnamed), held: input.heldSecrets ?? null },
    nsswitch: describeNsswitch(input),
    steps: steps.map(describeStep),
    start: describeStart(input),
    problems: describeProblems(input, steps),
    warnings: input.warnings.map(({ code, message, where, fix }) => ({
      code,
      message,
      where,
      fix,
    })),
  };
}

export function formatJson(report: DebugReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

function describeConflict({ kind, name, winner, losers }: IstConflict): IstConflict {
  return { kind, name, winner, losers };
}

function describeSecrets(
  { secrets, isAll }: WantedSecrets,
  unnamed: number,
): Omit<DebugSecrets, 'held'> {
  return {
    isAll,
    wanted: secrets.map((wish) => ({
      identifier: wish.identifier,
      kind: wish.kind,
      variable: 'variable' in wish ? wish.variable : null,
      path: wish.kind === 'file' ? wish.path : null,
      where: wish.where,
    })),
    unnamedVariables: unnamed,
  };
}

function describeNsswitch({ nsswitch, config, resolved }: DebugInput): DebugReport['nsswitch'] {
  const { verdict, reason, line } = judgeNsswitch(nsswitch, hostnamesOf(resolved.ist));
  const { nsswitch: mode } = config.settings;
  return { path: nsswitch.path, verdict, reason, line: line ?? null, mode };
}

function hostnamesOf({ services }: IstMap): string[] {
  return services.flatMap(({ hostnames }) => hostnames.map(({ name }) => name));
}
