import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { decodeBytes, encodeString } from '../../src/link/bytes.ts';

const parts = fc.constantFrom(
  Buffer.from('PATH='),
  Buffer.from('données ✅'),
  Buffer.of(0xff),
  Buffer.of(0x80),
  Buffer.of(0xc3), // the first half of an é
  Buffer.of(0xed, 0xb2, 0x80), // U+DC80 as CESU-8 would write it: not UTF-8
  Buffer.of(0xf0, 0x9f, 0x98),
  Buffer.from('😀'),
);

describe('bytes of the kernel', () => {
  test('come back as they were, valid UTF-8 or not', () => {
    fc.assert(
      fc.property(fc.array(parts), (list) => {
        const bytes = Buffer.concat(list);
        expect(encodeString(decodeBytes(bytes))).toEqual(bytes);
      }),
    );
  });

  test('decode as UTF-8 where they are UTF-8', () => {
    expect(decodeBytes(Buffer.from('mes-données ✅'))).toBe('mes-données ✅');
  });

  test('keep the valid part readable beside an invalid byte', () => {
    expect(decodeBytes(Buffer.from([0xc3, 0xa9, 0xff, 0x61]))).toBe('é\udcffa');
  });
});
