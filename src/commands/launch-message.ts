// The plan's start as the message that pid1 gets: the only place where secrets become text again.
import type { StartPlan } from '../core/plan.ts';
import { Secret } from '../core/secret.ts';
import type { LaunchMessage } from '../link/frames.ts';

const sigterm = 15;

export function launchMessage(start: StartPlan, isPid1: boolean): LaunchMessage {
  const { file, argv, variables, account, settings } = start;
  const { stopSignal, killDelayMs, parentDeathSignal } = settings;
  const signalMap = new Map(settings.rewrite);
  if (stopSignal !== undefined && !signalMap.has(sigterm)) {
    signalMap.set(sigterm, stopSignal);
  }

  return {
    file,
    argv,
    environment: variables.map(
      ({ name, value }) => `${name}=${value instanceof Secret ? value.reveal() : value}`,
    ),
    ...account,
    singleChild: settings.singleChild,
    // It would stay with the app, which does not reap.
    subreaper: !settings.exec && (settings.subreaper ?? !isPid1),
    exec: settings.exec,
    ...(parentDeathSignal === undefined ? {} : { parentDeathSignal }),
    ...(killDelayMs === undefined ? {} : { killDelayMs }),
    lingerMs: settings.lingerMs,
    stopSignals: stopSignal === undefined ? [sigterm] : [sigterm, stopSignal],
    signalMap,
    statusMap: settings.exitStatus,
  };
}
