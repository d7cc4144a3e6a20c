// Behind the gate stands the reader that it was made for: ws's own, which says what it understands.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Receiver } from 'ws';

import { createFrameGate } from '../../src/core/frame-gate.ts';
import { formatFrameHead } from '../../src/core/frame-head.ts';

const text = 1;
const binary = 2;
const ping = 9;

type Frame = { readonly opcode: number; readonly isFinal?: boolean; readonly payload: Buffer };

function frame({ opcode, isFinal = true, payload }: Frame): Buffer {
  return Buffer.concat([formatFrameHead({ opcode, isFinal }, payload.length), payload]);
}

/** As server frames, cut at these places, with a ping before each fragment where `isPinged`. */
function fragments(opcode: number, payload: Buffer, cuts: readonly number[], isPinged = false) {
  const places = [0, ...cuts.map((cut) => cut % (payload.length + 1)), payload.length];
  const sorted = places.toSorted((one, other) => one - other);
  return sorted.slice(1).flatMap((end, index) => [
    ...(isPinged ? [frame({ opcode: ping, payload: Buffer.from(`ping ${index}`) })] : []),
    frame({
      opcode: index === 0 ? opcode : 0,
      isFinal: index === sorted.length - 2,
      payload: payload.subarray(sorted[index], end),
    }),
  ]);
}

/** Cut into pieces of these sizes, which are used again and again. */
function cutInto(bytes: Buffer, pieceSizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const size = pieceSizes[pieces.length % pieceSizes.length] ?? 1;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }

  return pieces;
}

function createReader() {
  const heard: string[] = [];
  const receiver = new Receiver({ maxPayload: 0, skipUTF8Validation: true });
  receiver.on('message', (message: Buffer, isBinary: boolean) =>
    heard.push(`${isBinary ? 'binary' : 'text'} ${message.toString('latin1')}`),
  );
  receiver.on('ping', (payload: Buffer) => heard.push(`ping ${payload.toString('latin1')}`));
  receiver.on('pong', (payload: Buffer) => heard.push(`pong ${payload.toString('latin1')}`));
  let isOver = false;
  const end = (what: string): void => {
    isOver = true;
    heard.push(what);
  };
  receiver.on('conclude', (code: number) => end(`close ${code}`));
  receiver.on('error', ({ message }: Error) => end(message));
  return {
    heard,
    read: (bytes: Uint8Array) => {
      if (!isOver) receiver.write(Buffer.from(bytes));
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function hearThrough(pieces: readonly Uint8Array[], maxBytes: number) {
  const reader = createReader();
  let tooLarge = 0;
  let passedBytes = 0;
  const gate = createFrameGate({
    maxBytes,
    onBytes: (bytes) => {
      passedBytes += bytes.length;
      reader.read(bytes);
    },
    onTooLarge: () => (tooLarge += 1),
  });
  pieces.forEach(gate.write);
  await turn();
  return { heard: reader.heard, tooLarge, passedBytes };
}

async function hearAll(pieces: readonly Uint8Array[]): Promise<string[]> {
  const { heard, read } = createReader();
  pieces.forEach(read);
  await turn();
  return heard;
}

/** Every kind of length is near it: of one byte, of two, and of eight where a size is far above. */
const limit = 130;
const payload = fc
  .oneof(
    fc.nat(2),
    fc.integer({ min: 124, max: limit + 2 }),
    fc.constantFrom(limit, limit + 1, 2 * limit, 2 ** 16 - 1, 2 ** 16),
  )
  .chain((size) => fc.nat(255).map((fill) => Buffer.alloc(size, fill)));
const message = fc.record({
  opcode: fc.constantFrom(text, binary),
  payload,
  cuts: fc.array(fc.nat(2 ** 16), { maxLength: 4 }),
  isPinged: fc.boolean(),
});
const sizes = fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 300 })), {
  minLength: 1,
  maxLength: 5,
});

describe('of any messages, in any fragments, in any pieces', () => {
  test('those within the limit and all control frames come through in their order, and the others are counted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 6 }), sizes, async (messages, pieceSizes) => {
        const frames = messages.map(({ opcode, payload: bytes, cuts, isPinged }) =>
          fragments(opcode, bytes, cuts, isPinged),
        );
        const pieces = cutInto(Buffer.concat(frames.flat()), pieceSizes);
        const { heard, tooLarge } = await hearThrough(pieces, limit);

        const wanted = messages.flatMap(({ opcode, payload: bytes, cuts, isPinged }) => [
          ...(isPinged ? [...cuts, 0].map((_cut, index) => `ping ping ${index}`) : []),
          ...(bytes.length <= limit
            ? [`${opcode === binary ? 'binary' : 'text'} ${bytes.toString('latin1')}`]
            : []),
        ]);
        expect(heard).toEqual(wanted);
        expect(tooLarge).toBe(messages.filter(({ payload: { length } }) => length > limit).length);
      }),
    );
  });

  test('an unfinished message is held up to the limit and not beyond: a broken frame brings it to light', async () => {
    await fc.assert(
      fc.asyncProperty(
        payload,
        fc.array(fc.nat(2 ** 16)),
        sizes,
        async (bytes, cuts, pieceSizes) => {
          const unfinished = Buffer.concat(fragments(text, bytes, [...cuts, 7]).slice(0, -1));
          const { passedBytes } = await hearThrough(cutInto(unfinished, pieceSizes), limit);
          const broken = [...cutInto(unfinished, pieceSizes), Buffer.of(0xff, 0xff)];
          const all = await hearThrough(broken, limit);

          expect(passedBytes).toBe(0);
          expect(all.passedBytes).toBeLessThanOrEqual(
            formatFrameHead({ opcode: text, isFinal: false }, limit).length + limit + 2,
          );
        },
      ),
    );
  });
});

