// The brain's end of the socket to pid1.
//
// While preparing it is read and written synchronously: pid1 never blocks on it, so an answer comes at
// once. `follow` hands the socket to the event loop.
import { readSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';

import { StartError, exitStatus } from '../errors.ts';
import { decodeMessage, encodeMessage } from './frames.ts';
import { frameHeaderSize, linkFd, linkVersion } from './layout.ts';
import type { FromPid1, Hello, ToPid1 } from './messages.ts';

export type Link = {
  readonly hello: Hello;
  /** Says something. Before `follow` it returns when pid1 has it or the kernel keeps it for pid1. */
  readonly send: (message: ToPid1) => void;
  /** After `follow`: resolves when that holds for all that was said; the kernel takes some 200 kB at once. */
  readonly flush: () => Promise<void>;
  /** Waits for the next message. Only before `follow`. */
  readonly receive: () => FromPid1;
  /** From here on messages arrive by the event loop. `onEnd`: pid1 is gone, or does not want us. */
  readonly follow: (onMessage: (message: FromPid1) => void, onEnd: () => void) => void;
};

/**
 * @throws {StartError} E_VERSION: pid1 is of another version.
 * @throws {Error} if nobody greets us on the descriptor: we were not started by pid1.
 */
export function openLink(fd: number = linkFd): Link {
  const first = receiveSync(fd);
  if (first.type !== 'hello') {
    throw new RangeError(`pid1 greeted us with ${first.type}`);
  }

  if (first.hello.version !== linkVersion) {
    throw otherVersion(first.hello.version);
  }

  let socket: Socket | undefined;
  return {
    hello: first.hello,
    send: (message) => {
      const bytes = encodeMessage(message);
      if (socket === undefined) {
        writeFully(fd, bytes);
      } else {
        socket.write(bytes);
      }
    },
    flush: () =>
      new Promise((resolve) => {
        // Called after what was written before it.
        if (socket === undefined) resolve();
        else socket.write('', () => resolve());
      }),
    receive: () => receiveSync(fd),
    follow: (onMessage, onEnd) => {
      socket = followSocket(fd, { onMessage, onEnd });
    },
  };
}

function otherVersion(version: number): StartError {
  const bundle = process.argv[1] ?? 'warp-init.cjs';
  return new StartError(
    'E_VERSION',
    `Cannot understand pid1: it speaks version ${version} of our link, and ${bundle} version ${linkVersion}`,
    {
      exitCode: exitStatus.internal,
      remedy: {
        where: bundle,
        fix: 'Install warp-init and warp-init.cjs of one version; one that was replaced below a running app is right after a restart of the container.',
      },
    },
  );
}

function receiveSync(fd: number): FromPid1 {
  const header = readFully(fd, frameHeaderSize);
  return decodeMessage(header.readUInt32LE(4), readFully(fd, header.readUInt32LE(0)));
}

function readFully(fd: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let have = 0;
  while (have < size) {
    const count = readSync(fd, bytes, have, size - have, null);
    if (count === 0) {
      throw new RangeError('pid1 ended the link');
    }

    have += count;
  }

  return bytes;
}

function writeFully(fd: number, bytes: Buffer): void {
  let offset = 0;
  while (offset < bytes.length) {
    offset += writeSync(fd, bytes, offset);
  }
}

type Listener = {
  readonly onMessage: (message: FromPid1) => void;
  readonly onEnd: () => void;
};

function followSocket(fd: number, { onMessage, onEnd }: Listener): Socket {
  const socket = new Socket({ fd, readable: true, writable: true });
  let pending = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    pending = Buffer.concat([pending, bytes]);
    while (pending.length >= frameHeaderSize) {
      const end = frameHeaderSize + pending.readUInt32LE(0);
      if (pending.length < end) {
        return;
      }

      const message = decodeMessage(
        pending.readUInt32LE(4),
        pending.subarray(frameHeaderSize, end),
      );
      pending = pending.subarray(end);
      onMessage(message);
    }
  });
  socket.on('error', onEnd); // ECONNRESET: pid1 was killed in the middle of a frame.
  socket.on('close', onEnd);
  return socket;
}
