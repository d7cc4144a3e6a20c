// What a broken platform could say instead of what it should. No byte of it is secret or true.

/** Whole HTTP answers, as bytes: the headers are wrong in one of them, the body in the others. */
export const garbageAnswers: readonly [Buffer, ...Buffer[]] = [
  answerOf('<html><body>502 Bad Gateway</body></html>'),
  answerOf('{"data":7}'),
  answerOf('{"data":[{"id":7},null,[]]}'),
  answerOf('{"data":'),
  answerOf(''),
  answerOf(Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x7d])),
  Buffer.from('\u0000\u0001 this is not HTTP\r\n\r\n', 'latin1'),
];

export type GarbageFrame =
  /** A well-formed frame that says nothing of use: a listener can go on. */
  | { readonly type: 'frame'; readonly content: string | Buffer }
  /** Bytes that are no frame: a listener has to give the connection up. */
  | { readonly type: 'bytes'; readonly bytes: Buffer };

export const garbageFrames: readonly [GarbageFrame, ...GarbageFrame[]] = [
  { type: 'frame', content: 'this is not JSON' },
  { type: 'frame', content: '' },
  { type: 'frame', content: '{"topic":"container.state.changed","object":' },
  { type: 'frame', content: '[]' },
  { type: 'frame', content: 'null' },
  { type: 'frame', content: '{"topic":7,"object":null,"context":"x"}' },
  { type: 'frame', content: '{"topic":"weather.changed","object":{"id":"x"},"context":{}}' },
  { type: 'frame', content: '{"__proto__":{"topic":"container.state.changed"}}' },
  { type: 'frame', content: Buffer.from([0, 1, 2, 0xff]) },
  // A listener accepts 1 MiB.
  {
    type: 'frame',
    content: JSON.stringify({ topic: 'container.state.changed', x: 'x'.repeat(2 ** 20) }),
  },
  // A text frame that is no UTF-8: RFC 6455 section 8.1.
  { type: 'bytes', bytes: Buffer.from([0x81, 2, 0xc3, 0x28]) },
  // A reserved opcode: section 5.2.
  { type: 'bytes', bytes: Buffer.from([0x87, 0]) },
];

function answerOf(body: string | Buffer): Buffer {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}
