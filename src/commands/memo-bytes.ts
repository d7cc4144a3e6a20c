// A memo as pid1 keeps it: a large one is deflated, since what pid1 holds stays in memory as long as the app runs.
import type Zlib from 'node:zlib';

import { type Memo, decodeMemo, encodeMemo, memoSizeLimitBytes } from '../core/memo.ts';
import { errnoOf } from '../errors.ts';

/**
 * 1,600 services. Below it pid1 stays far below its 1 MB; and each deflation, at each reload, leaves the heap of the C library
 * more in pieces: a thousand of them took 3 MB more (1,000 services, Node 24, glibc).
 */
const deflatedFromBytes = 384 * 1024;

/** The first byte of a deflated one; JSON begins with a brace. */
const deflatedMark = 0;

/** Of zlib: 5,000 services (1.2 MB) in 3 ms, to a tenth; more effort gains nothing. */
const level = 1;

export function packMemo(memo: Memo): Uint8Array {
  const bytes = encodeMemo(memo);
  return bytes.length < deflatedFromBytes
    ? bytes
    : Buffer.concat([Buffer.of(deflatedMark), loadZlib().deflateRawSync(bytes, { level })]);
}

/** Undefined for what this version did not write. */
export function unpackMemo(bytes: Uint8Array): Memo | undefined {
  const json = bytes[0] === deflatedMark ? inflate(bytes.subarray(1)) : bytes;
  return json && decodeMemo(json);
}

function inflate(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return loadZlib().inflateRawSync(bytes, { maxOutputLength: memoSizeLimitBytes });
  } catch (error) {
    if (errnoOf(error) === undefined) {
      throw error;
    }

    return undefined; // No deflated text, or cut off.
  }
}

/** By most brains it is not needed. */
function loadZlib(): typeof Zlib {
  return process.getBuiltinModule('node:zlib');
}
