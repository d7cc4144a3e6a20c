// Reads an answer of the form `{"data": …}`: of some shape, or what is wrong with it.
import { type Fault, type Shape, noFault } from './json-shape.ts';

export type Parsed<T> =
  | { readonly kind: 'value'; readonly value: T }
  /** For example `data[3].state.current: expected string, received null`. */
  | { readonly kind: 'problem'; readonly problem: string };

/** `{"data": {…}}` */
export function parseOne<A, T>(
  body: unknown,
  shape: Shape<A>,
  convert: (answer: A) => T,
): Parsed<T> {
  const data = dataOf(body);
  const fault = noFault();
  return shape(data, fault) ? { kind: 'value', value: convert(data) } : explain(fault, 'data');
}

/** `{"data": […]}` */
export function parseList<A, T>(
  body: unknown,
  shape: Shape<A>,
  convert: (answer: A) => T,
): Parsed<readonly T[]> {
  return listParser(shape, convert).finish(body);
}

/** For a list whose first items are there before the rest of its answer. */
export type ItemsParser<T> = {
  readonly take: (item: unknown) => void;
  /** @param body - The answer, with the other items. */
  readonly finish: (body: unknown) => Parsed<T>;
};

export function listParser<A, T>(
  shape: Shape<A>,
  convert: (answer: A) => T,
): ItemsParser<readonly T[]> {
  const items: T[] = [];
  const fault = noFault();
  let problem: Problem | undefined;
  const take = (item: unknown): void => {
    if (problem !== undefined) {
      return;
    }

    if (shape(item, fault)) {
      items.push(convert(item));
    } else {
      problem = explain(fault, `data[${items.length}]`);
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
export function fieldPath(path: string, key: string | number): string {
  if (typeof key === 'number') {
    return `${path}[${key}]`;
  }

  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

function explain({ path, expected, received }: Fault, root: string): Problem {
  const place = path.reduce(fieldPath, root);
  return expected === undefined
    ? { kind: 'problem', problem: `${place} is missing` }
    : wrongType(place, expected, received);
}

function typeName(value: unknown): string {
  if (value === null) {
    return 'null';
  }

  return Array.isArray(value) ? 'array' : typeof value;
}
