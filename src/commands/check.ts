// `warp-init check`: every precondition of a start, with verdict, reason and remedy. Nothing is changed, no secret fetched.
import { formatCheckJson } from '../core/check-report.ts';
import { formatCheckTable } from '../core/check-table.ts';
import type { Invocation } from '../invocation.ts';
import { inspect } from './check-start.ts';
import { startedWith } from './started-with.ts';
import { writeOut } from './write-out.ts';

/** @returns the exit status: 0, also with warnings; 1 where something would fail. */
export async function check(
  invocation: Extract<Invocation, { command: 'check' }>,
): Promise<number> {
  const report = await inspect(await startedWith(invocation));
  await writeOut(invocation.asJson ? formatCheckJson(report) : formatCheckTable(report));
  return report.verdict === 'failure' ? 1 : 0;
}
