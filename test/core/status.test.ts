import { describe, expect, test } from 'vitest';

import { judgeHealth } from '../../src/core/health.ts';
import {
  formatReport,
  hasWorked,
  isReloadOutcome,
  reloadOutcomes,
} from '../../src/core/reload-report.ts';
import { formatStatus } from '../../src/core/status-text.ts';
import { formatDocument } from '../../src/core/status.ts';
import type { Status } from '../../src/core/status.ts';
import { alone, busy, nothingChanged, reportOf } from './status-examples.ts';

describe('The status for people', () => {
  test('says how the app, the pipeline and the reloads are, without what is 0', () => {
    expect(formatStatus(busy)).toBe(`\
healthy: the app runs (pid 7), the pipeline is connected
  init            version 1.2.3, PID 1, up 2 h, its brain was started 3 times
  app             pid 7, up 65 s, started 2 times
  pipeline        connected, has connected 4 times, last 119 s ago
  notifications   120 seen, ignored: 17 not-ours, 2 unknown-topic
  reload          idle
  reloads so far  5 signaled, 1 failed
  last reload     signaled, 350 ms ago
    ist           my-db, "mes données"
    secrets       db-password
  last success    350 ms ago
  PID 1           12 orphans reaped, 3 signals forwarded
`);
  });

  test('says no more than is known where there is no brain', () => {
    expect(formatStatus(alone)).toBe(`\
healthy: the app runs (pid 7), nothing is followed
  init      version 1.2.3, not PID 1, up 1999 ms
  app       pid 7, up 1990 ms, started once
  pipeline  not needed: nothing is followed
`);
  });

  test('says what is due and waits, and what has never been', () => {
    const text = formatStatus({
      ...busy,
      app: { pid: undefined, starts: 1, uptimeMs: undefined, isRestarting: true },
      pipeline: {
        ...busy.pipeline,
        isConnected: false,
        connects: 0,
        lastConnectedMs: undefined,
        eventsSeen: 0,
        eventsIgnored: {},
      },
      reload: {
        phase: 'waiting',
        last: undefined,
        lastSuccessMs: undefined,
        byOutcome: {},
        held: 'restart',
        restartInMs: 43_210,
      },
    });
    expect(text).toBe(`\
unhealthy: the app does not run, it is being restarted
  init           version 1.2.3, PID 1, up 2 h, its brain was started 3 times
  app            does not run, is being restarted, started once
  pipeline       not connected, has connected 0 times
  notifications  0 seen
  reload         waiting, a restart is due and waits for 43 s
  PID 1          12 orphans reaped, 3 signals forwarded
`);
  });

  test.each([
    [0, '0 ms'],
    [1999.4, '1999 ms'],
    [2000, '2 s'],
    [119_999, '119 s'],
    [120_000, '2 min'],
    [7_199_999, '119 min'],
    [7_200_000, '2 h'],
    [172_799_999, '47 h'],
    [172_800_000, '2 d'],
  ])('writes %d ms as %s', (uptimeMs, text) => {
    expect(formatStatus({ ...alone, init: { ...alone.init, uptimeMs } })).toContain(`up ${text}\n`);
  });

  test('lets no name of a service act on the terminal or add a line', () => {
    const changed = { ...nothingChanged, ist: ['a\nb', '\u001b[2J', '\u202eevil'] };
    const last = { outcome: 'applied', agoMs: 1, changed } as const;
    const text = formatStatus({ ...busy, reload: { ...busy.reload, last } });
    // oxlint-disable-next-line no-control-regex -- that is what it is about
    expect(text).not.toMatch(/[\u001b\u202e]|a\n/);
    expect(text).toContain(String.raw`"a\nb"`);
  });
});

describe('The status as JSON', () => {
  test('is one line that has every key, with null where there is nothing', () => {
    const text = formatDocument(alone);
    expect(text.indexOf('\n')).toBe(text.length - 1);
    expect(JSON.parse(text)).toEqual({
      version: 1,
      init: { version: '1.2.3', isPid1: false, uptimeMs: 1999, brainStarts: null },
      app: { pid: 7, starts: 1, uptimeMs: 1990, isRestarting: false },
      pipeline: {
        isNeeded: false,
        isConnected: false,
        connects: 0,
        lastConnectedMs: null,
        eventsSeen: 0,
        eventsIgnored: {},
      },
      reload: {
        phase: 'off',
        last: null,
        lastSuccessMs: null,
        byOutcome: {},
        held: null,
        restartInMs: null,
      },
      pid1: null,
    });
  });
});

describe('An init is', () => {
  const ended = { ...busy.app, pid: undefined };
  const lost = { ...busy.pipeline, isConnected: false };
  const notNeeded = { ...lost, isNeeded: false };

  test.each<[string, boolean, Status]>([
    ['healthy: the app runs (pid 7), the pipeline is connected', true, busy],
    ['healthy: the app runs (pid 7), nothing is followed', true, { ...busy, pipeline: notNeeded }],
    [
      'unhealthy: the app runs (pid 7), but the pipeline is not connected',
      false,
      { ...busy, pipeline: lost },
    ],
    ['unhealthy: the app does not run, it has ended', false, { ...busy, app: ended }],
    [
      'unhealthy: the app does not run, it is being restarted',
      false,
      { ...busy, app: { ...ended, isRestarting: true } },
    ],
    [
      'unhealthy: the app does not run, it has ended',
      false,
      { ...busy, app: ended, pipeline: notNeeded },
    ],
  ])('%s', (text, isHealthy, status) => {
    expect(judgeHealth(status)).toEqual({ isHealthy, text });
  });
});

describe('The report of a reload', () => {
  test('says what has become of it, why, and what has changed by kind', () => {
    const changed = { ...nothingChanged, ist: ['my-db'], config: ['variable A', 'init.user'] };
    expect(formatReport(reportOf('refused', { changed, problem: 'Cannot read\nit' }))).toBe(`\
Nothing was reloaded: what is new is not valid.
  why     Cannot read\\u000ait
  ist     my-db
  config  "variable A", init.user
`);
    expect(formatReport(reportOf('unchanged'))).toBe('Nothing has changed.\n');
  });

  test('says in how many seconds the app restarts where that is held, and how not to wait', () => {
    expect(formatReport(reportOf('restart-held', { restartInMs: 42_001 }))).toBe(
      'Reloaded: the files are up to date; the app restarts in 43 s, because restarts are a minute apart, and up to 15 where there are many (reload --now does not wait).\n',
    );
    // What an init of another version says.
    expect(formatReport(reportOf('restart-held'))).toContain(
      'the app is restarted when its last restart is long enough ago',
    );
  });

  test('has worked where what is new is in force, or will be by itself', () => {
    const worked = reloadOutcomes.filter((outcome) => hasWorked(reportOf(outcome)));
    expect(worked).toEqual([
      'unchanged',
      'applied',
      'signaled',
      'signal-held',
      'command-ok',
      'restarted',
      'restart-held',
    ]);
    const problem = 'Cannot use secret "key"';
    expect(hasWorked(reportOf('applied', { problem }))).toBe(false);
    expect(reloadOutcomes).toHaveLength(14);
    expect(isReloadOutcome('toString')).toBe(false);
  });
});
