// The body of an answer as checked data: read when it is complete or, where it is a long list, while it arrives.
import { createItemReader } from './json-items.ts';
import { parseJson, readJson } from './json.ts';
import type { ItemsParser, Parsed } from './shape.ts';

export type BodyParser<T> =
  | { readonly parse: (body: unknown) => Parsed<T> }
  /** For a list that may be long. */
  | { readonly parseItems: () => ItemsParser<T> };

/** For one answer. */
export type BodyReader<T> = {
  /** Where there is one, the answer's own body stays empty. */
  readonly onPart: ((bytes: Buffer) => void) | undefined;
  /** @returns Undefined if it is not JSON: the parser's own message would quote the text, which may be secret. */
  readonly finish: (body: Buffer) => Parsed<T> | undefined;
};

export function createBodyReader<T>(how: BodyParser<T>): BodyReader<T> {
  if ('parse' in how) {
    return { onPart: undefined, finish: (body) => readJson(() => how.parse(parseJson(body))) };
  }

  const parser = how.parseItems();
  const items = createItemReader(parser.take);
  return { onPart: items.push, finish: () => readJson(() => parser.finish(items.finish())) };
}
