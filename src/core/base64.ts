// Base64 as in RFC 4648 section 4: with padding, and with no bits that mean nothing. White space anywhere is skipped.

/** Undefined where the text is anything else. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const characters = text.replaceAll(/[ \t\r\n]/g, '');
  const padding = /={0,2}$/.exec(characters)?.[0].length ?? 0;
  const end = characters.length - padding;
  if (characters.length % 4 !== 0) {
    return undefined;
  }

  const bytes = new Uint8Array((characters.length / 4) * 3 - padding);
  let bits = 0;
  let width = 0;
  let size = 0;
  for (let index = 0; index < end; index += 1) {
    const six = digits[characters.charCodeAt(index)] ?? none;
    if (six === none) {
      return undefined;
    }

    bits = ((bits << 6) | six) & 0xffff;
    width += 6;
    if (width >= 8) {
      width -= 8;
      bytes[size] = (bits >> width) & 0xff;
      size += 1;
    }
  }

  const isCanonical = (bits & ((1 << width) - 1)) === 0;
  return isCanonical ? bytes : undefined;
}

const none = 255;

/** By character code: the six bits that it stands for. */
const digits = new Uint8Array(128).fill(none);

for (const [value, digit] of Array.from(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
).entries()) {
  digits[digit.charCodeAt(0)] = value;
}
