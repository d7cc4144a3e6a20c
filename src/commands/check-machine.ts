// What a start would meet in the container: program, directory, nsswitch.conf, hosts, names, and places for its files.
import { readFileSync } from 'node:fs';

import { applyNsswitch } from '../apply/fix-nsswitch.ts';
import { judgeFailure } from '../apply/write-hosts.ts';
import { addressesOf, judgeNames } from '../core/check-names.ts';
import type { ProcessFacts } from '../core/check-process.ts';
import { type Finding, fails, isFine, warns } from '../core/check-report.ts';
import { type HostsEntry, parseBlock, replaceBlock } from '../core/hosts-file.ts';
import { hostConfPath, isMultiOn } from '../core/host-conf.ts';
import { judgeNsswitch } from '../core/nsswitch.ts';
import { type Ids, type PlanStep, buildSteps } from '../core/plan.ts';
import { errnoOf } from '../errors.ts';
import { currentDirectory } from '../inputs/current-directory.ts';
import { type Visitor, foreseeExec } from '../inputs/foresee-exec.ts';
import { foreseeEdit } from '../inputs/foresee-write.ts';
import { lookupNames, usualForm } from '../inputs/lookup-names.ts';
import { hideVariables } from '../inputs/own-environment.ts';
import { problemOfDirectory } from '../inputs/start-directory.ts';
import { accountOfApp, noCommandError } from './app-start.ts';
import { inspectFiles } from './check-files.ts';
import type { Notes } from './check-notes.ts';
import { inheritedVariables } from './inherited-variables.ts';
import { findState, lookupProgram } from './debug.ts';
import type { Prepared } from './prepare.ts';
import { execError } from './spawn-error.ts';

export type Machine = { readonly prepared: Prepared; readonly facts: ProcessFacts };

export async function inspectMachine(notes: Notes, { prepared, facts }: Machine): Promise<void> {
  inspectMap(notes, prepared);
  const visitor = visitorFor(accountOfApp(prepared), facts);
  inspectCommand(notes, prepared, visitor);
  inspectDirectory(notes, prepared, visitor);
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

const capDacOverride = 1;

/** Root goes through everything, unless that power was taken from it. */
function visitorFor(account: Ids | undefined, { capabilities }: ProcessFacts): Visitor {
  return account?.uid === 0 && capabilities.has(capDacOverride) ? undefined : account;
}

function inspectCommand(notes: Notes, prepared: Prepared, visitor: Visitor): void {
  if (prepared.argv.length === 0) {
    inspectNoCommand(notes);
    return;
  }

  const program = lookupProgram(prepared);
  switch (program.kind) {
    case 'found':
      notes.add(judgeProgram(program.file, prepared, visitor));
      return;
    case 'failed':
      notes.add(fails('command', program.error));
      return;
    case 'not-looked-up':
      notes.skip(['command'], 'PATH is a secret');
  }
}

/** An init that runs has one; below another PID 1 we do not know it. */
function inspectNoCommand(notes: Notes): void {
  if (notes.findings.some(({ id }) => id === 'init')) {
    notes.skip(['command'], 'that of the init that runs here is not known: name it after --');
  } else {
    notes.add(fails('command', noCommandError()));
  }
}

function judgeProgram(
  file: string,
  { argv, resolved, config: { settings } }: Prepared,
  visitor: Visitor,
): Finding {
  const directory = settings.cwd ?? currentDirectory();
  const obstacle = foreseeExec(file, { visitor, directory });
  return obstacle === undefined
    ? isFine('command', file)
    : fails(
        'command',
        execError(obstacle.errno, { file, argv, variables: resolved.variables, settings }),
      );
}

function inspectDirectory(
  notes: Notes,
  { config: { settings } }: Prepared,
  visitor: Visitor,
): void {
  const { cwd } = settings;
  if (cwd === undefined) {
    return;
  }

  const problem = problemOfDirectory(cwd, visitor);
  notes.add(problem === undefined ? isFine('directory', cwd) : fails('directory', problem));
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
