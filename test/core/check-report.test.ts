import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import {
  type Finding,
  buildCheckReport,
  checkIds,
  fails,
  formatCheckJson,
  isFine,
  warns,
} from '../../src/core/check-report.ts';
import { formatCheckTable } from '../../src/core/check-table.ts';
import { StartError } from '../../src/errors.ts';

const good = isFine('node', 'Node v24.1.0');
const dubious = warns('hosts', {
  code: 'W_HOSTS',
  message: 'Cannot write /etc/hosts',
  where: '/etc/hosts',
  fix: 'Make the file writable.',
});
const bad = fails(
  'user',
  new StartError('E_USER', 'Cannot run the app as "nod"', {
    exitCode: 78,
    remedy: { where: '/etc/passwd', fix: 'Write "node".' },
  }),
);

function tableOf(...findings: readonly Finding[]): string {
  return formatCheckTable(buildCheckReport('1.2.3', findings, []));
}

describe('the verdict', () => {
  test.each([
    ['ok', [good], 'ok: all of 1 checks'],
    ['warning', [good, dubious], 'ok, one warning: the app would start'],
    ['failure', [dubious, bad, good, dubious], 'failure: 1 of 4 checks, 2 warnings'],
  ])('is %s, the worst there is, and the last line says it', (verdict, findings, line) => {
    expect(buildCheckReport('1.2.3', findings, []).verdict).toBe(verdict);
    expect(
      tableOf(...findings)
        .trimEnd()
        .split('\n')
        .at(-1),
    ).toBe(line);
  });
});

test.each([[[good]], [[good, dubious]]])(
  'nothing is promised of a command that was not checked',
  (findings) => {
    const skipped = [{ id: 'command', reason: 'PATH is a secret' }] as const;

    expect(formatCheckTable(buildCheckReport('1.2.3', findings, skipped))).toMatch(
      /\nok[^\n]*the command was not checked\n$/,
    );
  },
);

test('findings come in the order of the documentation, whatever order they were made in', () => {
  const { findings } = buildCheckReport('1.2.3', [dubious, bad, good], []);

  expect(findings.map(({ id }) => id)).toEqual(['node', 'user', 'hosts']);
});

test('JSON has every key, null where there is nothing, and what could not be looked at', () => {
  const skipped = { id: 'names', reason: 'there is no platform here' } as const;

  expect(JSON.parse(formatCheckJson(buildCheckReport('1.2.3', [good, bad], [skipped])))).toEqual({
    version: 1,
    initVersion: '1.2.3',
    verdict: 'failure',
    findings: [
      {
        id: 'node',
        subject: null,
        verdict: 'ok',
        reason: 'Node v24.1.0',
        code: null,
        where: null,
        fix: null,
        exitStatus: null,
      },
      {
        id: 'user',
        subject: null,
        verdict: 'failure',
        reason: 'Cannot run the app as "nod"',
        code: 'E_USER',
        where: '/etc/passwd',
        fix: 'Write "node".',
        exitStatus: 78,
      },
    ],
    notChecked: [skipped],
  });
});

describe('the table', () => {
  test('says of what is wrong why, what to do, and where', () => {
    expect(tableOf(good, bad)).toContain(
      `Failures (1)\n  user  Cannot run the app as "nod". Write "node". (E_USER, /etc/passwd)\n`,
    );
  });

  test('does not let a name act on the terminal, add a line, or be cut', () => {
    const name = `\u001b[31m${'x'.repeat(100)}\nok`;
    const table = tableOf(isFine('files', 'mode 0400', name), isFine('platform', name));

    expect(table).not.toContain('\u001b');
    expect(table).toContain('x'.repeat(100));
    expect(table.split('\n')).not.toContain('ok');
  });
});

test('the documentation names each id and each key', () => {
  const text = readFileSync(new URL('../../docs/check.md', import.meta.url), 'utf8');
  const keys = [...Object.keys(good), 'version', 'initVersion', 'findings', 'notChecked'];

  expect([...checkIds, ...keys].filter((word) => !text.includes(`\`${word}\``))).toEqual([]);
});
