// What the app gets for each signal that is not sent as it came: `--rewrite`, `--stop-signal`, job control.
//
// A group whose members all have their parents in other sessions is orphaned, and the kernel does not stop it by
// TSTP, TTIN or TTOU (signal(7), POSIX). In a session of its own the app's group is one: it gets STOP instead.
import type { Settings } from './settings.ts';

const [SIGTERM, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU] = [15, 19, 20, 21, 22];

type SignalSettings = Pick<Settings, 'rewrite' | 'stopSignal' | 'singleChild'>;

/** Number got to number sent; 0 is nothing. What the operator writes wins, also where it changes nothing. */
export function buildSignalMap(
  { rewrite, stopSignal, singleChild }: SignalSettings,
  hasTerminal: boolean,
): ReadonlyMap<number, number> {
  const hasOwnSession = !hasTerminal && !singleChild;
  return new Map([
    ...(hasOwnSession
      ? [SIGTSTP, SIGTTIN, SIGTTOU].map((number) => [number, SIGSTOP] as const)
      : []),
    ...(stopSignal === undefined ? [] : [[SIGTERM, stopSignal] as const]),
    ...rewrite,
  ]);
}
