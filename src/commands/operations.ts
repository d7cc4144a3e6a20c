// What the control socket answers: the operator's state as data, and a reload by hand.
import { type Changes, changeKinds } from '../core/changes.ts';
import { formatIstDocument } from '../core/ist-document.ts';
import { heldRestartInMs } from '../core/reload-moves.ts';
import type { ChangeKind } from '../core/settings-reload.ts';
import type { ChangedNames, Status } from '../core/status.ts';
import { readStartMs } from '../inputs/init-marker.ts';
import { readIstFile } from '../inputs/ist-file.ts';
import { nowMs } from '../inputs/monotonic-clock.ts';
import type { Operations } from '../reload/control-socket.ts';
import { count } from './operator.ts';
import type { Operator } from './operator-state.ts';
import { version } from '../version.ts';

export function operationsOf(operator: Operator): Operations {
  return {
    status: () => statusOf(operator),
    ist: () => istOf(operator),
    secrets: () => [...operator.session.known.secrets.keys()].toSorted(),
    log: () => operator.log.recent().join(''),
    reload: async (isNow) => {
      const outcome = await operator.reloader.ask(isNow);
      const { news, problem } = operator.last ?? {};
      return { outcome, changed: namesOf(news), problem, restartInMs: restartInMs(operator) };
    },
  };
}

async function statusOf(operator: Operator): Promise<Status> {
  const now = nowMs();
  const counters = await count(operator);
  const { appPid, link, outcomes, followed, last, lastSuccessAtMs } = operator;
  const counted = followed?.pipeline.counters();
  const { phase, held } = operator.reloader.state();
  const ago = (atMs: number | undefined): number | undefined =>
    atMs === undefined ? undefined : Math.max(0, Math.round(now - atMs));
  return {
    version: 1,
    init: {
      version,
      isPid1: link.hello.isPid1,
      uptimeMs: ago(readStartMs(process.ppid)) ?? 0,
      brainStarts: counters.brainStarts,
    },
    app: {
      pid: appPid === 0 ? undefined : appPid,
      starts: counters.appStarts,
      uptimeMs: appPid === 0 ? undefined : ago(readStartMs(appPid)),
      isRestarting: operator.restart !== undefined,
    },
    pipeline: {
      isNeeded: true,
      isConnected: counted?.isConnected ?? false,
      connects: counted?.connects ?? 0,
      lastConnectedMs: ago(counted?.lastConnectedAtMs),
      eventsSeen: counted?.seen ?? 0,
      eventsIgnored: counted?.ignored ?? {},
    },
    reload: {
      phase: phase.id,
      last: last && {
        outcome: last.outcome,
        agoMs: Math.round(now - last.atMs),
        changed: namesOf(last.news),
      },
      lastSuccessMs: ago(lastSuccessAtMs),
      byOutcome: Object.fromEntries(outcomes),
      held: held?.kind,
      restartInMs: restartInMs(operator),
    },
    pid1: {
      orphansReaped: counters.orphansReaped,
      signalsForwarded: counters.signalsForwarded,
    },
  };
}

function restartInMs({ reloader }: Operator): number | undefined {
  return heldRestartInMs(reloader.state(), nowMs());
}

/** Before the successor of a brain has had its first answer: what its predecessor has written. */
function istOf({ session }: Operator): string | undefined {
  const { applied, surroundings } = session;
  return applied === undefined
    ? readIstFile(surroundings.state)
    : formatIstDocument(
        applied.prepared.resolved.ist,
        applied.prepared.config.settings.hosts.addresses,
      );
}

function namesOf(changes: Changes | undefined): ChangedNames {
  const entries = changeKinds.map((kind): [ChangeKind, readonly string[]] => [
    kind,
    changes?.[kind].names ?? [],
  ]);
  const names: Partial<Record<ChangeKind, readonly string[]>> = Object.fromEntries(entries);
  return { ist: [], secrets: [], certificates: [], config: [], ...names };
}
