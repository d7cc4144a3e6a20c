// Where the bytes of a body go: into a buffer, or part by part to whoever reads them while they come.

/** The bytes are the socket's, which reads into them again: they are good until this returns. */
export type OnPart = (bytes: Buffer) => void;

export type BodySink = {
  /** The length of the body, where it is known beforehand. */
  readonly announce: (lengthBytes: number) => void;
  readonly add: (part: Buffer) => void;
  /** Empty where it was given away. */
  readonly whole: () => Buffer;
};

export function keepBody(): BodySink {
  const parts: Buffer[] = [];
  let whole: Buffer | undefined;
  let wholeBytes = 0;
  return {
    announce: (lengthBytes) => {
      whole = Buffer.allocUnsafeSlow(lengthBytes);
    },
    add: (part) => {
      if (whole === undefined) {
        parts.push(Buffer.from(part));
      } else {
        part.copy(whole, wholeBytes);
        wholeBytes += part.length;
      }
    },
    whole: () => whole ?? Buffer.concat(parts),
  };
}

export function giveBody(onPart: OnPart): BodySink {
  return { announce: () => undefined, add: onPart, whole: () => Buffer.alloc(0) };
}
