// Reads `{"data":[{…},{…}]}` item by item: what is not needed of one is garbage before the next is read.
//
// 10,000 services are 16 MB of JSON. Read as a whole, all of it survives until the last item is checked, and moving it about
// takes the garbage collector as long as the reading (a start of 370 ms is 40 ms shorter, Node 20 and 24).

/** What {@link readItems} gives for `data`. */
export type Items = { readonly [isItems]: true } & Iterable<unknown>;

const isItems = Symbol('items');

/**
 * The answer, with {@link Items} for `data`.
 *
 * @throws {SyntaxError} at once or while the items are read: the text has another form, and must be read as a whole. What
 *   does not throw is JSON, and has just these items: between the head and the tail there is nothing but them and commas.
 */
export function readItems(text: string): { readonly data: Items } {
  const end = text.trimEnd().length - tail.length;
  const firstKey = firstKeyOf(text);
  if (firstKey === undefined || !text.startsWith(tail, end)) {
    throw new SyntaxError('not a list of objects as Go writes it');
  }

  return {
    data: {
      [isItems]: true,
      *[Symbol.iterator]() {
        // Objects inside of an item may stand in a list as well; they seldom begin with the same key.
        const between = `},{${firstKey}`;
        let at = head.length;
        for (let next = text.indexOf(between, at); next !== -1; next = text.indexOf(between, at)) {
          yield JSON.parse(text.slice(at, next + 1));
          at = next + 2;
        }

        yield JSON.parse(text.slice(at, end));
      },
    },
  };
}

export function areItems(data: unknown): data is Items {
  return typeof data === 'object' && data !== null && isItems in data;
}

const head = '{"data":[';
const tail = ']}';

/** With its quotes and its colon. */
function firstKeyOf(text: string): string | undefined {
  const begin = head.length + 1;
  return text.startsWith(`${head}{"`)
    ? text.slice(begin, text.indexOf('":', begin) + '":'.length)
    : undefined;
}
