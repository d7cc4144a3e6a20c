// The command that is started, and as whom: what a start and a restart check before anything is changed.
import type { ProcessFacts } from '../core/check-process.ts';
import type { Ids } from '../core/plan.ts';
import { StartError, exitStatus } from '../errors.ts';
import { isCurrentUser } from '../inputs/accounts.ts';
import { findProgram } from '../inputs/find-program.ts';
import type { Visitor } from '../inputs/foresee-exec.ts';
import { readCapabilities } from '../inputs/process-facts.ts';
import type { Prepared } from './prepare.ts';

/** What there is to know of the command before it is started. */
export type Command = Pick<Prepared, 'argv' | 'resolved' | 'config' | 'account'>;

/** @throws {StartError} there is no command, or none that can be run. */
export function findApp(command: Command): string {
  const { argv, resolved, config } = command;
  const [name] = argv;
  if (name === undefined) {
    throw noCommandError();
  }

  return findProgram({
    name,
    path: resolved.variables.find((variable) => variable.name === 'PATH')?.value,
    from: config.settings.cwd,
    hasOtherRights: () => accountOfApp(command) !== undefined || mayPassBy(),
  });
}

export function noCommandError(): StartError {
  return new StartError('E_USAGE', 'Cannot start: no command was given', {
    exitCode: exitStatus.usage,
    remedy: {
      where: 'command line',
      fix: 'Name it in CMD, beside ENTRYPOINT ["warp-init", "--"] (without brackets CMD is lost), or in `args` of warp.config.js.',
    },
  });
}

/** Undefined: who we are. */
export function accountOfApp({ account }: Pick<Prepared, 'account'>): Ids | undefined {
  return account !== undefined && isCurrentUser(account) ? undefined : account;
}

const capDacOverride = 1;
const capDacReadSearch = 2;

/** Whose rights decide about the app's files. Root goes through everything, unless that power was taken from it. */
export function visitorFor(
  account: Ids | undefined,
  { capabilities }: Pick<ProcessFacts, 'capabilities'>,
): Visitor {
  return account?.uid === 0 && capabilities.has(capDacOverride) ? undefined : account;
}

/**
 * Whether exec lets the app through where access(2) does not let us: that one asks for the real user, and takes
 * capabilities for root's alone. Those of pid1, which starts the app, may be of its file: the brain does not have them.
 */
export function mayPassBy(): boolean {
  const isRoot = process.getuid?.() === 0;
  return !isRoot && [capDacOverride, capDacReadSearch].some((one) => startCapabilities().has(one));
}

function startCapabilities(): ReadonlySet<number> {
  return new Set([...readCapabilities('self'), ...readCapabilities(process.ppid)]);
}
