import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseExitStatus,
  parseRewrite,
  parseSignal,
  parseSignalNumber,
  signalName,
} from '../../src/core/signals.ts';

const signals = [
  ...Array.from({ length: 31 }, (_, index) => index + 1),
  ...Array.from({ length: 31 }, (_, index) => index + 34),
];

describe('A signal is known by', () => {
  test.each([
    ['SIGTERM', 15],
    ['TERM', 15],
    ['sigterm', 15],
    ['15', 15],
    ['SIGHUP', 1],
    ['SIGKILL', 9],
    ['SIGCHLD', 17],
    ['SIGCLD', 17],
    ['SIGSYS', 31],
    ['SIGIOT', 6],
    ['SIGPOLL', 29],
    ['SIGRTMIN', 34],
    ['RTMIN+3', 37],
    ['SIGRTMAX', 64],
    ['SIGRTMAX-30', 34],
    ['64', 64],
  ])('%s: %i', (text, number) => {
    expect(parseSignalNumber(text)).toBe(number);
  });

  test('the name that signalName gives, for every number that is one', () => {
    expect(signals.map((number) => parseSignalNumber(signalName(number)))).toEqual(signals);
  });

  test('the names of `kill -l`: the same as those of the kernel', () => {
    expect([2, 10, 28, 34, 49, 50, 64].map(signalName)).toEqual([
      'SIGINT',
      'SIGUSR1',
      'SIGWINCH',
      'SIGRTMIN',
      'SIGRTMIN+15',
      'SIGRTMAX-14',
      'SIGRTMAX',
    ]);
  });
});

describe('There is no signal', () => {
  test.each([
    '',
    '0',
    '32',
    '33',
    '65',
    '-1',
    '1.5',
    ' 15',
    'SIG',
    'SIGSIGTERM',
    'SIGRTMIN-1',
    'SIGRTMAX+1',
  ])('%j', (text) => {
    expect(parseSignalNumber(text)).toBeUndefined();
  });

  test.each([
    'SIGRTMIN+31',
    'SIGRTMAX-31',
    'constructor',
    '__proto__',
    'SIGIOTT',
    'IOT ',
    'SIGTERM\n',
  ])('%j', (text) => {
    expect(parseSignal(text).ok).toBe(false);
  });

  test.each(['FOO', 'SIGFOO', 'elephant'])('%s, and none like it', (text) => {
    expect(parseSignal(text)).not.toHaveProperty('suggestion');
  });

  test.each([
    ['SIGTREM', 'SIGTERM'],
    ['trem', 'SIGTERM'],
    ['SIGUSR3', 'SIGUSR1'],
    ['SIGWINCHH', 'SIGWINCH'],
  ])('%s, but %s', (text, suggestion) => {
    expect(parseSignal(text)).toMatchObject({ ok: false, suggestion });
  });
});

describe('A rewrite', () => {
  test.each([
    ['SIGTERM:SIGQUIT', 15, 3],
    ['15:3', 15, 3],
    ['SIGWINCH:0', 28, 0],
    ['HUP:KILL', 1, 9],
    ['RTMIN+3:TERM', 37, 15],
  ])('%s replaces %i by %i', (text, from, to) => {
    expect(parseRewrite(text)).toEqual({ ok: true, value: { from, to } });
  });

  test.each(['SIGKILL:SIGTERM', '19:0', 'KILL:elephant'])(
    '%s is refused: nobody catches that',
    (text) => {
      expect(parseRewrite(text)).toMatchObject({
        ok: false,
        expected: expect.stringContaining('caught'),
      });
    },
  );

  test.each(['CHLD:USR1', 'SIGCLD:0', '17:SIGTERM'])(
    '%s is refused: init has that of its own children, and forwards none',
    (text) => {
      expect(parseRewrite(text)).toMatchObject({
        ok: false,
        expected: expect.stringContaining('SIGCHLD tells it of its own children'),
      });
    },
  );

  test('SIGUSR1:SIGCHLD is as good as any other', () => {
    expect(parseRewrite('SIGUSR1:SIGCHLD')).toEqual({ ok: true, value: { from: 10, to: 17 } });
  });

  test.each([
    '',
    'SIGTERM',
    'SIGTERM:',
    ':SIGTERM',
    '0:SIGTERM',
    'SIGTERM:SIGHUP:SIGINT',
    'SIGTERM:00',
  ])('%j is refused', (text) => {
    expect(parseRewrite(text).ok).toBe(false);
  });

  test.each([
    ['SIGTREM:SIGQUIT', 'SIGTERM:SIGQUIT'],
    ['SIGTERM:SIGQIUT', 'SIGTERM:SIGQUIT'],
    ['trem:qiut', 'SIGTERM:SIGQUIT'],
    ['TREM:0', 'SIGTERM:0'],
  ])('%s is refused, with the whole of %s suggested', (text, suggestion) => {
    expect(parseRewrite(text)).toMatchObject({ ok: false, suggestion });
  });

  test.each([
    ['FOO:BAR', '"FOO" and "BAR"'],
    ['SIGTREM:elephant', '"SIGTREM" and "elephant"'],
    ['elephant:SIGTERM', '"elephant"'],
    ['15:derp', '"derp"'],
    ['15:32', '"32"'],
    [':15', '""'],
  ])(
    '%s is refused without a suggestion that would be refused, too: it names %s',
    (text, named) => {
      expect(parseRewrite(text)).toEqual({
        ok: false,
        expected: `a signal, such as SIGTERM or 15, in place of ${named}`,
      });
    },
  );

  test('reads what it would write', () => {
    fc.assert(
      fc.property(fc.constantFrom(...signals), fc.constantFrom(...signals), (from, to) => {
        const isRefused = [9, 17, 19].includes(from);
        const result = parseRewrite(`${signalName(from)}:${signalName(to)}`);
        expect(result).toMatchObject(isRefused ? { ok: false } : { ok: true, value: { from, to } });
      }),
    );
  });
});

describe('An exit status', () => {
  test.each([
    ['143:0', 143, 0],
    ['143', 143, 0],
    ['0:1', 0, 1],
    ['255:255', 255, 255],
  ])('%s replaces %i by %i', (text, from, to) => {
    expect(parseExitStatus(text)).toEqual({ ok: true, value: { from, to } });
  });

  test.each(['', '256', '1:256', '-1', '1:', ':1', '1:2:3', '1.5', 'SIGTERM', '0x1', '1 '])(
    '%j is refused',
    (text) => {
      expect(parseExitStatus(text).ok).toBe(false);
    },
  );
});
