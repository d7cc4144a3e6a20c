// Resolved to plan: what is written where, and what is started how. A plan is data: `debug` prints it.
import type { Variable } from './environment.ts';
import { type HostsEntry, hostsEntries } from './hosts-file.ts';
import { type NsswitchDecision, decideNsswitch } from './nsswitch-decision.ts';
import type { NsswitchFile } from './nsswitch.ts';
import type { Resolved } from './resolve.ts';
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
    };

/** Everything that pid1 needs to know of the app. */
export type StartPlan = {
  readonly file: string;
  readonly argv: readonly string[];
  readonly variables: readonly Variable[];
  readonly account: Ids | undefined;
  readonly settings: Settings;
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
};

export type PlanInput = StepInput & {
  readonly file: string;
  readonly argv: readonly string[];
  readonly account: Ids | undefined;
};

export function buildPlan({ resolved, settings, nsswitch, ...start }: PlanInput): Plan {
  return {
    steps: buildSteps({ resolved, settings, nsswitch }),
    start: { ...start, variables: resolved.variables, settings },
  };
}

/** Without entries hosts is written all the same: a block of an earlier start may be in it. */
export function buildSteps({ resolved, settings, nsswitch }: StepInput): readonly PlanStep[] {
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
  ];
}
