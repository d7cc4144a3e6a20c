// One listener of the pipeline: what it is sent, as fast as it reads and no faster.
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { FaultPlayer } from './fault-player.ts';
import { garbageFrames } from './garbage.ts';
import { textFrame } from './websocket-frame.ts';

export type Frame = string | Uint8Array;

export type Connection = {
  /** Resolves when the frames are on their way, or when there is nobody to send them to. */
  readonly send: (frames: readonly Frame[]) => Promise<void>;
  /** From now on it says nothing and answers nothing, for good, as a peer whose cable was cut. */
  readonly freeze: () => void;
};

/** As much waits in the socket; the rest waits in the queue, where a frame costs a pointer. */
const bufferLimitBytes = 2 ** 20;
/** A listener this far behind never catches up. */
const queueLimit = 1_000_000;

/** @param stream - Below the WebSocket, for bytes that are no frame. */
export function createConnection(
  socket: WebSocket,
  stream: Duplex,
  faults: FaultPlayer,
): Connection {
  const queue = createQueue();
  let isSilent = false;
  const canTake = () => isSilent || stream.writableLength < bufferLimitBytes;
  const pump = (): void => {
    while (canTake()) {
      const item = queue.take();
      if (item === undefined) return;
      if (typeof item === 'function') item();
      else if (!isSilent) isSilent = sendFrame({ socket, stream, faults }, item) === 'cut';
    }
  };
  const fallSilent = (): void => {
    isSilent = true;
    pump();
  };
  stream.on('drain', pump);
  socket.on('close', fallSilent);
  socket.on('error', () => undefined); // A peer that speaks nonsense: `close` follows.
  return {
    freeze: () => {
      fallSilent();
      // What it says is read and forgotten; ws would answer a ping and a close frame.
      stream.removeAllListeners('data').resume();
    },
    send: (frames) => {
      if (queue.length() + frames.length > queueLimit) socket.terminate();
      return new Promise((resolve) => {
        for (const frame of frames) queue.add(frame);
        queue.add(resolve);
        pump();
      });
    },
  };
}

type Wire = { readonly socket: WebSocket; readonly stream: Duplex; readonly faults: FaultPlayer };

/** Text is a notification, and so may meet a fault; bytes are what a test wants sent as they are. */
function sendFrame({ socket, stream, faults }: Wire, frame: Frame): 'sent' | 'cut' {
  const isNotification = typeof frame === 'string';
  if (isNotification && faults.isHit(faults.faults.cutRate)) {
    const whole = textFrame(frame);
    stream.end(whole.subarray(0, Math.ceil(whole.length / 2)), () => stream.destroy());
    return 'cut';
  }
  if (isNotification && faults.isHit(faults.faults.garbageRate)) {
    sendGarbage(socket, stream, faults);
  }
  socket.send(frame);
  return 'sent';
}

function sendGarbage(socket: WebSocket, stream: Duplex, faults: FaultPlayer): void {
  const garbage = faults.pick(garbageFrames);
  if (garbage.type === 'frame') socket.send(garbage.content);
  else stream.write(garbage.bytes);
}

type Item = Frame | (() => void);

/** First in, first out. `shift` of a long array copies all of it. */
function createQueue() {
  let items: Item[] = [];
  let next = 0;
  return {
    length: () => items.length - next,
    add: (item: Item): void => void items.push(item),
    take: (): Item | undefined => {
      const item = items[next];
      next += 1;
      if (next >= items.length) {
        items = [];
        next = 0;
      }
      return item;
    },
  };
}
