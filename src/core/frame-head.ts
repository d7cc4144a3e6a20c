// The head of a frame that a server sends: RFC 6455 section 5.2. It has no mask, since only clients mask.

/** Two bytes, and eight of a length that does not fit into them. */
export const largestHeadBytes = 10;

export type FrameStart = {
  /** The last frame of its message. */
  readonly isFinal: boolean;
  readonly opcode: number;
};

export const continuation = 0;
const binary = 2;
const close = 8;
const pong = 10;

/**
 * What the first two bytes say.
 *
 * @returns Undefined where no client may accept them, whatever came before: a mask, reserved bits, an unknown opcode, a
 * control frame that is long or in parts.
 */
export function parseFrameStart(first: number, second: number): FrameStart | undefined {
  const isFinal = (first & 0x80) !== 0;
  const opcode = first & 0x0f;
  const isKnown = opcode <= binary || (opcode >= close && opcode <= pong);
  const isReserved = (first & 0x70) !== 0; // No extension is negotiated.
  const isMasked = (second & 0x80) !== 0;
  const isLongControl = isControl(opcode) && (!isFinal || second >= 126);
  return isKnown && !isReserved && !isMasked && !isLongControl ? { isFinal, opcode } : undefined;
}

/** Close, ping or pong: it may stand between the frames of a message. */
export function isControl(opcode: number): boolean {
  return opcode >= close;
}

/** @param second - The second byte of a head. */
export function headSize(second: number): number {
  switch (second) {
    case 126:
      return 4;
    case 127:
      return largestHeadBytes;
    default:
      return 2;
  }
}

/** @returns In bytes; above 2^53 about as many. Undefined where the highest of 64 bits is set, which must not be. */
export function parsePayloadSize(head: DataView): number | undefined {
  const short = head.getUint8(1);
  switch (short) {
    case 126:
      return head.getUint16(2);
    case 127: {
      const upper = head.getUint32(2);
      return upper < 2 ** 31 ? upper * 2 ** 32 + head.getUint32(6) : undefined;
    }
    default:
      return short;
  }
}

export function formatFrameHead({ isFinal, opcode }: FrameStart, payloadBytes: number): Uint8Array {
  const head = new DataView(new ArrayBuffer(largestHeadBytes));
  head.setUint8(0, (isFinal ? 0x80 : 0) | opcode);
  if (payloadBytes < 126) {
    head.setUint8(1, payloadBytes);
  } else if (payloadBytes < 2 ** 16) {
    head.setUint8(1, 126);
    head.setUint16(2, payloadBytes);
  } else {
    head.setUint8(1, 127);
    head.setBigUint64(2, BigInt(payloadBytes));
  }

  return new Uint8Array(head.buffer, 0, headSize(head.getUint8(1)));
}
