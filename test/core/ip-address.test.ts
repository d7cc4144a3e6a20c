import { isIPv4, isIPv6 } from 'node:net';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { isIpv4, isIpv6 } from '../../src/core/ip-address.ts';

const numbers = ['0', '1', '00', '01', '255', '256', '999', 'f', 'FFFF', '12345', 'g', '1.2.3'];
const marks = ['10.0.0.1', '.', ':', '::', '-', ' ', '/64', ''];
const words = fc.constantFrom(...numbers, ...marks);
const texts = fc.array(words, { maxLength: 18 }).map((list) => list.join(''));
const groups = fc.array(fc.constantFrom('0', 'a', 'db8', 'ffff', '10.0.0.1'), { maxLength: 9 });
const nearlyIpv6 = fc
  .tuple(groups, fc.boolean(), groups)
  .map(([before, isShort, after]) =>
    [before.join(':'), after.join(':')].join(isShort ? '::' : ':'),
  );

describe('an IP address is one exactly where net.isIP() says so', () => {
  test.each(['::', '::1', '1::', 'fd00::1', '::ffff:10.0.0.1', '1:2:3:4:5:6:7:8', '0.0.0.0'])(
    'of the kind of %s',
    (text) => {
      expect([isIpv4(text), isIpv6(text)]).toEqual([isIPv4(text), isIPv6(text)]);
    },
  );

  test('for texts made of the words of addresses', () => {
    fc.assert(
      fc.property(fc.oneof(texts, nearlyIpv6, fc.ipV4(), fc.ipV6()), (text) => {
        expect([isIpv4(text), isIpv6(text)]).toEqual([isIPv4(text), isIPv6(text)]);
      }),
      { numRuns: 3000 },
    );
  });

  test('but never with a zone', () => {
    expect(isIpv6('fe80::1%eth0')).toBe(false);
  });
});
