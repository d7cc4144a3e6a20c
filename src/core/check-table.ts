// `check` for people: what is well first, so that what is not, and what to do about it, stands where a terminal ends.
import type { CheckReport, CheckVerdict, Finding } from './check-report.ts';
import { type Row, display, formatRows, onOneLine } from './debug-text.ts';

export function formatCheckTable(report: CheckReport): string {
  const { findings, notChecked } = report;
  return [
    section('Ok', rowsOf(findings, 'ok')),
    section(
      'Not checked',
      notChecked.map(({ id, reason }) => rowOf(id, reason)),
    ),
    section('Warnings', rowsOf(findings, 'warning')),
    section('Failures', rowsOf(findings, 'failure')),
    `${summaryOf(report)}\n`,
  ]
    .filter((text) => text !== '')
    .join('\n');
}

function section(title: string, rows: readonly Row[]): string {
  return rows.length === 0 ? '' : `${title} (${rows.length})\n${formatRows(rows)}`;
}

function rowsOf(findings: readonly Finding[], verdict: CheckVerdict): Row[] {
  return findings
    .filter((finding) => finding.verdict === verdict)
    .map(({ id, subject, reason, code, where, fix }) => {
      const text = fix === null ? reason : `${asSentence(reason)} ${fix} (${code}, ${where})`;
      return rowOf(subject === null ? id : display(subject), text);
    });
}

/** Reasons of errors have no full stop, and may go on in a list. */
function asSentence(reason: string): string {
  return /[.!?]$/.test(reason) ? reason : `${reason}.`;
}

function rowOf(label: string, text: string): Row {
  return { label, items: onOneLine(text.replaceAll(/\s*\n\s*/g, ' ')).split(' '), separator: ' ' };
}

function summaryOf({ verdict, findings, notChecked }: CheckReport): string {
  const count = (wanted: CheckVerdict) =>
    findings.filter((finding) => finding.verdict === wanted).length;
  const warnings = count('warning');
  const tail = warnings === 0 ? '' : warnings === 1 ? ', one warning' : `, ${warnings} warnings`;
  const isCommandChecked = !notChecked.some(({ id }) => id === 'command');
  switch (verdict) {
    case 'ok':
      return `ok: all of ${findings.length} checks${isCommandChecked ? '' : '; the command was not checked'}`;
    case 'warning':
      return `ok${tail}: ${isCommandChecked ? 'the app would start' : 'the command was not checked'}`;
    case 'failure':
      return `failure: ${count('failure')} of ${findings.length} checks${tail}`;
  }
}
