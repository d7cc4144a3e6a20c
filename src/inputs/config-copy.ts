// What a config gives, as plain data. Its code (a getter, a proxy) runs while it is copied, within the deadline of the
// config, and never afterwards.

/** Of the keys that init has no use for not even a getter is called. */
const keysOfInit = ['args', 'variables', 'deployment', 'ist', 'init'];

/** What is no object is given back: the caller refuses it. */
export function copyConfig(value: unknown): unknown {
  if (!isObject(value) || Array.isArray(value)) {
    return value;
  }

  const copies: Copies = new Map();
  return Object.fromEntries(
    keysOfInit.flatMap((key) => {
      const item: unknown = Reflect.get(value, key);
      return item === undefined ? [] : [[key, copy(item, copies)]];
    }),
  );
}

/** What was copied before: a config may contain itself. */
type Copies = Map<object, unknown>;

function copy(value: unknown, copies: Copies): unknown {
  if (!isObject(value)) {
    return value;
  }

  return (
    copies.get(value) ??
    (Array.isArray(value) ? copyList(value, copies) : copyFields(value, copies))
  );
}

function copyList(list: readonly unknown[], copies: Copies): readonly unknown[] {
  const items: unknown[] = [];
  copies.set(list, items);
  for (let index = 0; index < list.length; index += 1) {
    items.push(copy(list[index], copies));
  }

  return items;
}

function copyFields(object: object, copies: Copies): object {
  const fields = {};
  copies.set(object, fields);
  for (const key of keysOf(object)) {
    const value = copy(Reflect.get(object, key), copies);
    // Not by an assignment, which `__proto__` is deaf to.
    Object.defineProperty(fields, key, { value, enumerable: true, writable: true });
  }

  return fields;
}

/** Its own, and the getters of its class. */
function keysOf(object: object): ReadonlySet<string> {
  const keys = new Set(Object.keys(object));
  let prototype: unknown = Object.getPrototypeOf(object);
  while (isObject(prototype) && prototype !== Object.prototype) {
    for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (descriptor.get !== undefined) {
        keys.add(key);
      }
    }

    prototype = Object.getPrototypeOf(prototype);
  }

  return keys;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
