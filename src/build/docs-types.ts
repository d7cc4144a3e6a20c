// The types of src/core/warp-config.ts with their doc comments, resolved into one tree.
//
// Unions, intersections, arrays and names of types are seen through: a key has the properties of all that it may be.
import { type Comment, type Program, type TSSignature, type TSType, parseSync } from 'oxc-parser';

export type Documented = {
  /** Of the key, else of its type. */
  readonly description: string;
  /** What `@default` says, as it is written. */
  readonly default: string | undefined;
  /** What a template literal type takes, as a regular expression. */
  readonly pattern: string | undefined;
  readonly properties: ReadonlyMap<string, Documented>;
  /** Of a Record: what its values are. */
  readonly values: Documented | undefined;
};

/** @throws {Error} where `source` does not parse, or has no type of that name. */
export function readTypes(source: string, typeName: string): Documented {
  const { program, comments, errors } = parseSync('warp-config.ts', source);
  if (errors[0] !== undefined) {
    throw new Error(`Cannot parse the types: ${errors[0].message}`);
  }

  const docAt = docComments(source, comments);
  const types = { declared: declarationsOf(program, docAt), docAt };
  const root = types.declared.get(typeName);
  if (root === undefined) {
    throw new Error(`Cannot document ${typeName}: there is no such type`);
  }

  return describe(root.type, root.doc, types);
}

type Doc = { readonly text: string; readonly default: string | undefined };
type DocAt = (nodeStart: number) => Doc;
type Declared = ReadonlyMap<string, { readonly type: TSType; readonly doc: Doc }>;
type Types = { readonly declared: Declared; readonly docAt: DocAt };

const noDoc: Doc = { text: '', default: undefined };

/** The comment that ends right before a node. */
function docComments(source: string, comments: readonly Comment[]): DocAt {
  const docs = comments.filter(({ type, value }) => type === 'Block' && value.startsWith('*'));
  return (nodeStart) => {
    const comment = docs.find(
      ({ start, end }) => start < nodeStart && source.slice(end, nodeStart).trim() === '',
    );
    return comment === undefined ? noDoc : parseDoc(comment.value);
  };
}

function parseDoc(comment: string): Doc {
  const text = comment
    .split('\n')
    .map((line) => line.replace(/^\s*\*+\s?/, '').trim())
    .join(' ')
    .trim();
  const [description = '', fallback] = text.split('@default').map((part) => part.trim());
  return { text: description, default: fallback };
}

function declarationsOf(program: Program, docAt: DocAt): Declared {
  return new Map(
    program.body.flatMap((statement) =>
      statement.type === 'ExportNamedDeclaration' &&
      statement.declaration?.type === 'TSTypeAliasDeclaration'
        ? [
            [
              statement.declaration.id.name,
              { type: statement.declaration.typeAnnotation, doc: docAt(statement.start) },
            ] as const,
          ]
        : [],
    ),
  );
}

function describe(type: TSType, doc: Doc, types: Types): Documented {
  const parts = partsOf(type, types);
  return {
    description: doc.text === '' ? (nameOf(type, types)?.doc.text ?? '') : doc.text,
    default: doc.default,
    pattern: patternOf(parts),
    properties: new Map(parts.flatMap((part) => propertiesOf(part, types))),
    values: parts.flatMap((part) => valuesOf(part, types))[0],
  };
}

/** All that a value may be: no union, no array and no name of ours is left. */
function partsOf(type: TSType, types: Types): TSType[] {
  if (type.type === 'TSUnionType' || type.type === 'TSIntersectionType') {
    return type.types.flatMap((part) => partsOf(part, types));
  }

  if (type.type === 'TSArrayType' || type.type === 'TSParenthesizedType') {
    return partsOf(type.type === 'TSArrayType' ? type.elementType : type.typeAnnotation, types);
  }

  const named = nameOf(type, types);
  return named === undefined ? [type] : partsOf(named.type, types);
}

function nameOf(type: TSType, types: Types) {
  return type.type === 'TSTypeReference' && type.typeName.type === 'Identifier'
    ? types.declared.get(type.typeName.name)
    : undefined;
}

function propertiesOf(type: TSType, types: Types): [string, Documented][] {
  if (type.type === 'TSTypeLiteral') {
    return type.members.flatMap((member) => propertyOf(member, types));
  }

  if (type.type !== 'TSMappedType' || type.typeAnnotation === null) {
    return [];
  }

  const value = describe(type.typeAnnotation, noDoc, types);
  return partsOf(type.constraint, types).flatMap((part) =>
    part.type === 'TSLiteralType' && part.literal.type === 'Literal'
      ? [[String(part.literal.value), value] as [string, Documented]]
      : [],
  );
}

function propertyOf(member: TSSignature, types: Types): [string, Documented][] {
  const type = member.type === 'TSPropertySignature' ? member.typeAnnotation : null;
  if (member.type !== 'TSPropertySignature' || member.key.type !== 'Identifier' || type === null) {
    return [];
  }
  return [[member.key.name, describe(type.typeAnnotation, types.docAt(member.start), types)]];
}

function valuesOf(type: TSType, types: Types): Documented[] {
  const value =
    type.type === 'TSTypeReference' &&
    type.typeName.type === 'Identifier' &&
    type.typeName.name === 'Record'
      ? type.typeArguments?.params[1]
      : undefined;
  return value === undefined ? [] : [describe(value, noDoc, types)];
}

/** `${number}ms` | `${number}s`: only where all that it may be is such a template. */
function patternOf(parts: readonly TSType[]): string | undefined {
  const patterns = parts.flatMap((part) =>
    part.type === 'TSTemplateLiteralType'
      ? part.quasis.map(({ value }) => value.raw).join(String.raw`\d+(?:\.\d+)?`)
      : [],
  );
  return patterns.length === 0 || patterns.length < parts.length
    ? undefined
    : `^(?:${patterns.join('|')})$`;
}
