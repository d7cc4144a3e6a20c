// The JSON schema of the config, draft 7, for editors that check JSON or YAML.
//
// It takes all that init takes. What it cannot say (paths without "..", names of users) init says at the start.
import type { Documented } from './docs-types.ts';
import type { Shape } from './docs-shape.ts';

type JsonSchema = { readonly [keyword: string]: unknown };

export function formatJsonSchema(shape: Shape): string {
  const definitions: Definitions = new Map();
  const schema = toJsonSchema(shape, definitions);
  const text = JSON.stringify(
    {
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: 'warp.config, the keys that warp-init reads',
      ...schema,
      definitions: Object.fromEntries(
        [...definitions].map(([json, name]) => [name, JSON.parse(json)]),
      ),
    },
    undefined,
    2,
  );
  return `${text}\n`;
}

/** Objects that several places lead to, as JSON: their names. */
type Definitions = Map<string, string>;

function toJsonSchema(shape: Shape, definitions: Definitions): JsonSchema {
  switch (shape.kind) {
    case 'text': {
      const pattern = shape.pattern ?? shape.checked;
      return {
        type: 'string',
        ...(!shape.mayBeEmpty && { minLength: 1 }),
        ...(pattern !== undefined && { pattern }),
      };
    }
    case 'flag':
      return { type: 'boolean' };
    case 'number':
      return {
        type: shape.min === undefined ? 'number' : 'integer',
        ...(shape.min !== undefined && { minimum: shape.min }),
        ...(shape.max !== undefined && { maximum: shape.max }),
      };
    case 'words':
      return { enum: shape.words };
    case 'literal':
      return { const: shape.value };
    case 'list':
      return { type: 'array', items: refer(shape.item, definitions) };
    case 'record':
      return { type: 'object', additionalProperties: refer(shape.value, definitions) };
    case 'object':
      return objectSchema(shape, definitions);
    case 'either':
      return { anyOf: shape.options.map((option) => refer(option, definitions)) };
  }
}

/** An object that is a form or an item of something has a place of its own: its other form is the same one in a list. */
function refer(shape: Shape, definitions: Definitions): JsonSchema {
  const schema = toJsonSchema(shape, definitions);
  if (shape.kind !== 'object') {
    return schema;
  }

  const json = JSON.stringify(schema);
  const name = definitions.get(json) ?? shape.keys.map((key) => key.name).join('-');
  definitions.set(json, name);
  return { $ref: `#/definitions/${name}` };
}

type ObjectShape = Shape & { readonly kind: 'object' };

function objectSchema({ keys, isClosed }: ObjectShape, definitions: Definitions): JsonSchema {
  const required = keys.flatMap(({ name, isRequired }) => (isRequired ? name : []));
  return {
    type: 'object',
    properties: Object.fromEntries(
      keys.map(({ name, doc, shape }) => [
        name,
        { ...annotations(doc, shape), ...toJsonSchema(shape, definitions) },
      ]),
    ),
    ...(required.length > 0 && { required }),
    ...(isClosed && { additionalProperties: false }),
  };
}

function annotations(doc: Documented, shape: Shape): JsonSchema {
  const value = parseJson(doc.default);
  const sentences = [
    doc.description,
    'expected' in shape && shape.expected !== '' ? `Expected: ${shape.expected}.` : '',
    doc.default !== undefined && value === undefined ? `Default: ${doc.default}.` : '',
  ];
  return {
    description: sentences.filter((sentence) => sentence !== '').join('\n\n'),
    ...(value !== undefined && { default: value.parsed }),
  };
}

/** Defaults that are words are for people alone. */
function parseJson(text: string | undefined): { readonly parsed: unknown } | undefined {
  try {
    return text === undefined ? undefined : { parsed: JSON.parse(text) };
  } catch {
    return undefined; // Not JSON.
  }
}
