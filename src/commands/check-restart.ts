// What keeps an app from being started again, looked at while the one that runs is still untouched: what `check` looks at.
//
// What only pid1 finds out (a limit on processes, an access control list) makes the app fall back.
import { judgeLimits, judgeUser } from '../core/check-process.ts';
import type { Finding } from '../core/check-report.ts';
import { StartError, exitStatus } from '../errors.ts';
import { readProcessFacts } from '../inputs/process-facts.ts';
import { problemOfDirectory } from '../inputs/start-directory.ts';
import { accountOfApp, findApp, visitorFor } from './app-start.ts';
import { refuseCommand } from './foresee-command.ts';
import type { Prepared } from './prepare.ts';

/** @returns the program. @throws {StartError} it, its user, its limits or its directory cannot be had. */
export function findAppAgain(prepared: Prepared): string {
  const { settings } = prepared.config;
  const { limits, cwd } = settings;
  const facts = readProcessFacts();
  const account = accountOfApp(prepared);
  refuse(judgeUser(account, settings, facts));
  refuse(judgeLimits(limits, facts));
  const visitor = visitorFor(account, facts);
  const problem = cwd === undefined ? undefined : problemOfDirectory(cwd, visitor);
  if (problem !== undefined) {
    throw problem;
  }

  const file = findApp(prepared);
  refuseCommand(file, prepared);
  return file;
}

function refuse(finding: Finding | undefined): void {
  if (finding?.verdict === 'failure') {
    const { code, reason, where, fix } = finding;
    throw new StartError(code ?? '', reason, {
      exitCode: finding.exitStatus ?? exitStatus.config,
      remedy: { where: where ?? '', fix: fix ?? '' },
    });
  }
}
