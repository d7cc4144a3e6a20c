// What `check` finds, as plain data: the versioned shape of `--json`, and what the table is made of.
//
// Documented in docs/check.md. Every key is always there, in this order, `null` where there is nothing. New keys and new
// ids do not change the version; one that goes or changes its meaning does. No value that can be a secret is in it.
import type { StartError } from '../errors.ts';
import type { Warning } from './warning.ts';

/** What a finding is about, in the order of the report. */
export const checkIds = [
  'node',
  'pid1',
  'init',
  'memory',
  'config',
  'dotenv',
  'user',
  'limits',
  'directory',
  'token',
  'socket',
  'platform',
  'secrets',
  'certificates',
  'ist',
  'environment',
  'command',
  'nsswitch',
  'hosts',
  'names',
  'state-directory',
  'files',
] as const;

export type CheckId = (typeof checkIds)[number];

/** `warning`: the app would start, and something would not be as it is meant. `failure`: it would not, or could not work. */
export type CheckVerdict = 'ok' | 'warning' | 'failure';

export type Finding = {
  readonly id: CheckId;
  /** Which one, where there are several: a path, a hostname. */
  readonly subject: string | null;
  readonly verdict: CheckVerdict;
  /** One sentence. */
  readonly reason: string;
  /** The rest is `null` where all is well. */
  readonly code: string | null;
  readonly where: string | null;
  readonly fix: string | null;
  /** With which `run` would end. */
  readonly exitStatus: number | null;
};

/** What could not be looked at, and why. */
export type Unchecked = { readonly id: CheckId; readonly reason: string };

export type CheckReport = {
  readonly version: 1;
  /** Of warp-init. */
  readonly initVersion: string;
  /** The worst one. */
  readonly verdict: CheckVerdict;
  readonly findings: readonly Finding[];
  readonly notChecked: readonly Unchecked[];
};

export function isFine(id: CheckId, reason: string, subject?: string): Finding {
  return {
    id,
    subject: subject ?? null,
    verdict: 'ok',
    reason,
    code: null,
    where: null,
    fix: null,
    exitStatus: null,
  };
}

export function warns(id: CheckId, warning: Warning, subject?: string): Finding {
  const { code, message, where, fix } = warning;
  return { ...isFine(id, message, subject), verdict: 'warning', code, where, fix };
}

export function fails(id: CheckId, error: StartError, subject?: string): Finding {
  const { code, message, remedy, exitCode } = error;
  return {
    ...isFine(id, message, subject),
    verdict: 'failure',
    code,
    where: remedy.where,
    fix: remedy.fix,
    exitStatus: exitCode,
  };
}

export function buildCheckReport(
  initVersion: string,
  findings: readonly Finding[],
  notChecked: readonly Unchecked[],
): CheckReport {
  return {
    version: 1,
    initVersion,
    verdict: worstOf(findings),
    findings: inOrder(findings),
    notChecked: inOrder(notChecked),
  };
}

export function formatCheckJson(report: CheckReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

function worstOf(findings: readonly Finding[]): CheckVerdict {
  const has = (verdict: CheckVerdict) => findings.some((finding) => finding.verdict === verdict);
  return has('failure') ? 'failure' : has('warning') ? 'warning' : 'ok';
}

/** Those of one id stay in the order in which they were found. */
function inOrder<T extends { readonly id: CheckId }>(items: readonly T[]): readonly T[] {
  return items.toSorted((a, b) => checkIds.indexOf(a.id) - checkIds.indexOf(b.id));
}
