// The bytes of a server's WebSocket without the messages that are too large: nothing of these is held, however large they are.
//
// RFC 6455 section 5. What can be passed on as it is, is, uncopied. A message in fragments is held until its size is known,
// and leaves as one frame (section 5.4 allows it: no extension is negotiated). From a frame on that breaks the protocol
// everything is passed on: the reader behind the gate sees what it would have seen, and ends the connection.
import { type ByteStore, createByteStore } from './byte-store.ts';
import {
  type FrameStart,
  continuation,
  formatFrameHead,
  headSize,
  isControl,
  largestHeadBytes,
  parseFrameStart,
  parsePayloadSize,
} from './frame-head.ts';

export type FrameGateOptions = {
  /** Of the payload of a message, all its fragments together. Also the most that is ever held. */
  readonly maxBytes: number;
  /** What is passed on: views, to be read or copied at once. */
  readonly onBytes: (bytes: Uint8Array) => void;
  /** Once for each message that is left out, as soon as that is known: its end may never come. */
  readonly onTooLarge: () => void;
};

export type FrameGate = { readonly write: (bytes: Uint8Array) => void };

type Gate = {
  readonly options: FrameGateOptions;
  readonly head: DataView;
  /** As many of them as were read. */
  headBytes: number;
  /** Of the payload of this frame; undefined within the head. */
  fate: Fate | undefined;
  /** Of the payload. Above 2^53 it is not exact: no connection lives to see the end of that. */
  leftBytes: number;
  isLastOfMessage: boolean;
  message: Message | undefined;
  /** Offsets in the bytes that are being written: where this frame begins, and up to where all is settled. */
  frameAt: number;
  settledAt: number;
};

type Fate = 'pass' | 'hold' | 'leave-out';

/** One whose last frame is not over. `held` is undefined where it is left out. */
type Message = { readonly opcode: number; readonly held: ByteStore | undefined };

export function createFrameGate(options: FrameGateOptions): FrameGate {
  const gate: Gate = {
    options,
    head: new DataView(new ArrayBuffer(largestHeadBytes)),
    headBytes: 0,
    fate: undefined,
    leftBytes: 0,
    isLastOfMessage: false,
    message: undefined,
    frameAt: 0,
    settledAt: 0,
  };
  return { write: (bytes) => write(gate, bytes) };
}

function write(gate: Gate, bytes: Uint8Array): void {
  gate.frameAt = 0;
  gate.settledAt = 0;
  let at = 0;
  while (at < bytes.length) {
    at = gate.fate === undefined ? readHead(gate, bytes, at) : readPayload(gate, bytes, at);
  }

  passUntil(gate, bytes, gate.fate === undefined ? gate.frameAt : at);
}

function passUntil(gate: Gate, bytes: Uint8Array, end: number): void {
  if (end > gate.settledAt) gate.options.onBytes(bytes.subarray(gate.settledAt, end));
  gate.settledAt = end;
}

/** @returns The offset behind the byte that was read. */
function readHead(gate: Gate, bytes: Uint8Array, at: number): number {
  const { head } = gate;
  const next = at + 1;
  head.setUint8(gate.headBytes, bytes[at] ?? 0);
  gate.headBytes += 1;
  if (gate.headBytes < 2) {
    return next;
  }

  const start = parseFrameStart(head.getUint8(0), head.getUint8(1));
  if (start === undefined || !canFollow(start, gate.message)) {
    giveUp(gate, bytes, next);
    return next;
  }

  if (gate.headBytes < headSize(head.getUint8(1))) {
    return next;
  }

  const payloadBytes = parsePayloadSize(head);
  if (payloadBytes === undefined) {
    giveUp(gate, bytes, next);
  } else {
    gate.fate = decide(gate, start, payloadBytes);
    gate.leftBytes = payloadBytes;
    gate.isLastOfMessage = start.isFinal && !isControl(start.opcode);
    settleHead(gate, bytes, next);
    if (payloadBytes === 0) endFrame(gate, next);
  }

  return next;
}

/** A message begins with its opcode, and goes on without; control frames may stand between. */
function canFollow({ opcode }: FrameStart, message: Message | undefined): boolean {
  return isControl(opcode) || (opcode === continuation) === (message !== undefined);
}

function decide(gate: Gate, { opcode, isFinal }: FrameStart, payloadBytes: number): Fate {
  const { message, options } = gate;
  if (isControl(opcode)) {
    return 'pass';
  }

  if (message !== undefined && message.held === undefined) {
    return 'leave-out';
  }

  if ((message?.held?.sizeBytes() ?? 0) + payloadBytes > options.maxBytes) {
    gate.message = { opcode: message?.opcode ?? opcode, held: undefined };
    options.onTooLarge();
    return 'leave-out';
  }

  if (message === undefined && isFinal) {
    return 'pass';
  }

  gate.message ??= { opcode, held: createByteStore(options.maxBytes) };
  return 'hold';
}

function settleHead(gate: Gate, bytes: Uint8Array, end: number): void {
  if (gate.fate !== 'pass') {
    passUntil(gate, bytes, gate.frameAt);
  } else if (gate.headBytes > end) {
    // It began in bytes that are gone.
    gate.options.onBytes(new Uint8Array(gate.head.buffer, 0, gate.headBytes));
  } else {
    return; // It is passed on with what stands before and behind it.
  }

  gate.settledAt = end;
}

/** Everything from this head on is passed on, and before it what was held back. */
function giveUp(gate: Gate, bytes: Uint8Array, end: number): void {
  const { message } = gate;
  passUntil(gate, bytes, gate.frameAt);
  if (message !== undefined) release(gate, message, { opcode: message.opcode, isFinal: false });
  gate.fate = 'pass';
  gate.leftBytes = Infinity;
  settleHead(gate, bytes, end);
}

/** @returns The offset behind what was read. */
function readPayload(gate: Gate, bytes: Uint8Array, at: number): number {
  const end = Math.min(at + gate.leftBytes, bytes.length);
  if (gate.fate === 'hold') gate.message?.held?.add(bytes.subarray(at, end));
  if (gate.fate !== 'pass') gate.settledAt = end;
  gate.leftBytes -= end - at;
  if (gate.leftBytes === 0) endFrame(gate, end);
  return end;
}

function endFrame(gate: Gate, end: number): void {
  const { message } = gate;
  gate.fate = undefined;
  gate.headBytes = 0;
  gate.frameAt = end;
  if (!gate.isLastOfMessage || message === undefined) {
    return;
  }

  gate.message = undefined;
  if (message.held !== undefined) release(gate, message, { opcode: message.opcode, isFinal: true });
}

function release({ options }: Gate, { held }: Message, start: FrameStart): void {
  options.onBytes(formatFrameHead(start, held?.sizeBytes() ?? 0));
  if (held !== undefined) options.onBytes(held.bytes());
}
