// `warp-init health`: for HEALTHCHECK. One line, and the status says it, too.
import { type Health, judgeHealth } from '../core/health.ts';
import { StartError, exitStatus } from '../errors.ts';
import type { AskedInit } from '../invocation.ts';
import { findInit } from './ask-init.ts';
import { writeOut } from './write-out.ts';

/** @returns the exit status: 0 healthy, 1 unhealthy. Docker reserves the others. */
export async function health(asked: AskedInit): Promise<number> {
  const { isHealthy, text } = await look(asked);
  await writeOut(`${text}\n`);
  return isHealthy ? 0 : 1;
}

async function look(asked: AskedInit): Promise<Health> {
  try {
    const { status } = await findInit(asked);
    return judgeHealth(status);
  } catch (error) {
    if (error instanceof StartError && error.exitCode === exitStatus.unavailable) {
      return { isHealthy: false, text: `unhealthy: ${error.message}` };
    }

    throw error;
  }
}
