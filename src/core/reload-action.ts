// What is done about changes: of the actions that the operator chose for their kinds, the strongest.
//
// restart > command > signal > none. A stronger one includes what a weaker one tells the app, so there is never more than
// one. `auto` is a signal where `init.reload.signal` is written, else nothing: no signal is safe for every program, and
// runtimes (Go, Java) catch SIGHUP and end by it.
import { type ChangeKind, type Changes, changeKinds } from './changes.ts';
import type { ReloadSettings } from './settings-reload.ts';

export type AppAction =
  | { readonly kind: 'none' }
  | { readonly kind: 'signal'; readonly signal: number }
  | { readonly kind: 'command'; readonly argv: readonly string[] }
  | { readonly kind: 'restart' };

/** Only kinds with an urgent change count: see changes.ts. */
export function decideAction(settings: ReloadSettings, changes: Changes): AppAction {
  const actions = changeKinds
    .filter((kind) => changes[kind].isUrgent)
    .map((kind) => actionOn(settings, kind));
  return actions.reduce(stronger, { kind: 'none' });
}

const hangup = 1;

function actionOn({ action, on, signal, command }: ReloadSettings, kind: ChangeKind): AppAction {
  const chosen = on[kind] ?? action;
  switch (chosen) {
    case 'auto':
      return signal === undefined ? { kind: 'none' } : { kind: 'signal', signal };
    case 'signal':
      return { kind: 'signal', signal: signal ?? hangup };
    case 'command':
      // The config is refused without one.
      return command === undefined ? { kind: 'none' } : { kind: 'command', argv: command };
    case 'restart':
    case 'none':
      return { kind: chosen };
  }
}

const strength = { none: 0, signal: 1, command: 2, restart: 3 } as const satisfies Record<
  AppAction['kind'],
  number
>;

function stronger(a: AppAction, b: AppAction): AppAction {
  return strength[b.kind] > strength[a.kind] ? b : a;
}
