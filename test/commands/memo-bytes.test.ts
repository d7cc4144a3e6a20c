import fc from 'fast-check';
import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';

import { packMemo, unpackMemo } from '../../src/commands/memo-bytes.ts';
import { emptyMemo, encodeMemo, memoSizeLimitBytes } from '../../src/core/memo.ts';

const large = {
  ...emptyMemo,
  chosen: new Map(Array.from({ length: 20_000 }, (_, n) => [`container-${n}`, `instance-${n}`])),
};

test('a small memo is what it was, a large one is less, and both come back', () => {
  expect(packMemo(emptyMemo)).toEqual(encodeMemo(emptyMemo));
  expect(unpackMemo(packMemo(emptyMemo))).toEqual(emptyMemo);
  expect(packMemo(large).length).toBeLessThan(encodeMemo(large).length / 4);
  expect(unpackMemo(packMemo(large))).toEqual(large);
  // As the one that is left before the app runs.
  expect(unpackMemo(encodeMemo(large))).toEqual(large);
});

test('bytes that are no memo are none, deflated or not', () => {
  const noMemos = fc.oneof(
    fc.uint8Array(),
    fc.uint8Array().map((bytes) => Uint8Array.of(0, ...bytes)),
    fc.uint8Array().map((bytes) => Uint8Array.of(0, ...deflateRawSync(bytes))),
    fc.nat({ max: 1000 }).map((length) => packMemo(large).subarray(0, length)),
  );
  fc.assert(
    fc.property(noMemos, (bytes) => {
      expect(unpackMemo(bytes)).toBeUndefined();
    }),
  );
  const bomb = deflateRawSync(Buffer.alloc(memoSizeLimitBytes + 1));
  expect(unpackMemo(Uint8Array.of(0, ...bomb))).toBeUndefined();
});
