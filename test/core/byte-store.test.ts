import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createByteStore } from '../../src/core/byte-store.ts';

describe('bytes that come in parts', () => {
  test('are one piece, in memory that is no larger than the limit', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), (parts) => {
        const whole = parts.flatMap((part) => [...part]);
        const maxBytes = whole.length + 3;
        const store = createByteStore(maxBytes);
        for (const part of parts) {
          store.add(part);
          part.fill(0xff);
        }

        expect([...store.bytes()]).toEqual(whole);
        expect(store.sizeBytes()).toBe(whole.length);
        expect(store.bytes().buffer.byteLength).toBeLessThanOrEqual(maxBytes);
      }),
    );
  });

  test('take no memory before they come', () => {
    expect(createByteStore(2 ** 40).bytes().buffer.byteLength).toBe(0);
  });
});
