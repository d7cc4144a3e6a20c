// Carries out the decision about nsswitch.conf.
import { fixNsswitch } from '../core/nsswitch.ts';
import type { NsswitchDecision } from '../core/nsswitch-decision.ts';
import type { Warning } from '../core/warning.ts';
import { errnoOf, exitStatus, StartError } from '../errors.ts';
import { describeErrno } from './describe-errno.ts';
import { editInPlace } from './write-in-place.ts';

/**
 * @returns A warning where names may not resolve, also where the file could not be fixed.
 * @throws {StartError} E_NSSWITCH, 78, for `init.nsswitch: "fail"`.
 */
export function applyNsswitch(path: string, decision: NsswitchDecision): Warning | undefined {
  switch (decision.kind) {
    case 'leave':
      return undefined;
    case 'warn':
      return decision.warning;
    case 'fail':
      throw new StartError(
        'E_NSSWITCH',
        `Cannot rely on IST hostnames: ${decision.warning.message}`,
        {
          exitCode: exitStatus.config,
          remedy: { where: decision.warning.where, fix: decision.warning.fix },
        },
      );
    case 'fix':
      return fix(path, decision.warning);
  }
}

function fix(path: string, warning: Warning): Warning | undefined {
  try {
    editInPlace(path, { edit: fixNsswitch });
    return undefined;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) {
      throw error;
    }

    return { ...warning, message: `${warning.message}. Cannot fix it: ${describeErrno(errno)}` };
  }
}
