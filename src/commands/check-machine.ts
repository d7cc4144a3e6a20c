// What a start would meet in the container: nsswitch.conf, hosts, names, and places for its files.
import { readFileSync } from 'node:fs';

import { applyNsswitch } from '../apply/fix-nsswitch.ts';
import { judgeFailure } from '../apply/write-hosts.ts';
import { addressesOf, judgeNames } from '../core/check-names.ts';
import type { ProcessFacts } from '../core/check-process.ts';
import { isFine, warns } from '../core/check-report.ts';
import { type HostsEntry, parseBlock, replaceBlock } from '../core/hosts-file.ts';
import { hostConfPath, isMultiOn } from '../core/host-conf.ts';
import { judgeNsswitch } from '../core/nsswitch.ts';
import { type PlanStep, buildSteps } from '../core/plan.ts';
import { errnoOf } from '../errors.ts';
import { foreseeEdit } from '../inputs/foresee-write.ts';
import { lookupNames, usualForm } from '../inputs/lookup-names.ts';
import { hideVariables } from '../inputs/own-environment.ts';
import { inspectApp } from './check-app.ts';
import { inspectFiles } from './check-files.ts';
import type { Notes } from './check-notes.ts';
import { inheritedVariables } from './inherited-variables.ts';
import { findState } from './debug.ts';
import type { Prepared } from './prepare.ts';

export type Machine = { readonly prepared: Prepared; readonly facts: ProcessFacts };

export async function inspectMachine(notes: Notes, { prepared, facts }: Machine): Promise<void> {
  inspectMap(notes, prepared);
  inspectApp(notes, prepared, facts);
  const stateSteps = await findState(prepared);
  const { settings } = prepared.config;
  const steps = buildSteps({ ...prepared, ...stateSteps, settings });
  for (const step of steps) {
    if (step.kind === 'nsswitch') {
      await inspectNsswitch(notes, prepared, step);
    } else if (step.kind === 'write-hosts') {
      await inspectHosts(notes, prepared, step);
    }
  }

  inspectFiles(notes, { steps, stateSteps, facts });
}

function inspectMap(notes: Notes, { resolved, platform }: Prepared): void {
  const { ist, variables, warnings } = resolved;
  const ofIst = new Set(ist.warnings);
  const ofPlatform = new Set(platform?.self.warnings);
  for (const warning of warnings) {
    const id = ofIst.has(warning) ? 'ist' : ofPlatform.has(warning) ? 'platform' : 'environment';
    notes.add(warns(id, warning));
  }

  notes.add(isFine('environment', `${variables.length} variables`));
  if (platform !== undefined) {
    const names = ist.services.flatMap(({ hostnames }) => hostnames).length;
    notes.add(isFine('ist', `${ist.services.length} services, ${names} hostnames`));
  }
}

type StepOf<Kind extends PlanStep['kind']> = Extract<PlanStep, { readonly kind: Kind }>;

async function inspectNsswitch(
  notes: Notes,
  { nsswitch, resolved, config }: Prepared,
  { path, decision }: StepOf<'nsswitch'>,
): Promise<void> {
  const hostnames = resolved.ist.services.flatMap((it) => it.hostnames.map(({ name }) => name));
  const { verdict, reason, line } = judgeNsswitch(nsswitch, hostnames);
  const place = line === undefined ? path : `${path}:${line}`;
  if (decision.kind === 'fix') {
    notes.add(
      foreseeEdit(path) === undefined
        ? isFine('nsswitch', `${place}: the start puts \`files\` first (now ${reason})`)
        : warns('nsswitch', decision.warning),
    );
    return;
  }

  await notes.attempt('nsswitch', () => {
    const warning = applyNsswitch(path, decision); // Of these kinds it changes nothing.
    const isBroken = verdict === 'broken' && config.settings.nsswitch !== 'ignore';
    notes.add(
      warning === undefined && !isBroken
        ? isFine('nsswitch', `${place}: ${reason}`)
        : warns('nsswitch', warning ?? withoutNames(place, reason)),
    );
  });
}

/** Nothing of ours would be lost: there are no hostnames now. */
function withoutNames(where: string, reason: string) {
  return {
    code: 'W_NSSWITCH',
    message: `Names of /etc/hosts may not resolve: ${reason}`,
    where,
    fix: 'Put `files` first on the hosts line, or set init.nsswitch to "fix".',
  };
}

async function inspectHosts(
  notes: Notes,
  { config, platform, nsswitch }: Prepared,
  { path, entries, onError }: StepOf<'write-hosts'>,
): Promise<void> {
  const text = readIfThere(path);
  const problem = replaceBlock(text, entries) === text ? undefined : foreseeEdit(path);
  if (problem === undefined) {
    notes.add(isFine('hosts', `${path} can be written, or is as it should be`));
  } else {
    await notes.attempt('hosts', () =>
      notes.add(warns('hosts', judgeFailure(path, problem, onError))),
    );
  }

  if (platform !== undefined) {
    const isFirstOnly = nsswitch.libc !== 'musl' && !isMultiOn(readIfThere(hostConfPath));
    const rules = { isFirstOnly, nsswitch: config.settings.nsswitch };
    await inspectNames(notes, { text, entries }, rules);
  }
}

type Hosts = { readonly text: string; readonly entries: readonly HostsEntry[] };

const lookupDeadlineMs = 10_000;

async function inspectNames(
  notes: Notes,
  { text, entries }: Hosts,
  rules: Pick<Parameters<typeof judgeNames>[0], 'isFirstOnly' | 'nsswitch'>,
): Promise<void> {
  const wanted = addressesOf(entries.map(inUsualForm));
  const written = addressesOf(parseBlock(text).map(inUsualForm));
  if (wanted.size === 0 || written.size === 0) {
    notes.skip(
      ['names'],
      wanted.size === 0
        ? 'there are no hostnames'
        : 'no start has written them yet: run it beside the app (docker exec CONTAINER warp-init check)',
    );
    return;
  }

  const lookups = await lookupNames(wanted.keys(), {
    env: hideVariables(inheritedVariables()),
    deadlineMs: lookupDeadlineMs,
  });
  notes.add(...judgeNames({ wanted, written, lookups, ...rules }));
}

function inUsualForm({ address, names }: HostsEntry): HostsEntry {
  return { address: usualForm(address), names };
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (errnoOf(error) === undefined) {
      throw error;
    }

    return '';
  }
}
