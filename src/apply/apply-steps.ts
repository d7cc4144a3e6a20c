// Carries a plan's steps out, in their order. Sync: at the start nothing else is to be done meanwhile.
import type { PlanStep } from '../core/plan.ts';
import type { Warning } from '../core/warning.ts';
import { applyNsswitch } from './fix-nsswitch.ts';
import { writeHosts } from './write-hosts.ts';

/**
 * @returns what did not work and need not.
 * @throws {StartError} what did not work and must; the steps before it stay done.
 */
export function applySteps(steps: readonly PlanStep[]): readonly Warning[] {
  return steps.flatMap((step) => applyStep(step) ?? []);
}

function applyStep(step: PlanStep): Warning | undefined {
  switch (step.kind) {
    case 'nsswitch':
      return applyNsswitch(step.path, step.decision);
    case 'write-hosts':
      // No grace time for readers: the app does not run yet.
      return writeHosts(step.path, step.entries, { onError: step.onError, graceMs: 0 });
  }
}
