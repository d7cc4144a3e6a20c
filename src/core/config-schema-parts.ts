// What the schemas of `warp.config.js` are made of.
//
// The message of each is what it expects, in words; a second line, where there is one, is a suggestion
// (core/config-problems.ts reads both).
import * as v from 'valibot';
import { oneOf, refuseWord } from './suggest.ts';
import type { Parsed } from './suggest.ts';

/** An object that has these keys and no others. valibot's own strictObject stops at the first unknown key. */
export function closed<const Entries extends v.ObjectEntries>(entries: Entries) {
  const known = Object.keys(entries);

  return v.pipe(
    anObject(),
    v.looseObject(entries, 'a value'),
    v.rawCheck(({ dataset, addIssue }) => {
      const input = isObject(dataset.value) ? dataset.value : {};
      for (const [key, value] of Object.entries(input)) {
        if (!known.includes(key)) {
          const message = messageOf(refuseWord(key, known));
          addIssue({ message, path: [{ type: 'object', origin: 'key', input, key, value }] });
        }
      }
    }),
  );
}

/** Either shape is checked by itself, so that a problem's path is that of what was written. */
export function oneOrMany<Item extends v.GenericSchema>(item: Item) {
  const items = v.array(item);
  return v.lazy((input) => (Array.isArray(input) ? items : item));
}

/** Text that `parse` accepts. It stays text: core/settings.ts parses what the command line gives, too. */
export function parsed<T>(parse: (text: string) => Parsed<T>) {
  const refusal = parse('');
  return v.pipe(
    v.string(refusal.ok ? 'text' : refusal.expected),
    v.rawCheck(({ dataset, addIssue }) => {
      const result = dataset.typed ? parse(dataset.value) : undefined;

      if (result?.ok === false) {
        addIssue({ message: messageOf(result) });
      }
    }),
  );
}

/** Text or a number that `parse` accepts; it stays what it is. */
export function parsedNumber<T>(parse: (value: string | number) => Parsed<T>) {
  const refusal = parse('');
  return v.pipe(
    v.union([v.string(), v.number()], refusal.ok ? 'text or a number' : refusal.expected),
    v.rawCheck(({ dataset, addIssue }) => {
      const result = dataset.typed ? parse(dataset.value) : undefined;

      if (result?.ok === false) {
        addIssue({ message: messageOf(result) });
      }
    }),
  );
}

export function word<const Words extends readonly string[]>(words: Words) {
  return v.picklist(words, ({ input }) =>
    typeof input === 'string' ? messageOf(refuseWord(input, words)) : oneOf(words),
  );
}

export function anObject(words = 'an object') {
  return v.custom<Record<string, unknown>>(isObject, words);
}

export function flag() {
  return v.boolean('true or false');
}

/** Text that C can read to its end. */
export function textWithoutNul(words = 'text without NUL', otherwise = 'text') {
  return v.pipe(
    v.string(otherwise),
    v.check((value) => !value.includes('\0'), words),
  );
}

function messageOf(refusal: Parsed<never>): string {
  return refusal.ok ? '' : [refusal.expected, refusal.suggestion ?? []].flat().join('\n');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
