// The first half of a reload: fetch and resolve, with what is known from before. Nothing is changed yet.
import type { Knowledge } from '../core/knowledge.ts';
import type { Config } from '../core/config.ts';
import { emptyConfig } from '../core/empty-config.ts';
import { configPath } from '../core/settings.ts';
import type { SettingSources } from '../core/settings-sources.ts';
import type { ChangeKind } from '../core/settings-reload.ts';
import type { StateDirectory } from '../core/state-directory.ts';
import { type Verdict, judgeSnapshot, mergeServed, stillToApply } from '../core/trust.ts';
import { loadConfigInChild } from '../inputs/config-in-child.ts';
import { nowMs } from '../inputs/monotonic-clock.ts';
import type { Log } from '../log.ts';
import type { Answers } from './ask-platform.ts';
import { fetchAgain } from './fetch-again.ts';
import { type Known, knowledgeOfPrepared } from './known.ts';
import { type Intent, type Prepared, completeConfig, configDeadlineMs, intend } from './prepare.ts';
import { type StateSteps, planStateSteps } from './state-steps.ts';
import { resolveUsable } from './usable-secrets.ts';

/** Options and surroundings, which do not change while the app runs. */
export type Surroundings = {
  readonly inherited: ReadonlyMap<string, string>;
  readonly sources: Omit<SettingSources, 'init'>;
  /** The command as given; empty where the config's `args` is meant. */
  readonly argv: readonly string[];
  readonly state: StateDirectory;
  /** Gets the warnings of this attempt. */
  readonly log: Log;
};

/** What is to be applied. */
export type Candidate = {
  readonly prepared: Prepared;
  readonly stateSteps: StateSteps;
  readonly knowledge: Knowledge;
  /** Why not all that is new is in it. */
  readonly problem: string | undefined;
};

export type Gathering =
  | { readonly kind: 'candidate'; readonly candidate: Candidate }
  | Extract<Verdict, { kind: 'wait' }>;

export type Question = {
  readonly kinds: ReadonlySet<ChangeKind>;
  /** Gets the secrets that are served and not in force, before anything can fail. */
  readonly keepServed: (served: Known['served']) => void;
};

/** @throws {StartError} whatever would keep the app from being started: then all stays as it is. */
export async function gatherAgain(
  surroundings: Surroundings,
  known: Known,
  { kinds, keepServed }: Question,
): Promise<Gathering> {
  const { log, argv } = surroundings;
  const isNewConfig = kinds.has('config');
  const { config, intent } = isNewConfig ? await readAgain(surroundings) : known;
  const { wanted } = intent;
  const fetched = await fetchAgain(surroundings.inherited, config, {
    wanted,
    onSecrets: (secrets) =>
      keepServed(stillToApply(known, mergeServed(known, secrets, wanted).values)),
  });
  for (const warning of fetched.warnings) {
    log.warn(warning);
  }

  const verdict = judge(known, fetched);
  if (verdict.kind === 'wait') {
    return verdict;
  }

  const answers = withKnown(fetched, known, { intent, log });
  const { prepared, warnings } = await resolveUsable({
    options: { purpose: 'run', log, argv },
    gathered: { config, intent, answers, known },
    previous: known.secrets,
    isNewConfig,
  });
  for (const warning of warnings) {
    log.warn(warning);
  }

  const stateSteps = await planStateSteps(prepared, surroundings.state);
  if (isNewConfig && stateSteps.envFile?.refusal !== undefined) {
    throw stateSteps.envFile.refusal;
  }

  const knowledge = knowledgeOfPrepared(prepared);
  const problem = warnings[0]?.message;
  return { kind: 'candidate', candidate: { prepared, stateSteps, knowledge, problem } };
}

/** @throws {StartError} as at a start. */
export async function readConfigAgain({
  inherited,
  sources,
}: Pick<Surroundings, 'inherited' | 'sources'>): Promise<Config> {
  const file = await loadConfigInChild({
    path: configPath(sources),
    inherited,
    deadlineMs: 2 * configDeadlineMs,
    stdout: 'inherit',
  });
  if (file === undefined) {
    return completeConfig(emptyConfig, sources);
  }

  const { configError, parseConfig } = await import('../core/config.ts');
  const result = parseConfig(file.value);
  if (!result.ok) {
    throw configError(file.path, result.problems);
  }

  return completeConfig(result.config, sources);
}

async function readAgain(surroundings: Surroundings): Promise<Pick<Known, 'config' | 'intent'>> {
  const config = await readConfigAgain(surroundings);
  return { config, intent: await intend(surroundings, config) };
}

function judge(
  { trusted, suspicion, certificates = [] }: Known,
  { platform, certificates: served }: Answers,
): Verdict {
  const lostCertificates = served?.length === 0 ? certificates.map(({ name }) => name) : [];
  return judgeSnapshot(trusted, platform.snapshot, {
    nowMs: nowMs(),
    suspicion,
    lostCertificates,
  });
}

/** What was not answered this time stays: identity that the platform failed to give, secrets that it serves once. */
function withKnown(
  { platform, secrets, certificates }: Answers,
  known: Known,
  { intent, log }: { readonly intent: Intent; readonly log: Log },
): Answers {
  const merged = secrets && mergeServed(known, secrets, intent.wanted);
  for (const warning of merged?.warnings ?? []) {
    log.warn(warning);
  }

  return {
    platform: { ...platform, snapshot: { ...known.identity, ...platform.snapshot } },
    secrets: merged?.values,
    certificates,
  };
}
