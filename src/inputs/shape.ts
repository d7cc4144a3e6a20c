// Checks an answer of the form `{"data": …}` against a schema, and says what is wrong without a value.
//
// valibot copies what it checks: 10,000 containers and instances take it 87 ms, a plain walk over the same
// schema 58 (Node 20, busy machine). So the schema is walked, and valibot runs where something is wrong, to say what.
import * as v from 'valibot';

export type Parsed<T> =
  | { readonly kind: 'value'; readonly value: T }
  /** For example `data[3].state.current: expected string, received null`. */
  | { readonly kind: 'problem'; readonly problem: string };

export type Check<T> = {
  readonly schema: v.GenericSchema<T>;
  /** True only for what the schema accepts. May be false for a schema that it cannot walk. */
  readonly isMatch: (value: unknown) => value is T;
};

/** What a lazy check lets through. */
export type Checked<L> = L extends () => Check<infer T> ? T : never;

/** A check that is built when it is first asked for, not at import. The schema must not transform. */
export function lazyCheck<T>(build: () => v.GenericSchema<T>): () => Check<T> {
  let check: Check<T> | undefined;
  return () => {
    if (check === undefined) {
      const schema = build();
      const matches = matcherOf(schema);
      check = { schema, isMatch: (value): value is T => matches(value) };
    }

    return check;
  };
}

/** `{"data": {…}}` */
export function parseOne<A, T>(
  body: unknown,
  check: Check<A>,
  convert: (answer: A) => T,
): Parsed<T> {
  const data = dataOf(body);
  return check.isMatch(data)
    ? { kind: 'value', value: convert(data) }
    : explain('data', data, check);
}

/** `{"data": […]}` */
export function parseList<A, T>(
  body: unknown,
  check: Check<A>,
  convert: (answer: A) => T,
): Parsed<readonly T[]> {
  return listParser(check, convert).finish(body);
}

/** For a list whose first items are there before the rest of its answer. */
export type ItemsParser<T> = {
  readonly take: (item: unknown) => void;
  /** @param body - The answer, with the other items. */
  readonly finish: (body: unknown) => Parsed<T>;
};

export function listParser<A, T>(
  check: Check<A>,
  convert: (answer: A) => T,
): ItemsParser<readonly T[]> {
  const items: T[] = [];
  let problem: Problem | undefined;
  const take = (item: unknown): void => {
    if (problem !== undefined) {
      return;
    }

    if (check.isMatch(item)) {
      items.push(convert(item));
    } else {
      problem = explain(`data[${items.length}]`, item, check);
    }
  };

  return {
    take,
    finish: (body) => {
      const data = dataOf(body);
      if (!Array.isArray(data)) {
        return wrongType('data', 'array', data);
      }

      data.forEach(take);
      return problem ?? { kind: 'value', value: items };
    },
  };
}

export function dataOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'data' in body ? body.data : undefined;
}

type Problem = { readonly kind: 'problem'; readonly problem: string };

export function wrongType(path: string, expected: string, received: unknown): Problem {
  return {
    kind: 'problem',
    problem: `${path}: expected ${expected}, received ${typeName(received)}`,
  };
}

/** `data.name`, `data[3]`, `data["my secret"]`. */
export function fieldPath(path: string, key: unknown): string {
  if (typeof key === 'number') {
    return `${path}[${key}]`;
  }

  const name = String(key);
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;
}

type Matcher = (value: unknown) => boolean;

function matcherOf(schema: object): Matcher {
  if ('wrapped' in schema && isObject(schema.wrapped)) {
    const matches = matcherOf(schema.wrapped); // Nullish is the only wrapper that we use.
    return (value) => value === undefined || value === null || matches(value);
  }

  if ('entries' in schema && isObject(schema.entries)) {
    return objectMatcher(schema.entries);
  }

  if ('item' in schema && isObject(schema.item)) {
    const matches = matcherOf(schema.item);
    return (value) => Array.isArray(value) && value.every((item) => matches(item));
  }

  const typeWord = 'type' in schema ? schema.type : undefined;
  return (value) => typeof value === typeWord;
}

function objectMatcher(entries: object): Matcher {
  const matchers = Object.entries(entries).map(
    ([key, entry]: [string, object]) => [key, matcherOf(entry)] as const,
  );
  return (value) => {
    if (!isObject(value)) {
      return false;
    }

    for (const [key, matches] of matchers) {
      if (!matches(value[key])) {
        return false;
      }
    }

    return true;
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function explain<A>(root: string, value: unknown, { schema }: Check<A>): Problem {
  const [issue] = v.safeParse(schema, value, { abortEarly: true }).issues ?? [];
  let path = root;
  for (const { key } of issue?.path ?? []) {
    path = fieldPath(path, key);
  }

  // For a missing key valibot expects the key, in quotes, instead of a type.
  const expected = (issue?.expected ?? 'something else').toLowerCase();
  return expected.startsWith('"')
    ? { kind: 'problem', problem: `${path} is missing` }
    : wrongType(path, expected, issue?.input);
}

function typeName(value: unknown): string {
  if (value === null) {
    return 'null';
  }

  return Array.isArray(value) ? 'array' : typeof value;
}
