// The ports of reload/reloader.ts: fetch, apply, act, remember, and what is told of it.
import { type Changes, changeKinds } from '../core/changes.ts';
import type { ReloadOutcome } from '../core/reload-events.ts';
import { signalName } from '../core/signals.ts';
import type { Warning } from '../core/warning.ts';
import { StartError, exitStatus } from '../errors.ts';
import { nowMs } from '../inputs/monotonic-clock.ts';
import type { ApplyEnd, FetchEnd, ReloadPorts } from '../reload/reloader.ts';
import { restart, runReloadCommand, sendSignal } from './app-actions.ts';
import { type CatchUp, createCatchUp } from './catch-up.ts';
import { followPlatform } from './follow-platform.ts';
import { apply, gather } from './follow-session.ts';
import { type Operator, leaveNews } from './operator-state.ts';

/** @param get - There is no operator yet when it is made of these. */
export function portsOf(get: () => Operator): ReloadPorts {
  const catchUp = createCatchUp(() => get().reloader.changed(['ist']));
  return {
    fetch: (kinds) => fetchPort(get(), kinds),
    apply: () => applyPort(get(), catchUp),
    sendSignal: (signal) => sendSignal(get(), signal),
    runCommand: (argv) => runReloadCommand(get(), argv),
    restart: () => restart(get()),
    remember: (spacing) => {
      const { session } = get();
      session.told = session.applied?.knowledge;
      leaveNews(get(), spacing);
    },
    onFinish: (outcome) => finish(get(), outcome),
    onDefect: (error) => {
      const operator = get();
      operator.problem = 'warp-init itself failed; its log says how';
      operator.log.fatal(error);
    },
    quietTime: () => get().session.known.config.settings.reload,
    nowMs,
    random: Math.random,
  };
}

async function fetchPort(
  operator: Operator,
  kinds: Parameters<ReloadPorts['fetch']>[0],
): Promise<FetchEnd> {
  operator.log.nextAttempt();
  operator.problem = undefined;
  operator.news = undefined;
  try {
    const gathered = await gather(operator.session, kinds, () =>
      leaveNews(operator, operator.reloader.state().spacing),
    );
    operator.problem = gathered.problem;
    return gathered;
  } catch (error) {
    return { type: endOf(operator, error) };
  }
}

async function applyPort(operator: Operator, catchUp: CatchUp): Promise<ApplyEnd> {
  const { session } = operator;
  try {
    const { spacing } = operator.reloader.state();
    const done = await apply(session, () => {
      leaveNews(operator, spacing);
      return operator.link.flush();
    });
    operator.news = done.news;
    followPlatform(operator);
    catchUp(done.isBehind);
    if (done.isIncomplete) {
      operator.problem = 'a file could not be written; the log says which';
      return { type: 'failed' };
    }

    return { type: 'applied', isChanged: done.isChanged, action: done.action };
  } catch (error) {
    return { type: endOf(operator, error) };
  }
}

/** A platform that does not answer is asked again; what is wrong stays wrong until somebody changes it. */
function endOf(operator: Operator, error: unknown): 'failed' | 'refused' {
  if (!(error instanceof StartError)) {
    throw error;
  }

  const { code, message, remedy, exitCode } = error;
  operator.log.warn({
    code: code.replace(/^E_/, 'W_'),
    message: `Nothing was reloaded: ${message}`,
    ...remedy,
  });
  operator.problem = message;
  return exitCode === exitStatus.unavailable || exitCode === exitStatus.refused
    ? 'failed'
    : 'refused';
}

const successes: ReadonlySet<ReloadOutcome> = new Set([
  'unchanged',
  'applied',
  'signaled',
  'command-ok',
  'restarted',
]);

function finish(operator: Operator, outcome: ReloadOutcome): void {
  operator.spareMemory();
  const atMs = nowMs();
  operator.outcomes.set(outcome, (operator.outcomes.get(outcome) ?? 0) + 1);
  const { news, problem } = operator;
  operator.last = { outcome, atMs, news, problem };
  if (successes.has(outcome)) {
    operator.lastSuccessAtMs = atMs;
  }

  const { held } = operator.reloader.state();
  if (outcome === 'signal-held' && held?.kind === 'signal') {
    operator.log.warn(nobodyCatches(held.signal));
  }

  if (outcome !== 'unchanged') {
    operator.log.info(`Reload: ${outcome}`, namesOf(news));
  }
}

function nobodyCatches(signal: number): Warning {
  return {
    code: 'W_SIGNAL_HELD',
    message: `No process of the app catches ${signalName(signal)} so far: it is sent as soon as one does`,
    where: 'init.reload.signal',
    fix: 'Nothing, if the app is still starting; else name a signal that it handles, or another init.reload.action.',
  };
}

/** For one line of the log. */
const mostNames = 20;

/** By kind, what has changed. */
function namesOf(changes: Changes | undefined): Record<string, string> {
  return Object.fromEntries(
    changeKinds
      .map((kind) => [kind, changes?.[kind].names.slice(0, mostNames).join(', ') ?? ''] as const)
      .filter(([, names]) => names !== ''),
  );
}
