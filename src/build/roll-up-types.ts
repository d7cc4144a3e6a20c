// One declaration file of the many that tsc writes: what a module exports, and what that needs of others.
//
// Made for our own sources: named imports and exports, no namespaces, no name twice. Anything else ends the build.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { type ExportNamedDeclaration, type Statement, parseSync } from 'oxc-parser';

type Place = { readonly file: string; readonly name: string };

type Module = {
  /** By name; several statements where a function is overloaded. */
  readonly declared: Map<string, Declared>;
  /** What other names are in other modules, imported or exported from there. */
  readonly foreign: Map<string, Place>;
  readonly exported: { readonly name: string; readonly isType: boolean }[];
};

type Declared = { readonly text: string; readonly uses: readonly string[] };

/**
 * @param entry - Path of a `.d.ts` file.
 * @throws {Error} what it exports cannot be found, or two things have one name.
 */
export function rollUpTypes(entry: string): string {
  const modules = new Map<string, Module>();
  const moduleOf = (file: string): Module => {
    const known = modules.get(file) ?? readModule(file);
    modules.set(file, known);
    return known;
  };
  const { exported } = moduleOf(entry);
  const found = new Map<string, Place & Declared>();
  const queue = exported.map(({ name }): Place => ({ file: entry, name }));

  for (const { file, name } of queue) {
    const place = homeOf(moduleOf, { file, name });
    const before = found.get(place.name);
    if (before !== undefined && before.file !== place.file) {
      throw new Error(`Two types are called ${name}: one of ${before.file}, one of ${place.file}`);
    }

    const module = moduleOf(place.file);
    const declared = module.declared.get(place.name);
    if (before === undefined && declared !== undefined) {
      found.set(place.name, { ...place, ...declared });
      const known = declared.uses.filter((it) => module.declared.has(it) || module.foreign.has(it));
      queue.push(...known.map((it) => ({ file: place.file, name: it })));
    }
  }

  const texts = [...found.values()].map(({ text }) => text);
  const names = exported.map(({ name, isType }) => (isType ? `type ${name}` : name));
  return `${texts.join('\n\n')}\n\nexport { ${names.join(', ')} };\n`;
}

function homeOf(moduleOf: (file: string) => Module, place: Place): Place {
  const { declared, foreign } = moduleOf(place.file);
  if (declared.has(place.name)) {
    return place;
  }

  const next = foreign.get(place.name);
  if (next === undefined) {
    throw new Error(`Cannot find the type ${place.name} of ${place.file}`);
  }

  return homeOf(moduleOf, next);
}

function readModule(file: string): Module {
  const source = readFileSync(file, 'utf8');
  const { program, comments } = parseSync(file, source);
  const module: Module = { declared: new Map(), foreign: new Map(), exported: [] };
  for (const statement of program.body) {
    const doc = comments.find(
      ({ start, end, value }) =>
        value.startsWith('*') &&
        start < statement.start &&
        source.slice(end, statement.start).trim() === '',
    );
    const text = source.slice(doc?.start ?? statement.start, statement.end);
    addStatement(module, statement, { file, text });
  }

  return module;
}

type Written = { readonly file: string; readonly text: string };

function addStatement(module: Module, statement: Statement, written: Written): void {
  if (statement.type === 'ImportDeclaration') {
    for (const { local } of statement.specifiers) {
      addForeign(module, local.name, { ...written, source: statement.source.value });
    }
  } else if (statement.type === 'ExportNamedDeclaration') {
    addExport(module, statement, written);
  } else {
    addDeclared(module, nameOf(statement), { statement, ...written });
  }
}

function addExport(module: Module, statement: ExportNamedDeclaration, written: Written): void {
  const { declaration, specifiers, source, exportKind } = statement;
  if (declaration !== null) {
    const name = nameOf(declaration);
    const isType = declaration.type === 'TSTypeAliasDeclaration';
    if (!module.declared.has(name)) module.exported.push({ name, isType });
    addDeclared(module, name, { statement, ...written });
  }

  for (const { exported, exportKind: kind } of specifiers) {
    const name = exported.type === 'Literal' ? exported.value : exported.name;
    module.exported.push({ name, isType: kind === 'type' || exportKind === 'type' });
    if (source !== null) addForeign(module, name, { ...written, source: source.value });
  }
}

type From = { readonly file: string; readonly source: string };

/** Of a package nothing can be in a file that stands alone; it fails where it is looked for. */
function addForeign(module: Module, name: string, { file, source }: From): void {
  if (source.startsWith('.')) {
    const target = join(dirname(file), source.replace(/\.ts$/, '.d.ts'));
    module.foreign.set(name, { file: target, name });
  }
}

type Declaration = { readonly statement: Statement; readonly text: string };

function addDeclared(module: Module, name: string, { statement, text }: Declaration): void {
  const before = module.declared.get(name);
  // Exported are those that the last line names.
  const bare = text.replace(/^((?:\/\*\*[\s\S]*?\*\/\s*)?)export /, '$1');
  module.declared.set(name, {
    text: before === undefined ? bare : `${before.text}\n${bare}`,
    uses: [...(before?.uses ?? []), ...namesIn(statement)],
  });
}

function nameOf(node: object | null): string {
  const id = propertyOf(node, 'id') ?? propertyOf(propertyOf(node, 'declarations'), 0);
  const name = propertyOf(id, 'name') ?? propertyOf(propertyOf(id, 'id'), 'name');
  return typeof name === 'string' ? name : '';
}

/** Every identifier but the names of properties. */
function namesIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) {
    return [];
  }

  const isPlainKey = 'key' in node && propertyOf(node, 'computed') === false;
  const name = propertyOf(node, 'type') === 'Identifier' ? propertyOf(node, 'name') : undefined;
  const inside = Object.entries(node).flatMap(([key, value]) =>
    key === 'key' && isPlainKey ? [] : namesIn(value),
  );
  return typeof name === 'string' ? [name, ...inside] : inside;
}

function propertyOf(node: unknown, key: string | number): unknown {
  return typeof node === 'object' && node !== null
    ? Object.entries(node).find(([name]) => name === String(key))?.[1]
    : undefined;
}
