// A list read item by item, in any parts, against the same list read as a whole.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createItemReader } from '../../src/inputs/json-items.ts';

type Read = { readonly taken: readonly unknown[]; readonly rest: unknown };

/** @throws {SyntaxError} */
function readParts(parts: readonly Buffer[]): Read {
  const taken: unknown[] = [];
  const reader = createItemReader((item) => taken.push(item));
  for (const part of parts) {
    const lent = Buffer.from(part);
    reader.push(lent);
    lent.fill('x'); // As the socket does, which reads into the same bytes again.
  }

  return { taken, rest: reader.finish() };
}

function readText(text: string): Read {
  return readParts([Buffer.from(text)]);
}

/** As the caller puts both together. */
function whole({ taken, rest }: Read): unknown {
  return taken.length > 0 && isList(rest) ? { ...rest, data: [...taken, ...rest.data] } : rest;
}

function isList(rest: unknown): rest is { readonly data: readonly unknown[] } {
  return typeof rest === 'object' && rest !== null && 'data' in rest && Array.isArray(rest.data);
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

function outcome(work: () => unknown): unknown {
  try {
    return { value: work() };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return 'no JSON';
  }
}

const word = fc.constantFrom(
  'id',
  'name',
  'data',
  '},{"id":',
  '"',
  '\\',
  ']}',
  '{"data":[{"id":',
  'é',
  '𝕏',
  '__proto__',
);
/** Since V8 12.8 (Node 24 and 26) JSON.parse can read another escaped key as a backslash once it has met that: nodejs/node#63785. */
const key = word.filter((text) => text !== '\\');
const { item } = fc.letrec((tie) => ({
  item: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  value: fc.oneof(
    { depthSize: 'small' },
    word,
    fc.integer(),
    fc.constant(null),
    tie('item'),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
}));
const list = fc.array(item, { maxLength: 5 });
const places = fc.array(fc.nat(), { maxLength: 6 });

describe('items', () => {
  test('are those of the whole, whatever is in them and wherever it is torn', () => {
    fc.assert(
      fc.property(list, places, (data, torn) => {
        const text = JSON.stringify({ data });
        expect(whole(readParts(cut(Buffer.from(text), torn)))).toEqual(JSON.parse(text));
      }),
      { numRuns: 1000 },
    );
  });

  test('of a damaged text are those of the whole, or none', () => {
    const scrap = fc.constantFrom(
      '',
      '{',
      '}',
      '[',
      ']',
      '"',
      ',',
      ':',
      ' ',
      '},{"id":',
      ']}',
      '],"x":[',
      '\n',
      'x',
    );
    fc.assert(
      fc.property(
        list,
        fc.nat(),
        fc.nat(20),
        scrap,
        places,
        (data, position, size, piece, torn) => {
          const text = JSON.stringify({ data });
          const at = position % (text.length + 1);
          const bytes = Buffer.from(text.slice(0, at) + piece + text.slice(at + size));
          const parts = cut(bytes, torn);
          expect(outcome(() => whole(readParts(parts)))).toEqual(
            outcome(() => JSON.parse(bytes.toString())),
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('are taken as they come: the last one is in the rest', () => {
    const taken: unknown[] = [];
    const reader = createItemReader((one) => taken.push(one));

    reader.push(Buffer.from('{"data":[{"id":1},{"id"'));
    expect(taken).toEqual([]);
    reader.push(Buffer.from(':2},{"id":3'));
    expect(taken).toEqual([{ id: 1 }, { id: 2 }]);
    reader.push(Buffer.from('}],"more":true}\n'));
    expect(reader.finish()).toEqual({ data: [{ id: 3 }], more: true });
  });

  test.each([
    ['no items', '{"data":[]}'],
    ['null', '{"data":null}'],
    ['no list', '{"data":{"id":1}}'],
    ['items that are no objects', '[1,2]'],
    ['white space in it', '{ "data": [ {"id":1}, {"id":2} ] }'],
    ['other keys before it', '{"more":1,"data":[{"id":1},{"id":2}]}'],
    ['no key at all', `["${'x'.repeat(1000)}"]`],
  ])('are left to the whole in an answer with %s', (_, text) => {
    expect(readText(text)).toEqual({ taken: [], rest: JSON.parse(text) });
  });

  test.each(['', '{', '{"data":[{"id":1},{"id":2}', '{"data":[{"id":1},{"id":}]}'])(
    'of %j are no JSON',
    (text) => {
      expect(() => readText(text)).toThrow(SyntaxError);
    },
  );

  test('with a list of what looks like items inside are met once', () => {
    const inner = Array.from({ length: 30_000 }, (_, id) => ({ id }));
    const text = JSON.stringify({ data: [{ id: 1 }, { id: 2, inner }, { id: 3 }] });
    const read = readText(text);

    expect(whole(read)).toEqual(JSON.parse(text));
    expect(read.taken).toEqual([{ id: 1 }]);
  });

  test('of 300 kB each are not looked through with each byte of them', () => {
    const inner = Array.from({ length: 7 }, (_, id) => ({ id, text: 'x'.repeat(40_000) }));
    const text = JSON.stringify({ data: [{ id: 1, inner }, { id: 2, inner }, { id: 3 }] });
    const bytes = Buffer.from(text);
    const taken: unknown[] = [];
    const reader = createItemReader((one) => taken.push(one));
    const before = process.cpuUsage();
    for (let at = 0; at < bytes.length; at += 1) {
      reader.push(bytes.subarray(at, at + 1));
    }

    expect(taken).toHaveLength(1);
    expect(reader.finish()).toEqual({ data: JSON.parse(text).data.slice(1) });
    // Some 0.3 s; with each byte it took minutes.
    expect(process.cpuUsage(before).user).toBeLessThan(5_000_000);
  });

  test('of many megabytes each are read at the end', () => {
    const text = JSON.stringify({ data: [{ id: 1, text: 'x'.repeat(8 * 2 ** 20) }, { id: 2 }] });
    const bytes = Buffer.from(text);
    const parts = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, index) =>
      bytes.subarray(index * 65_536, (index + 1) * 65_536),
    );

    expect(readParts(parts)).toEqual({ taken: [], rest: JSON.parse(text) });
  });
});
