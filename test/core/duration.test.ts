import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDuration, parseDurationMs } from '../../src/core/duration.ts';

describe('A duration is read in whole milliseconds:', () => {
  test.each([
    ['0ms', 0],
    ['500ms', 500],
    ['10s', 10_000],
    ['2m', 120_000],
    ['1.5s', 1500],
    ['0.001s', 1],
    ['0.05m', 3000],
    ['4.35s', 4350],
    ['2147483647ms', 2_147_483_647],
    ['35791.394m', 2_147_483_640],
  ])('%s is %i', (text, durationMs) => {
    expect(parseDurationMs(text)).toBe(durationMs);
  });
});

describe('What is no duration is refused:', () => {
  test.each([
    ['no unit', '10'],
    ['no number', 's'],
    ['nothing', ''],
    ['a sign', '-1s'],
    ['a space inside', '3 s'],
    ['a space around', ' 3s'],
    ['another unit', '1h'],
    ['an exponent', '1e3ms'],
    ['an upper-case unit', '3S'],
    ['a line break at its end', '3s\n'],
    ['a fraction of a millisecond', '0.5ms'],
    ['one millisecond more than a timer of Node holds, which would fire at once', '2147483648ms'],
    ['a month', '43200m'],
    ['a number that no double holds', `${'9'.repeat(400)}s`],
  ])('%s', (_why, text) => {
    expect(parseDurationMs(text)).toBeUndefined();
    expect(parseDuration(text)).toMatchObject({
      ok: false,
      expected: expect.stringContaining('"10s"'),
    });
  });
});

test('Whatever is accepted fits a timer of Node, and a frame', () => {
  const amount = fc.oneof(
    fc.nat(),
    fc.constantFrom('0.5', '1.25', '2147483.647', '2147483.648', '35791.4', '71582.7'),
  );
  fc.assert(
    fc.property(amount, fc.constantFrom('ms', 's', 'm'), (number, unit) => {
      const durationMs = parseDurationMs(`${number}${unit}`) ?? 0;
      expect(durationMs).toBe(durationMs & 0x7fff_ffff);
    }),
  );
});
