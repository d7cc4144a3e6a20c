import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  type InitMarker,
  formatMarker,
  isStillRunning,
  parseMarker,
  parseStat,
} from '../../src/core/init-marker.ts';

const marker: InitMarker = {
  version: 1,
  initVersion: '1.2.3',
  isPid1: true,
  init: { pid: 1, startTicks: '100', startedAtMs: 1000.25 },
  app: { pid: 7, startTicks: '101', startedAtMs: 1010 },
};

describe('init.json', () => {
  test('is read as it was written', () => {
    expect(parseMarker(formatMarker(marker))).toEqual(marker);
  });

  test.each([
    ['nothing', ''],
    ['a part of it', formatMarker(marker).slice(0, -4)],
    ['another version', JSON.stringify({ ...marker, version: 2 })],
    ['null', 'null'],
    ['a pid that is none', formatMarker({ ...marker, init: { ...marker.init, pid: 1.5 } })],
    ['no app', JSON.stringify({ ...marker, app: undefined })],
    ['a process without its start', JSON.stringify({ ...marker, app: { pid: 7 } })],
  ])('is not read from %s', (_what, text) => {
    expect(parseMarker(text)).toBeUndefined();
  });
});

describe('/proc/PID/stat', () => {
  const fields = '1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 10';

  test('gives state and start, whatever the program is named', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', ')', '(', ' ', '9') }), (name) => {
        expect(parseStat(`7 (${name}) S ${fields}\n`)).toEqual({ state: 'S', startTicks: '4711' });
      }),
    );
  });

  test('that is cut short gives nothing', () => {
    expect(parseStat('7 (sh) S 1 7 7')).toBeUndefined();
    expect(parseStat('')).toBeUndefined();
  });
});

describe('A marked process runs still', () => {
  const { app } = marker;

  test.each([
    ['where the one of its id was started when it was', true, { state: 'S', startTicks: '101' }],
    ['also while it is stopped', true, { state: 'T', startTicks: '101' }],
    ['unless its id is another’s', false, { state: 'S', startTicks: '102' }],
    ['unless it is a zombie', false, { state: 'Z', startTicks: '101' }],
    ['unless it is dead', false, { state: 'X', startTicks: '101' }],
    ['unless nobody has its id', false, undefined],
  ])('%s', (_when, expected, stat) => {
    expect(isStillRunning(app, stat)).toBe(expected);
  });
});
