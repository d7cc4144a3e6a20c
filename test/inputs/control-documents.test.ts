import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { reloadOutcomes } from '../../src/core/reload-report.ts';
import { formatDocument } from '../../src/core/status.ts';
import { parseReport, parseStatus } from '../../src/inputs/control-documents.ts';
import { alone, busy, nothingChanged, reportOf } from '../core/status-examples.ts';

describe('A status', () => {
  test.each([
    ['of an init that follows', busy],
    ['of one that does not', alone],
  ])('%s comes back as it was', (_whose, status) => {
    expect(parseStatus(formatDocument(status))).toEqual(status);
  });

  test('may have keys that this version does not know', () => {
    const newer = { ...busy, more: 1, pid1: { ...busy.pid1, brainStarts: 3 } };
    expect(parseStatus(formatDocument(newer))).toEqual(busy);
  });

  test('and a report may lack what an older init does not know', () => {
    const { restartInMs, ...older } = busy.reload;
    expect(restartInMs).toBeUndefined();
    const known = { held: null, last: null };
    expect(
      parseStatus(formatDocument({ ...busy, reload: { ...older, ...known } }))?.reload,
    ).toEqual({ ...busy.reload, last: undefined });
    const report = { outcome: 'restart-held', changed: nothingChanged, problem: null };
    expect(parseReport(JSON.stringify(report))).toEqual(reportOf('restart-held'));
  });

  test.each([
    ['of another version', { ...busy, version: 2 }],
    ['without the app', { ...busy, app: undefined }],
    ['with a text for a number', { ...busy, init: { ...busy.init, uptimeMs: '1' } }],
    ['without a key that may be null', { ...busy, app: { starts: 1, isRestarting: false } }],
  ])('%s is none', (_which, document) => {
    expect(parseStatus(JSON.stringify(document))).toBeUndefined();
  });

  test('cut anywhere is none', () => {
    const text = formatDocument(busy);
    fc.assert(
      fc.property(fc.nat(text.length - 2), (length) => {
        expect(parseStatus(text.slice(0, length))).toBeUndefined();
      }),
    );
  });
});

describe('A report', () => {
  test.each(reloadOutcomes)('of the outcome %s comes back as it was', (outcome) => {
    const report = {
      outcome,
      changed: { ...nothingChanged, secrets: ['a', 'b'] },
      problem: outcome === 'failed' ? 'why' : undefined,
      restartInMs: outcome === 'restart-held' ? 59_999 : undefined,
    };
    expect(parseReport(formatDocument(report))).toEqual(report);
  });

  test('of an outcome that there is not is none', () => {
    const report = { outcome: 'toString', changed: nothingChanged, problem: null };
    expect(parseReport(formatDocument(report))).toBeUndefined();
    expect(parseReport('[]')).toBeUndefined();
  });
});
