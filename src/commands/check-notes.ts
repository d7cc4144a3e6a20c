// What `check` has found so far, and the two ways in which the parts of a start tell: they throw, or they warn.
import { type CheckId, type Finding, type Unchecked, fails, warns } from '../core/check-report.ts';
import { StartError } from '../errors.ts';
import type { Log } from '../log.ts';

export type Notes = {
  readonly findings: readonly Finding[];
  readonly notChecked: readonly Unchecked[];
  readonly add: (...findings: readonly (Finding | undefined)[]) => void;
  readonly skip: (ids: readonly CheckId[], reason: string) => void;
  /** Undefined where the work has failed, which is a finding then. */
  readonly attempt: <T>(
    id: CheckId | ((error: StartError) => CheckId),
    work: () => T | Promise<T>,
  ) => Promise<T | undefined>;
  /** For what warns as it goes. */
  readonly logFor: (id: CheckId) => Log;
};

function nothing(): void {}

export function createNotes(): Notes {
  const findings: Finding[] = [];
  const notChecked: Unchecked[] = [];
  return {
    findings,
    notChecked,
    add: (...found) => void findings.push(...found.filter((finding) => finding !== undefined)),
    skip: (ids, reason) => void notChecked.push(...ids.map((id) => ({ id, reason }))),
    attempt: async (id, work) => {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof StartError)) {
          throw error;
        }

        findings.push(fails(typeof id === 'string' ? id : id(error), error));
        return undefined;
      }
    },
    logFor: (id) => ({
      open: nothing,
      debug: nothing,
      info: nothing,
      warn: (warning) => void findings.push(warns(id, warning)),
      fatal: nothing,
      flush: () => Promise.resolve(),
      recent: () => [],
    }),
  };
}
