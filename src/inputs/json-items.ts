// Reads `{"data":[{…},{…}]}` item by item while it arrives: what is not needed of one is garbage before the next is read.
//
// 10,000 services are 16 MB of JSON. Held as bytes, then as text, then as objects until the last one is checked, they are
// 50 MB, and moving those about takes as long as reading them.
import { StringDecoder } from 'node:string_decoder';

import { readJson } from './json.ts';

export type ItemReader = {
  /** Keeps nothing of `bytes` itself. */
  readonly push: (bytes: Buffer) => void;
  /**
   * The answer as JSON.parse gives it, but for `data`: that has only the items that were not taken before.
   *
   * @throws {SyntaxError} it is no JSON. The items that were taken are worth nothing then.
   */
  readonly finish: () => unknown;
};

type Reading = {
  readonly decoder: StringDecoder;
  readonly take: (item: unknown) => void;
  /** What has come and was not taken. */
  text: string;
  /** How long that was when it was last looked through. */
  seenLength: number;
  /** What stood before it and is needed to read the rest. */
  head: string;
  /** Ends where the text turns out to have another form than Go gives a list: then it is read as a whole at its end. */
  state: 'head' | 'items' | 'rest';
  /** Between two items; inside of one only where that has a list of objects that begin as it does. */
  between: string;
};

/**
 * What was taken is right if the rest is JSON: the first text after `[` that JSON.parse takes as an object is the first item,
 * whatever follows. Only of an answer with two `data`, which JSON gives no meaning, items of both can be among them.
 *
 * @param take - Is given the items in their order; must not throw.
 */
export function createItemReader(take: (item: unknown) => void): ItemReader {
  const decoder = new StringDecoder('utf8');
  const reading: Reading = {
    decoder,
    take,
    text: '',
    seenLength: 0,
    head: '',
    state: 'head',
    between: '',
  };

  return {
    push: (bytes) => {
      reading.text += decoder.write(bytes);
      if (reading.state === 'head') {
        readHead(reading);
      }

      if (reading.state === 'items') {
        takeItems(reading);
      }
    },
    finish: () => JSON.parse(reading.head + reading.text + decoder.end()),
  };
}

const listHead = '{"data":[';

/** What is longer is not read while it grows: it would be looked through again with each of its parts. */
const longestKey = 100;
const longestItem = 2 ** 20;

/** How much longer what was not taken gets before it is looked through again: parts may be of one byte. */
const growth = 1.5;

/** Lists of objects inside of an item that begin as it does: with more of them each item would be read many times. */
const mostFailures = 8;

function readHead(reading: Reading): void {
  const { text } = reading;
  const begin = listHead.length + 1;
  const keyEnd = text.indexOf('":', begin);
  const isTorn = keyEnd === -1 && text.length < begin + longestKey;
  if (isTorn) {
    return;
  }

  if (keyEnd === -1 || !text.startsWith(`${listHead}{"`)) {
    reading.state = 'rest';
    return;
  }

  reading.state = 'items';
  reading.between = `},{${text.slice(begin, keyEnd)}":`;
  reading.head = listHead;
  reading.text = text.slice(listHead.length);
}

function takeItems(reading: Reading): void {
  const { text, between, take } = reading;
  if (text.length < reading.seenLength * growth) {
    return;
  }

  let begin = 0;
  let failures = 0;
  let end = text.indexOf(between);
  while (end !== -1 && failures < mostFailures) {
    const piece = text.slice(begin, end + 1);
    const item = readJson<unknown>(() => JSON.parse(piece));
    if (item === undefined) {
      failures += 1;
    } else {
      take(item);
      begin = end + '},'.length;
      failures = 0;
    }

    end = text.indexOf(between, end + 1);
  }

  reading.text = text.slice(begin);
  reading.seenLength = reading.text.length;
  if (failures === mostFailures || reading.text.length > longestItem) {
    reading.state = 'rest';
  }
}
