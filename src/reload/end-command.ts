// Ends the reload command of a brain that has ended: there is one at a time, whoever has started it.
import { setTimeout as wait } from 'node:timers/promises';

import type { RunningCommand } from '../core/memo.ts';
import { readProcessStat } from '../inputs/init-marker.ts';
import { signalGroup } from './signal-group.ts';

/** From SIGTERM to SIGKILL, and from there until it is not waited for any more. */
const killDelayMs = 2000;
const giveUpMs = 1000;

/** Resolves when its group is empty, or cannot be ended. */
export async function endCommand({ pid, startTicks }: RunningCommand): Promise<void> {
  if (readProcessStat(pid)?.startTicks !== startTicks) {
    return;
  }

  signalGroup(pid, 'SIGTERM');
  if (!(await isGone(pid, killDelayMs))) {
    signalGroup(pid, 'SIGKILL');
    await isGone(pid, giveUpMs);
  }
}

/** Nobody tells: it is no child of ours, and pid1 reaps it. */
const pollMs = 20;

async function isGone(pid: number, deadlineMs: number): Promise<boolean> {
  for (let passedMs = 0; passedMs < deadlineMs; passedMs += pollMs) {
    if (!signalGroup(pid, 0)) {
      return true;
    }

    await wait(pollMs);
  }

  return false;
}
