// What `warp.config.js` may hold: the keys and rules of the valibot schema that init itself checks with, and what the
// types of src/core/warp-config.ts say about each of them. The reference and the JSON schema are made of it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as v from 'valibot';

import { configSchema } from '../core/config-schema.ts';
import { patternBy } from './docs-patterns.ts';
import { type Documented, readTypes } from './docs-types.ts';

export type Shape =
  | { readonly kind: 'text'; readonly expected: string; readonly mayBeEmpty: boolean; readonly pattern: string | undefined; readonly checked: string | undefined } // prettier-ignore
  | { readonly kind: 'flag' }
  | { readonly kind: 'number'; readonly expected: string; readonly min: number | undefined; readonly max: number | undefined } // prettier-ignore
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'list'; readonly item: Shape }
  | { readonly kind: 'object'; readonly isClosed: boolean; readonly keys: readonly Key[] }
  | { readonly kind: 'record'; readonly value: Shape }
  | { readonly kind: 'either'; readonly expected: string; readonly options: readonly Shape[] };

export type Key = {
  readonly name: string;
  readonly isRequired: boolean;
  readonly doc: Documented;
  readonly shape: Shape;
};

const typesPath = join(import.meta.dirname, '..', 'core', 'warp-config.ts');

/** @throws {Error} where a key is in the schema alone, or nothing says what it means. */
export function readConfigShape(): Shape {
  const doc = readTypes(readFileSync(typesPath, 'utf8'), 'WarpConfig');
  return shapeOf(configSchema(), doc, []);
}

/** The parts of valibot's schemas that are looked at. Which of them there are says `type`. */
type Schema = {
  readonly kind: string;
  readonly type: string;
  readonly message?: unknown;
  readonly pipe?: readonly Schema[];
  readonly wrapped?: Schema;
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly options?: readonly (Schema | string)[];
  readonly item?: Schema;
  readonly value?: Schema;
  readonly literal?: unknown;
  readonly requirement?: unknown;
  readonly getter?: (input: unknown) => Schema;
};

function toGeneric(schema: Schema): v.GenericSchema {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- What is walked are valibot's schemas.
  return schema as unknown as v.GenericSchema;
}

type Path = readonly string[];

function shapeOf(schema: Schema, doc: Documented, path: Path): Shape {
  const core = coreOf(schema);
  switch (core.type) {
    case 'optional':
      return shapeOf(core.wrapped ?? unknownSchema(core, path), doc, path);
    case 'string':
      return {
        kind: 'text',
        expected: messagesOf(schema).at(-1) ?? 'text',
        mayBeEmpty: accepts(schema, ''),
        pattern: doc.pattern,
        checked: patternBy((text) => accepts(schema, text)),
      };
    case 'boolean':
      return { kind: 'flag' };
    case 'number':
      return {
        kind: 'number',
        expected: messagesOf(schema).at(-1) ?? 'a number',
        min: requirementOf(schema, 'min_value'),
        max: requirementOf(schema, 'max_value'),
      };
    case 'picklist':
      return { kind: 'words', words: (core.options ?? []).map(String) };
    case 'literal':
      return { kind: 'literal', value: core.literal };
    case 'array':
      return { kind: 'list', item: shapeOf(core.item ?? unknownSchema(core, path), doc, path) };
    case 'record':
      return {
        kind: 'record',
        value: shapeOf(core.value ?? unknownSchema(core, path), doc.values ?? doc, path),
      };
    case 'loose_object':
    case 'strict_object':
      return objectShape(schema, doc, path);
    case 'union':
      return eitherOf(schema, core.options ?? [], { doc, path });
    case 'lazy':
      return eitherOf(schema, possibleSchemas(core), { doc, path });
    default:
      return unknownSchema(core, path);
  }
}

function objectShape(schema: Schema, doc: Documented, path: Path): Shape {
  const { entries = {} } = coreOf(schema);
  // In the order of the types, which people read.
  const order = [...doc.properties.keys()];
  return {
    kind: 'object',
    isClosed: !accepts(schema, { 'no such key': 0 }, 'no such key'),
    keys: Object.entries(entries)
      .toSorted(([a], [b]) => order.indexOf(a) - order.indexOf(b))
      .map(([name, entry]) => keyOf(name, entry, { doc, path })),
  };
}

type Context = { readonly doc: Documented; readonly path: Path };

function keyOf(name: string, schema: Schema, { doc, path }: Context): Key {
  const own = doc.properties.get(name);
  const place = [...path, name];
  if (own === undefined) {
    throw new Error(`Cannot document ${place.join('.')}: src/core/warp-config.ts has no such key`);
  }

  return {
    name,
    isRequired: schema.type !== 'optional',
    doc: own,
    shape: shapeOf(schema, own, place),
  };
}

function eitherOf(
  schema: Schema,
  options: readonly (Schema | string)[],
  { doc, path }: Context,
): Shape {
  const shapes = options.flatMap((option) =>
    typeof option === 'string' ? [] : [shapeOf(option, doc, path)],
  );
  const different = [...new Map(shapes.map((shape) => [JSON.stringify(shape), shape])).values()];
  const [only] = different;
  return different.length === 1 && only !== undefined
    ? only
    : { kind: 'either', expected: messagesOf(schema).at(-1) ?? '', options: different };
}

/** Of a pipe the last schema: what stands before it only looks, and what comes after it are checks. */
function coreOf(schema: Schema): Schema {
  const last = schema.pipe?.findLast(({ kind }) => kind === 'schema');
  return last === undefined ? schema : coreOf(last);
}

/** A lazy schema depends on what comes: one of each kind is shown to it. */
function possibleSchemas(schema: Schema): Schema[] {
  return ['', 0, true, {}, []].flatMap((input) => schema.getter?.(input) ?? []);
}

function unknownSchema({ type }: Schema, path: Path): never {
  throw new Error(`Cannot document ${path.join('.')}: valibot's "${type}" is not known here`);
}

/** What the schema and its checks expect, in words; a message that is a function has none that fits all. */
function messagesOf(schema: Schema): string[] {
  return [schema, ...(schema.pipe ?? [])].flatMap(({ message }) =>
    typeof message === 'string' ? [message] : [],
  );
}

function requirementOf(schema: Schema, type: string): number | undefined {
  const requirement = schema.pipe?.find((it) => it.type === type)?.requirement;
  return typeof requirement === 'number' ? requirement : undefined;
}

/** @param key - Only a problem at this key counts. */
function accepts(schema: Schema, input: unknown, key?: string): boolean {
  const { issues = [] } = v.safeParse(toGeneric(schema), input);
  return key === undefined
    ? issues.length === 0
    : !issues.some(({ path }) => path?.at(-1)?.key === key);
}
