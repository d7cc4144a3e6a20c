// The plan's start as the message that pid1 gets: the only place where secrets become text again.
import type { StartPlan } from '../core/plan.ts';
import { Secret } from '../core/secret.ts';
import { buildSignalMap } from '../core/signal-map.ts';
import type { Hello, LaunchMessage } from '../link/messages.ts';

const sigterm = 15;

export function launchMessage(
  start: StartPlan,
  { isPid1, hasTerminal }: Pick<Hello, 'isPid1' | 'hasTerminal'>,
): LaunchMessage {
  const { file, argv, variables, account, settings, hasSecrets } = start;
  const { stopSignal, killDelayMs, parentDeathSignal, cwd } = settings;
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
    // Else PID 1 stays open: cron jobs and the like write their log to /proc/1/fd/1.
    notDumpable: settings.hideToken || hasSecrets,
    ...(parentDeathSignal === undefined ? {} : { parentDeathSignal }),
    ...(killDelayMs === undefined ? {} : { killDelayMs }),
    lingerMs: settings.lingerMs,
    stopSignals: stopSignal === undefined ? [sigterm] : [sigterm, stopSignal],
    signalMap: buildSignalMap(settings, hasTerminal),
    statusMap: settings.exitStatus,
    ...(cwd === undefined ? {} : { directory: cwd }),
    limits: settings.limits,
    noNewPrivileges: settings.noNewPrivileges,
  };
}
