// Resolved to plan: what is written where, and what is started how. A plan is data: `debug` prints it.
import type { CertificatesStep } from './certificate-files.ts';
import type { EnvFileStep } from './env-file.ts';
import type { Variable } from './environment.ts';
import { type HostsEntry, hostsEntries } from './hosts-file.ts';
import { type NsswitchDecision, decideNsswitch } from './nsswitch-decision.ts';
import type { IstFileStep } from './ist-document.ts';
import type { NsswitchFile } from './nsswitch.ts';
import type { Resolved } from './resolve.ts';
import type { Secret } from './secret.ts';
import type { SecretFileStep } from './secret-files.ts';
import type { Settings } from './settings.ts';

export type Plan = {
  readonly steps: readonly PlanStep[];
  readonly start: StartPlan;
};

export type PlanStep =
  | { readonly kind: 'nsswitch'; readonly path: string; readonly decision: NsswitchDecision }
  | {
      readonly kind: 'write-hosts';
      readonly path: string;
      readonly entries: readonly HostsEntry[];
      readonly onError: Settings['hosts']['onError'];
    }
  | SecretFileStep
  | CertificatesStep
  | EnvFileStep
  | IstFileStep;

/** Everything that pid1 needs to know of the app. */
export type StartPlan = {
  readonly file: string;
  readonly argv: readonly string[];
  readonly variables: readonly Variable[];
  readonly account: Ids | undefined;
  readonly settings: Settings;
  /** Some were fetched: init keeps them as long as the app runs. */
  readonly hasSecrets: boolean;
};

export type Ids = {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
};

/** What the steps are made of; `debug` has no more. */
export type StepInput = {
  readonly resolved: Resolved;
  readonly settings: Settings;
  readonly nsswitch: NsswitchFile & { readonly path: string };
  readonly secretFiles: readonly SecretFileStep[];
  /** Undefined where none are configured. */
  readonly certificates: CertificatesStep | undefined;
  readonly envFile: EnvFileStep | undefined;
  readonly istFile: IstFileStep | undefined;
};

export type PlanInput = StepInput & {
  readonly file: string;
  readonly argv: readonly string[];
  readonly account: Ids | undefined;
  /** As fetched; undefined where none were. */
  readonly secrets: ReadonlyMap<string, Secret> | undefined;
};

export function buildPlan(input: PlanInput): Plan {
  const { resolved, settings, file, argv, account, secrets } = input;
  const hasSecrets = secrets !== undefined && secrets.size > 0;
  return {
    steps: buildSteps(input),
    start: { file, argv, account, variables: resolved.variables, settings, hasSecrets },
  };
}

/** Without entries hosts is written all the same: a block of an earlier start may be in it. */
export function buildSteps({
  resolved,
  settings,
  nsswitch,
  secretFiles,
  certificates,
  envFile,
  istFile,
}: StepInput): readonly PlanStep[] {
  const { addresses, onError } = settings.hosts;
  return [
    {
      kind: 'nsswitch',
      path: nsswitch.path,
      decision: decideNsswitch(settings.nsswitch, nsswitch, resolved.ist),
    },
    {
      kind: 'write-hosts',
      path: '/etc/hosts',
      entries: hostsEntries(resolved.ist, addresses),
      onError,
    },
    ...secretFiles,
    ...[certificates, envFile, istFile].filter((step) => step !== undefined),
  ];
}
