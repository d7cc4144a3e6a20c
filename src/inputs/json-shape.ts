// The shape of parsed JSON: checked by a walk that copies nothing, and says what is wrong without a value.
//
// For the answers that a start waits for. valibot, which checks a config, would cost a start 12 kB of code, and its copies of
// 10,000 containers and instances 29 ms (Node 20).

/** @param fault - Filled in where the value is of another shape. */
export type Shape<T> = (value: unknown, fault: Fault) => value is T;

export type ShapeOf<S> = S extends Shape<infer T> ? T : never;

export type Fault = {
  /** Keys and indexes that lead to what is wrong. */
  readonly path: (string | number)[];
  /** A word for its type; undefined where it is missing. */
  expected: string | undefined;
  received: unknown;
};

export function noFault(): Fault {
  return { path: [], expected: undefined, received: undefined };
}

export const text: Shape<string> = (value, fault): value is string =>
  typeof value === 'string' || blame(fault, 'string', value);

export const flag: Shape<boolean> = (value, fault): value is boolean =>
  typeof value === 'boolean' || blame(fault, 'boolean', value);

/** Null, or not there. */
export function perhaps<T>(shape: Shape<T>): Shape<T | null | undefined> {
  return (value, fault): value is T | null | undefined =>
    value === undefined || value === null || shape(value, fault);
}

export function listOf<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value, fault): value is readonly T[] =>
    Array.isArray(value)
      ? value.every((item, index) => shape(item, fault) || locate(fault, index, value))
      : blame(fault, 'array', value);
}

/** Other keys may be there. */
export function object<T extends object>(shapes: {
  readonly [key in keyof T]: Shape<T[key]>;
}): Shape<T> {
  const keys = Object.keys(shapes);
  const values = Object.values<Shape<unknown>>(shapes);
  return (value, fault): value is T => {
    if (!isObject(value)) {
      return blame(fault, 'object', value);
    }

    // By index: iterators and closures would be the most of the garbage that a start leaves, and take 10,000 instances 15 ms.
    for (let index = 0; index < keys.length; index += 1) {
      const key = keys[index]!;
      if (!values[index]!(value[key], fault)) {
        return locate(fault, key, value);
      }
    }

    return true;
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function blame(fault: Fault, expected: string, received: unknown): false {
  fault.expected = expected;
  fault.received = received;
  return false;
}

function locate(fault: Fault, key: string | number, parent: object): false {
  fault.path.unshift(key);
  fault.expected = key in parent ? fault.expected : undefined;
  return false;
}
