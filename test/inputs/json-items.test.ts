// A list read item by item against the same list read as a whole.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { areItems, readItems } from '../../src/inputs/json-items.ts';

/** As the caller does it: a text of another form is read as a whole. */
function read(text: string): unknown {
  try {
    const { data } = readItems(text);
    return { data: [...data] };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return JSON.parse(text);
  }
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

describe('items', () => {
  test('are those of the whole, whatever is in them', () => {
    fc.assert(
      fc.property(list, (data) => {
        const text = JSON.stringify({ data });
        expect(read(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('of a text that is torn or damaged are those of the whole, or none', () => {
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
      '\n',
      'x',
    );
    fc.assert(
      fc.property(list, fc.nat(), fc.nat(20), scrap, (data, position, size, piece) => {
        const whole = JSON.stringify({ data });
        const at = position % (whole.length + 1);
        const text = whole.slice(0, at) + piece + whole.slice(at + size);
        expect(outcome(() => read(text))).toEqual(outcome(() => JSON.parse(text)));
      }),
      { numRuns: 2000 },
    );
  });

  test('are read one by one: an item that is bad is met after those before it', () => {
    const items = readItems('{"data":[{"id":1},{"id":2},{"id":}]}').data[Symbol.iterator]();

    expect(items.next().value).toEqual({ id: 1 });
    expect(items.next().value).toEqual({ id: 2 });
    expect(() => items.next()).toThrow(SyntaxError);
  });

  test('are nothing that JSON can say', () => {
    expect(areItems(readItems('{"data":[{"id":1}]}').data)).toBe(true);
    expect(areItems(JSON.parse('{"data":[{"id":1}]}').data)).toBe(false);
  });
});
