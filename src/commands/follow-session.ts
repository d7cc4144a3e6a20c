// What a brain holds while the app runs, and the two halves of a reload on it: gather, apply.
import { type StepResult, applySteps } from '../apply/apply-steps.ts';
import { type Changes, changesBetween } from '../core/changes.ts';
import { type Knowledge, knowInstances } from '../core/knowledge.ts';
import { type Plan, buildPlan } from '../core/plan.ts';
import { type AppAction, decideAction } from '../core/reload-action.ts';
import type { ChangeKind } from '../core/settings-reload.ts';
import { areSameSecrets } from '../core/trust.ts';
import { eitherOf } from '../core/written-certificates.ts';
import { accountOfApp } from './app-start.ts';
import { type Candidate, type Surroundings, gatherAgain } from './gather-again.ts';
import { type Known, knownOf } from './known.ts';

export type Session = {
  readonly surroundings: Surroundings;
  known: Known;
  /** Of the last start or reload. Undefined until the first reload of a successor. */
  applied: Applied | undefined;
  /** What the app was told last. */
  told: Knowledge | undefined;
  /** Gathered and not applied yet. */
  candidate: Candidate | undefined;
};

export type Applied = Candidate & {
  /** Its program is as it was named: it is looked for when the app is started. */
  readonly plan: Plan;
};

export type Gathered =
  | { readonly type: 'fetched'; readonly problem: string | undefined }
  | { readonly type: 'distrusted'; readonly retryAfterMs: number; readonly problem: string };

/**
 * @param onServed - The session knows secrets that it did not know, whatever comes of the rest.
 * @throws {StartError} as gatherAgain.
 */
export async function gather(
  session: Session,
  kinds: ReadonlySet<ChangeKind>,
  onServed: () => void,
): Promise<Gathered> {
  const gathering = await gatherAgain(session.surroundings, session.known, {
    kinds,
    keepServed: (served) => {
      if (!areSameSecrets(session.known.served, served)) {
        session.known = { ...session.known, served };
        onServed();
      }
    },
  });
  if (gathering.kind === 'wait') {
    session.known = { ...session.known, suspicion: gathering.suspicion };
    session.surroundings.log.warn(gathering.warning);
    return {
      type: 'distrusted',
      retryAfterMs: gathering.retryAfterMs,
      problem: gathering.warning.message,
    };
  }

  session.candidate = gathering.candidate;
  session.known = { ...session.known, suspicion: undefined };
  return { type: 'fetched', problem: gathering.candidate.problem };
}

export type Application = {
  readonly isChanged: boolean;
  /** A file that the app needs could not be written. */
  readonly isIncomplete: boolean;
  /** One that it can do without could not. */
  readonly isBehind: boolean;
  /** Since the last reload. */
  readonly news: Changes;
  /** For all that the app was not told yet. */
  readonly action: AppAction;
};

/**
 * @param keep - Resolves when our successor will know all that the session knows: before anything new is written, and when
 * it is certain which certificates are.
 */
export async function apply(session: Session, keep: () => Promise<void>): Promise<Application> {
  const { candidate } = session;
  if (candidate === undefined) {
    throw new RangeError('nothing was gathered that could be applied');
  }

  const { prepared, stateSteps, knowledge } = candidate;
  const { settings } = prepared.config;
  const before = session.told ?? knowledge;
  const last = session.applied?.knowledge ?? before;
  const news = changesBetween(last, knowledge);
  // Mostly the app was told of all that was applied.
  const untold = last === before ? news : changesBetween(before, knowledge);
  const action = decideAction(settings.reload, untold);
  const plan = buildPlan({
    ...prepared,
    ...stateSteps,
    file: prepared.argv[0] ?? '',
    account: accountOfApp(prepared),
    settings,
  });
  const known = knownOf(prepared, session.known);
  const either = eitherOf(session.known.writtenCertificates, known.writtenCertificates);
  session.known = { ...known, writtenCertificates: either };
  session.applied = { ...candidate, plan };
  session.candidate = undefined;
  session.told = untold.ist.isUrgent
    ? before
    : knowInstances(before, knowledge, prepared.platform?.snapshot.instances ?? []);
  await keep();

  const results = await applySteps(plan.steps, 'reload');
  const certificates = results.find(({ step }) => step.kind === 'write-certificates')?.change;
  // One that failed may have come to its end all the same: only its last fsync(2) did not work.
  if (certificates !== 'failed') {
    session.known = known;
    // Also where a brain before us has replaced the files.
    if (known.writtenCertificates.length < either.length) await keep();
  }

  for (const warning of warningsOf(candidate, results)) {
    session.surroundings.log.warn(warning);
  }

  const failed = results.filter(({ change }) => change === 'failed').map(({ step }) => step.kind);
  return {
    isChanged: results.some(({ change }) => change === 'written'),
    isIncomplete: failed.some((kind) => isNeeded(kind)),
    isBehind: failed.some((kind) => !isNeeded(kind)),
    news,
    action,
  };
}

function warningsOf({ prepared, stateSteps }: Candidate, results: readonly StepResult[]) {
  return [
    ...prepared.resolved.warnings,
    ...stateSteps.warnings,
    ...results.flatMap(({ warning }) => (warning === undefined ? [] : [warning])),
  ];
}

/** Without the others the app has its variables all the same, or started without them. */
function isNeeded(kind: StepResult['step']['kind']): boolean {
  switch (kind) {
    case 'write-secret':
    case 'unpack-secret':
    case 'write-certificates':
    case 'write-env-file':
      return true;
    case 'nsswitch':
    case 'write-hosts':
    case 'write-ist':
      return false;
  }
}
