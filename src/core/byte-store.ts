// Bytes that come in parts, in one piece. They are copied: a view of a byte would keep all that it was read with.

export type ByteStore = {
  /** At most `maxBytes` in all. */
  readonly add: (part: Uint8Array) => void;
  readonly sizeBytes: () => number;
  /** A view of what is there. */
  readonly bytes: () => Uint8Array;
};

/** Takes no memory for what has not come, and at most `maxBytes`; for the time of a copy one and a half times that. */
export function createByteStore(maxBytes: number): ByteStore {
  let room = new Uint8Array();
  let size = 0;
  const makeRoom = (needed: number): void => {
    const larger = new Uint8Array(Math.min(maxBytes, Math.max(needed, 2 * room.length)));
    larger.set(room.subarray(0, size));
    room = larger;
  };

  return {
    add: (part) => {
      if (size + part.length > room.length) makeRoom(size + part.length);
      room.set(part, size);
      size += part.length;
    },
    sizeBytes: () => size,
    bytes: () => room.subarray(0, size),
  };
}
