// Chunks of esbuild to units of the bundle: what is loaded together is one function, in which names are linked already.
//
// esbuild makes a chunk of every set of entry points that share a file, some 60. Each as a module of its own would carry the
// same 500 bytes of helpers, and reach each name of another through a property.
import { type Metafile, type Plugin, build } from 'esbuild';

export type Chunk = {
  readonly name: string;
  /** An ES module. */
  readonly code: string;
  readonly exports: readonly string[];
  /** The files that it is made of. */
  readonly files: readonly string[];
  /** Names of the chunks that it needs at once. */
  readonly needs: readonly string[];
};

export type Unit = {
  /** The requests by which its chunks are known; by the first of them, so is the unit. */
  readonly requests: readonly string[];
  /** The body of a function: chunk-loader.cjs has its parameters. */
  readonly code: string;
};

/** Names are long, and stand in each import: what the bundle asks for is a number. */
type Requests = ReadonlyMap<string, string>;

export function chunkOf(
  name: string,
  code: string,
  { exports, imports, inputs }: Pick<Metafile['outputs'][string], 'exports' | 'imports' | 'inputs'>,
): Chunk {
  const needs = imports
    .filter(({ kind, external }) => kind === 'import-statement' && external !== true)
    .map(({ path }) => path.replace(/^.*\//, ''));
  return { name, code, exports, files: Object.keys(inputs), needs };
}

/**
 * What main.js needs at once is the first unit, what a start needs while its requests travel is the second. Each other chunk is
 * a unit of its own. The first request of the first unit is main.js.
 */
export function linkUnits(chunks: readonly Chunk[], target: string): Promise<Unit[]> {
  const start = closureOf(chunks, 'main.js');
  const run = closureOf(chunks, chunks.find(({ name }) => name.startsWith('run-'))?.name ?? '');
  refuseLate([...start, ...run]);
  const together = new Set([...start, ...run]);
  const units: (readonly Chunk[])[] = [
    start,
    run.filter((chunk) => !start.includes(chunk)),
    ...chunks.filter((chunk) => !together.has(chunk)).map((chunk) => [chunk]),
  ];
  const requests = new Map(chunks.map(({ name }, index) => [`./${name}`, `./${index}`]));
  return Promise.all(
    units.map(async (members) => ({
      requests: members.map((member) => requestFor(member, requests)),
      code: await linkUnit(members, { requests, target }),
    })),
  );
}

/** What a start has no use for before the app runs would cost it more than all that it does. */
function refuseLate(chunks: readonly Chunk[]): void {
  const late = chunks.flatMap(({ files }) => files).filter((file) => lateFiles.test(file));
  if (late.length > 0) {
    throw new Error(
      `A start would load ${late.join(', ')}: load it by import() where it is needed`,
    );
  }
}

const lateFiles =
  /node_modules\/(?!punycode\/)|^src\/(?:api|reload|emulator)\/|^src\/commands\/follow|^src\/inputs\/foresee-exec/;

/** A chunk and all that it imports statically, through however many others. */
function closureOf(chunks: readonly Chunk[], entry: string): readonly Chunk[] {
  const names = new Set([entry]);
  const found: Chunk[] = [];
  for (const name of names) {
    const chunk = chunks.find((it) => it.name === name);
    if (chunk === undefined) {
      throw new Error(`esbuild has made no chunk ${name}`);
    }

    found.push(chunk);
    for (const need of chunk.needs) {
      names.add(need);
    }
  }

  return found;
}

type Linking = { readonly requests: Requests; readonly target: string };

async function linkUnit(members: readonly Chunk[], { requests, target }: Linking): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: entryOf(members, requests) },
    plugins: [membersPlugin(members, requests)],
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target,
    minify: true,
    legalComments: 'none',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

/** Provides what each chunk exports, for chunks of other units: made when one of them asks for it. */
function entryOf(members: readonly Chunk[], requests: Requests): string {
  const provided = members.map((member, chunk) => {
    const names = member.exports.map((name, index) => [name, `_${chunk}_${index}`] as const);
    const imports = names.map(([name, local]) => `${name} as ${local}`);
    // Some are assigned later, when what they belong to is first asked for.
    const getters = names.map(([name, local]) => `get ${name}(){return ${local}}`);
    return (
      `import {${imports.join(',')}} from './${member.name}';\n` +
      `provide('${requestFor(member, requests)}',()=>({${getters.join(',')}}));\n`
    );
  });
  return provided.join('');
}

function requestFor({ name }: Chunk, requests: Requests): string {
  return requests.get(`./${name}`) ?? '';
}

function membersPlugin(members: readonly Chunk[], requests: Requests): Plugin {
  const codes = new Map(members.map(({ name, code }) => [`./${name}`, code]));
  return {
    name: 'members',
    setup: (link) => {
      link.onResolve({ filter: /./ }, ({ path }) =>
        codes.has(path)
          ? { path, namespace: 'member' }
          : // Chunks define things, and do nothing: one of which nothing is used is not even loaded.
            { path: requests.get(path) ?? path, external: true, sideEffects: !requests.has(path) },
      );
      link.onLoad({ filter: /./, namespace: 'member' }, ({ path }) => ({
        contents: importThrough(codes.get(path) ?? '', requests),
      }));
    },
  };
}

/** Only imports of our own chunks are written as a literal; that of a user's config is not, and stays as it is. */
function importThrough(code: string, requests: Requests): string {
  return code.replaceAll(
    /\bimport\("(\.\/[^"]+)"\)/g,
    (_, path: string) => `importChunk("${requests.get(path) ?? path}")`,
  );
}
