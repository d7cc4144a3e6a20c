// A connection that ws reads without the messages that are too large: its two options for it.
//
// ws cannot leave a message out: what is over its limit ends the connection. So its socket is a stream of ours, with the
// gate in front from the moment when node:http says that the handshake is over, and where the frames begin. What is read
// lies in the same memory again and again: a new piece for each read was 70 MB of garbage in a message of 500 MB.
import type { ClientRequest, IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';

import { type FrameGateOptions, createFrameGate } from '../core/frame-gate.ts';

export type GatedOptions = Pick<FrameGateOptions, 'maxBytes' | 'onTooLarge'> & {
  readonly socketPath: string;
};

/** Takes what was read, which is there for as long as the call. */
type Reader = { read: (bytes: Uint8Array) => void };

/** For one connection. */
export function gatedConnection({ socketPath, maxBytes, onTooLarge }: GatedOptions) {
  const reader: Reader = { read: () => undefined };
  return {
    createConnection: () => connectStream(socketPath, reader),
    finishRequest: (request: ClientRequest) => {
      // Those of ws: it listens before it calls this.
      const listeners = request.listeners('upgrade');
      request.removeAllListeners('upgrade');
      request.once('upgrade', (response: IncomingMessage, stream: Duplex, head: Buffer) => {
        const gate = createFrameGate({ maxBytes, onBytes: reader.read, onTooLarge });
        reader.read = gate.write;
        gate.write(head);
        for (const listener of listeners) {
          Reflect.apply(listener, request, [response, stream, Buffer.alloc(0)]);
        }
      });
      request.end();
    },
  };
}

/** As much as Node reads at once. */
const readBytes = 2 ** 16;

/** It holds no process back. */
function connectStream(path: string, reader: Reader): Duplex {
  const socket = connect({
    // And not in the URL, where a colon, a space or a `%` of the path would mean something else.
    path,
    onread: {
      buffer: Buffer.allocUnsafeSlow(readBytes),
      callback: (size, buffer) => {
        reader.read(buffer.subarray(0, size));
        return true;
      },
    },
  }).unref();
  const stream = new Duplex({
    read: () => socket.resume(),
    write: (bytes: Buffer, encoding, done) => socket.write(bytes, encoding, done),
    final: (done) => {
      socket.end();
      done(); // All is written: `write` has waited for it.
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  reader.read = (bytes) => {
    if (!stream.push(Buffer.from(bytes))) socket.pause();
  };
  socket.on('end', () => stream.push(null));
  // This one stays for ever: an error of a connection that is over must not be one of the process.
  socket.on('error', (error) => stream.destroy(error));
  return stream;
}
