// `warp-init status [--json]`: what the running init says of itself.
import { formatStatus } from '../core/status-text.ts';
import type { Invocation } from '../invocation.ts';
import { findInit } from './ask-init.ts';
import { writeOut } from './write-out.ts';

/**
 * @returns the exit status, 0, whatever state the app is in.
 * @throws {StartError} 69: no init answers.
 */
export async function status(
  invocation: Extract<Invocation, { command: 'status' }>,
): Promise<number> {
  const found = await findInit(invocation);
  await writeOut(invocation.asJson ? found.text : formatStatus(found.status));
  return 0;
}
