// Frames of RFC 6455 made by hand, for faults that no library would send.

const final = 0x80;
const text = 0x1;

/** One whole text frame as a server sends it: without a mask (section 5.1). */
export function textFrame(content: string): Buffer {
  const payload = Buffer.from(content);
  return Buffer.concat([headerOf(final | text, payload.length), payload]);
}

/** Section 5.2: lengths up to 125 in one byte, up to 65,535 in two more, others in eight more. */
function headerOf(firstByte: number, sizeBytes: number): Buffer {
  if (sizeBytes <= 125) return Buffer.from([firstByte, sizeBytes]);
  const isShort = sizeBytes < 2 ** 16;
  const header = Buffer.alloc(isShort ? 4 : 10);
  header.set([firstByte, isShort ? 126 : 127]);
  if (isShort) header.writeUInt16BE(sizeBytes, 2);
  else header.writeBigUInt64BE(BigInt(sizeBytes), 2);
  return header;
}