/** Words of the format, right and wrong, of at most some bytes: after a broken one everything is passed on. */
const word = fc.oneof(
  fc
    .record({
      opcode: fc.constantFrom(0, 0, text, binary, 3, 7, 8, ping, 10, 11, 15),
      isFinal: fc.boolean(),
      payload: fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes)),
    })
    .map(frame),
  fc.constantFrom(
    Buffer.of(0x81, 0x81, 1, 2, 3, 4, 5), // masked
    Buffer.of(0xc1, 1, 65), // RSV1
    Buffer.of(0xa1, 1, 65), // RSV2
    Buffer.of(0x91, 1, 65), // RSV3
    Buffer.of(0x01, 0x81, 1, 2, 3, 4, 5), // the same, as a fragment
    Buffer.of(0x41, 1, 65),
    Buffer.of(0x40, 1, 65),
    Buffer.of(0x21, 1, 65),
    Buffer.of(0x11, 1, 65),
    Buffer.of(0x89, 126, 0, 1, 65), // a ping of a long length
    Buffer.of(0x89, 126), // the same, stopped in its head
    Buffer.of(0x89, 127),
    Buffer.of(0x88, 1, 65), // a close frame of one byte
    Buffer.of(0x88, 2, 3, 0xe8), // a good one: 1000
    Buffer.of(0x81, 126, 0, 1, 65), // a length that would have fitted into one byte
    Buffer.of(0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0), // 2^63 bytes: no such length
  ),
);

describe('of frames that break the protocol', () => {
  test('the reader hears what it would have heard without the gate, in any pieces', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 8 }), sizes, async (words, pieceSizes) => {
        const pieces = cutInto(Buffer.concat(words), pieceSizes);
        const { heard, tooLarge } = await hearThrough(pieces, limit);

        expect(heard).toEqual(await hearAll(pieces));
        expect(tooLarge).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  test('everything is passed on from there, what is too large as well', async () => {
    const large = frame({ opcode: text, payload: Buffer.alloc(2 * limit, 2) }); // 2, 2: a fragment.
    const pieces = [Buffer.of(0xff), large, large];
    const { tooLarge, passedBytes } = await hearThrough(pieces, limit);

    expect([tooLarge, passedBytes]).toEqual([0, 1 + 2 * large.length]);
  });

  test.each([
    ['a new message within one', frame({ opcode: text, payload: Buffer.of(66) })],
    ['a reserved bit', Buffer.of(0xc0, 1, 65)],
  ])('%s is broken also where the message around it is left out', async (_what, broken) => {
    const pieces = [
      ...fragments(text, Buffer.alloc(limit + 1), [5, 9]).slice(0, -1),
      Buffer.concat([frame({ opcode: 0, isFinal: false, payload: Buffer.alloc(limit) }), broken]),
    ];
    const { heard, tooLarge } = await hearThrough(pieces, limit);

    expect(tooLarge).toBe(1);
    expect(heard).toEqual(await hearAll(pieces));
    expect(heard).toHaveLength(1);
  });
});

describe('a message without end', () => {
  test('of a frame of 2^62 bytes is counted when its head is read, and nothing of it comes through', async () => {
    const head = Buffer.of(0x81, 127, 0x40, 0, 0, 0, 0, 0, 0, 0);
    const zeros = Buffer.alloc(2 ** 16);
    const counted = await hearThrough([head], limit);
    expect(counted.tooLarge).toBe(1);

    const pieces = Array.from({ length: 10_000 }, () => zeros);
    const { heard, tooLarge, passedBytes } = await hearThrough([head, ...pieces], limit);
    expect([heard, tooLarge, passedBytes]).toEqual([[], 1, 0]);
  });

  test('of fragments is counted once, and pings in it are heard', async () => {
    const more = frame({ opcode: 0, isFinal: false, payload: Buffer.alloc(100) });
    const pinging = frame({ opcode: ping, payload: Buffer.from('?') });
    const pieces = Array.from({ length: 1000 }, () => [more, pinging]).flat();
    const first = frame({ opcode: text, isFinal: false, payload: Buffer.alloc(0) });
    const { heard, tooLarge } = await hearThrough([first, ...pieces], limit);

    expect(tooLarge).toBe(1);
    expect(heard).toEqual(Array.from({ length: 1000 }, () => 'ping ?'));
  });

  test('of empty fragments takes nothing', async () => {
    const empty = frame({ opcode: 0, isFinal: false, payload: Buffer.alloc(0) });
    const first = frame({ opcode: text, isFinal: false, payload: Buffer.from('a') });
    const last = frame({ opcode: 0, payload: Buffer.from('b') });
    const empties = Array.from({ length: 100_000 }, () => empty);
    const { heard, passedBytes } = await hearThrough([first, ...empties, last], limit);

    expect(heard).toEqual(['text ab']);
    expect(passedBytes).toBe(2 + 2);
  });
});

test('what is passed on is not copied, and not cut where nothing is left out', () => {
  const passed: Uint8Array[] = [];
  const gate = createFrameGate({
    maxBytes: limit,
    onBytes: (bytes) => passed.push(bytes),
    onTooLarge: () => undefined,
  });
  const three = frame({ opcode: text, payload: Buffer.from('three') });
  const bytes = Buffer.concat([three, three, three.subarray(0, 4)]);
  gate.write(bytes);

  expect(passed).toHaveLength(1);
  expect(passed[0]?.buffer).toBe(bytes.buffer);
  expect(passed[0]).toHaveLength(bytes.length);
});
