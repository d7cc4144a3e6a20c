import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { decodeBase64 } from '../../src/core/base64.ts';

describe('base64', () => {
  test('of any bytes is decoded, in lines or not', () => {
    const space = fc.constantFrom('', '\n', ' ', '\r\n', '\t');
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 50 }),
        space,
        fc.integer({ min: 1, max: 7 }),
        (bytes, by, width) => {
          const text = Buffer.from(bytes).toString('base64');
          const lines = text.match(new RegExp(`.{1,${width}}`, 'g')) ?? [];
          expect(decodeBase64(lines.join(by) + by)).toEqual(bytes);
        },
      ),
    );
  });

  test.each([
    ['a digit of base64url', 'ab-_'],
    ['no padding', 'aGk'],
    ['too little padding', 'aA='],
    ['too much padding', 'aGkK===='],
    ['nothing but padding', '===='],
    ['padding in the middle', 'aA==aA=='],
    ['one digit alone', 'aGkKa==='],
    ['bits that mean nothing, after one byte', 'aB=='],
    ['bits that mean nothing, after two', 'aGl='],
    ['a NUL', 'aGk\0'],
    ['a digit beyond ASCII', 'aGkä'],
    ['a character whose low byte is a digit', 'aGk\u0141'],
    ['another kind of space', 'aGkK\u00a0'],
    ['PEM text', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'],
  ])('with %s is refused', (_what, text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });

  test('is refused where encoding again would give something else', () => {
    const anything = fc.stringMatching(/^[A-Za-z0-9+/]{0,8}={0,4}$/);
    fc.assert(
      fc.property(anything, (text) => {
        const decoded = decodeBase64(text);
        expect(decoded === undefined ? undefined : Buffer.from(decoded).toString('base64')).toBe(
          Buffer.from(text, 'base64').toString('base64') === text ? text : undefined,
        );
      }),
    );
  });
});
