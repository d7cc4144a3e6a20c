// What valibot lacks for a file written by hand: every unknown key is an issue, and keys of maps are data.
//
// valibot's strictObject reports the first unknown key only, and its record drops keys such as `constructor`,
// which is a fine name for a service.
import * as v from 'valibot';

/** One entry of a map of the file; `key` is undefined in a list. */
export type Entry<Value> = { readonly key: string | undefined; readonly value: Value };

type Output<Entries extends v.ObjectEntries> = v.InferOutput<v.ObjectSchema<Entries, string>>;

/** An object with these keys and no other. */
export function closed<const Entries extends v.ObjectEntries>(
  entries: Entries,
): v.GenericSchema<unknown, Output<Entries>> {
  const known = Object.keys(entries);
  const fields = v.object(entries, 'a value here');
  return v.pipe(
    objectOf(`an object with ${known.join(', ')}`),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const result = v.safeParse(fields, dataset.value);
      for (const issue of result.issues ?? []) addIssue(copyOf(issue));
      for (const key of Object.keys(dataset.value).filter((one) => !known.includes(one))) {
        addIssue({
          message: `one of the keys ${known.join(', ')}`,
          received: 'this key',
          path: [pathItem(dataset.value, key)],
        });
      }
      return result.success ? result.output : NEVER;
    }),
  );
}

/** A map as the list of its entries, in its order. `expected` says in words what it is. */
export function entriesOf<Value>(
  schema: v.GenericSchema<unknown, Value>,
  expected: string,
): v.GenericSchema<unknown, (Entry<Value> & { readonly key: string })[]> {
  return v.pipe(
    objectOf(expected),
    v.rawTransform(({ dataset, addIssue }) =>
      Object.entries(dataset.value).flatMap(([key, value]) => {
        const result = v.safeParse(schema, value);
        if (result.success) return [{ key, value: result.output }];
        for (const issue of result.issues) addIssue(copyOf(issue, pathItem(dataset.value, key)));
        return [];
      }),
    ),
  );
}

export function oneOf<const Words extends readonly string[]>(words: Words) {
  return v.picklist(words, `one of ${words.join(', ')}`);
}

function objectOf(expected: string) {
  return v.custom<Record<string, unknown>>(
    (input) => typeof input === 'object' && input !== null && !Array.isArray(input),
    expected,
  );
}

function copyOf(issue: v.BaseIssue<unknown>, ...before: v.IssuePathItem[]) {
  const [first, ...rest] = [...before, ...(issue.path ?? [])];
  return {
    input: issue.input,
    received: issue.received,
    message: issue.message,
    ...(first && { path: [first, ...rest] satisfies [v.IssuePathItem, ...v.IssuePathItem[]] }),
  };
}

function pathItem(input: Record<string, unknown>, key: string): v.IssuePathItem {
  return { type: 'object', origin: 'value', input, key, value: input[key] };
}
