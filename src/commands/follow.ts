// Beside the running app: follows the platform, reloads, answers on the control socket. No failure of ours ends the app.
//
// A first brain goes on from what it has started with; follow-after.ts is about its successors.
import type { Plan } from '../core/plan.ts';
import type { Invocation } from '../invocation.ts';
import { encodeLaunch } from '../link/launch-frame.ts';
import type { Link } from '../link/link.ts';
import { startControlSocket } from '../reload/control-socket.ts';
import { followPlatform } from './follow-platform.ts';
import type { Session } from './follow-session.ts';
import { knowledgeOfPrepared, knownOf } from './known.ts';
import { launchMessage } from './launch-message.ts';
import { wantedSecrets } from './leave-memo.ts';
import { operationsOf } from './operations.ts';
import { type OperatorOptions, startOperator } from './operator.ts';
import { type Prepared, sourcesOf } from './prepare.ts';
import type { StateSteps } from './state-steps.ts';
import type { RepeatedLog } from './warn-once.ts';

export type FollowOptions = {
  readonly link: Link;
  readonly log: RepeatedLog;
  readonly inherited: ReadonlyMap<string, string>;
  readonly invocation: Extract<Invocation, { command: 'run' }>;
};

/** What the app was started with, a moment ago. */
export type Started = {
  readonly prepared: Prepared;
  readonly plan: Plan;
  readonly stateSteps: StateSteps;
  readonly appPid: number;
};

/** After the launch. */
export function follow(options: FollowOptions, started: Started): void {
  const { link, log, inherited, invocation } = options;
  const { plan, stateSteps } = started;
  const prepared = { ...started.prepared, secrets: wantedSecrets(started.prepared) };
  const knowledge = knowledgeOfPrepared(prepared);
  const session: Session = {
    surroundings: {
      inherited,
      sources: sourcesOf({ inherited, log, commandLine: invocation.options }),
      argv: invocation.argv,
      state: stateSteps.state,
      log,
    },
    known: knownOf(prepared),
    applied: { prepared, stateSteps, knowledge, plan, problem: undefined },
    told: knowledge,
    candidate: undefined,
  };
  followOn(session, {
    link,
    log,
    appPid: started.appPid,
    launch: () => encodeLaunch(launchMessage(plan.start, link.hello)),
    spacing: undefined,
    command: undefined,
  });
}

/** What each brain does from here on. */
export function followOn(session: Session, beginning: OperatorOptions): void {
  const operator = startOperator(session, beginning);
  followPlatform(operator);
  const { state } = session.surroundings;
  if (state.kind === 'usable') {
    void startControlSocket({
      path: `${state.path}/control.sock`,
      operations: operationsOf(operator),
      onProblem: beginning.log.warn,
    });
  }
}
