// Bytes of the kernel (arguments, environment) as strings, without loss.
//
// They are UTF-8 by habit only. A byte that does not decode becomes a lone surrogate U+DC80 to U+DCFF
// and turns back into that byte, as Python does it (PEP 383).
import { isUtf8 } from 'node:buffer';

const escapeBase = 0xdc00;
const escaped = /[\udc80-\udcff]/u;

export function decodeBytes(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : decodeInvalid(bytes);
}

export function encodeString(text: string): Buffer {
  return text.isWellFormed() ? Buffer.from(text, 'utf8') : encodeEscaped(text);
}

function decodeInvalid(bytes: Buffer): string {
  let text = '';
  let offset = 0;
  while (offset < bytes.length) {
    const size = sequenceSize(bytes, offset);
    text +=
      size === 0
        ? String.fromCharCode(escapeBase + (bytes[offset] ?? 0))
        : bytes.toString('utf8', offset, offset + size);
    offset += Math.max(size, 1);
  }

  return text;
}

/** Length of the valid UTF-8 sequence at `offset`, or 0. */
function sequenceSize(bytes: Buffer, offset: number): number {
  for (let size = 1; size <= 4 && offset + size <= bytes.length; size += 1) {
    if (isUtf8(bytes.subarray(offset, offset + size))) {
      return size;
    }
  }

  return 0;
}

// With the flag `u` a surrogate pair is one character, so only lone surrogates are split off.
function encodeEscaped(text: string): Buffer {
  return Buffer.concat(
    text
      .split(/([\udc80-\udcff])/u)
      .map((part) =>
        escaped.test(part) ? Buffer.of(part.charCodeAt(0) - escapeBase) : Buffer.from(part, 'utf8'),
      ),
  );
}
