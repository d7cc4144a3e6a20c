// Bundles the brain into one CommonJS file that costs a start no more than what the start uses.
//
// V8 reads every function of a file before the first one runs: 12 ms for all of ours (345 kB, measured on Node 24), most
// of it yargs, pino and commands that a start does not need. So esbuild splits at each `import()`, and every chunk
// lies in a comment, which V8 skips in 0.5 ms, until chunk-loader.cjs compiles it, if possible from V8's code cache.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { type Metafile, build, transform } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');
const output = process.argv[2] ?? join(root, 'dist', 'warp-init.cjs');
const target = 'node20.19';

type Chunk = {
  readonly name: string;
  readonly code: string;
  /** Names of the chunks that it needs at once. */
  readonly needs: readonly string[];
};

async function bundle(): Promise<void> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(root, 'src', 'main.ts')],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target,
    minify: true,
    legalComments: 'none',
    metafile: true,
    write: false,
    outdir: 'out',
    absWorkingDir: root,
    define: { __VERSION__: JSON.stringify(readVersion()), 'import.meta.url': 'importMetaUrl' },
  });
  const needs = new Map(
    Object.entries(metafile.outputs).map(([path, { imports }]) => [
      basename(path),
      staticOf(imports),
    ]),
  );
  const chunks = await Promise.all(
    outputFiles.map(async ({ path, text }) => {
      const name = basename(path);
      return { name, code: await toCommonJs(text), needs: needs.get(name) ?? [] };
    }),
  );
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, await withLoader(pack(chunks)));
}

function staticOf(imports: readonly ImportOf[]): string[] {
  return imports
    .filter(({ kind, external }) => kind === 'import-statement' && external !== true)
    .map(({ path }) => basename(path));
}

type ImportOf = Metafile['outputs'][string]['imports'][number];

type Unit = {
  readonly unit: string;
  readonly members: readonly string[];
  /** An expression that gives an object of functions, one a chunk. */
  readonly code: string;
};

/**
 * Chunks that are always loaded together are one unit: what main.js needs at once, and what a start needs while its
 * requests travel. Each other chunk is a unit of its own.
 */
function pack(chunks: readonly Chunk[]): Unit[] {
  const start = closureOf(chunks, 'main.js');
  const run = closureOf(chunks, chunks.find(({ name }) => name.startsWith('run-'))?.name ?? '');
  const taken = new Set(start);
  const units: [name: string, members: readonly string[]][] = [
    ['start', start],
    ['run', run.filter((name) => !taken.has(name))],
  ];
  for (const name of run) {
    taken.add(name);
  }

  for (const { name } of chunks) {
    if (!taken.has(name)) {
      units.push([name, [name]]);
    }
  }

  return units.map(([unit, members]) => ({
    unit,
    members,
    code: unitOf(chunks.filter(({ name }) => members.includes(name))),
  }));
}

/** A chunk and all that it imports statically, through however many others. */
function closureOf(chunks: readonly Chunk[], entry: string): readonly string[] {
  const found = [entry];
  for (const name of found) {
    const chunk = chunks.find((it) => it.name === name);
    if (chunk === undefined) {
      throw new Error(`esbuild has made no chunk ${name}`);
    }

    found.push(...chunk.needs.filter((it) => !found.includes(it)));
  }

  return found;
}

const parameters = 'exports,require,module,importChunk,importMetaUrl,codeCache';

/** An object of functions: chunk-loader.cjs calls them. */
function unitOf(chunks: readonly Chunk[]): string {
  const members = chunks.map(
    ({ name, code }) =>
      // In parentheses: V8 then compiles at once what is called at once, and does not read it twice.
      `${JSON.stringify(name)}:(function(${parameters}){${code}\n})`,
  );
  return `({${members.join(',')}})`;
}

function readVersion(): string {
  const version = /^ {2}"version": "(.+)",$/m.exec(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  if (version?.[1] === undefined) {
    throw new Error('package.json has no version');
  }

  return version[1];
}

async function toCommonJs(text: string): Promise<string> {
  // Only imports of our own chunks are written as a literal; that of a user's config is not, and stays as it is.
  const linked = text.replaceAll(/\bimport\(("\.\/[^"]+")\)/g, 'importChunk($1)');
  const { code } = await transform(linked, {
    format: 'cjs',
    platform: 'node',
    target,
    minify: true,
  });
  return code;
}

/** The loader, and behind it the units as one comment; the loader knows where in it each of them lies. */
async function withLoader(units: readonly Unit[]): Promise<string> {
  const opening = '/*units';
  let text = opening;
  const table = units.map(({ unit, members, code }) => {
    const begin = text.length;
    text += escapeComment(code);
    return { unit, members, begin, end: text.length };
  });
  const source = readFileSync(join(import.meta.dirname, 'chunk-loader.cjs'), 'utf8');
  // A part of the cache's name: a cache must never meet another code than its own.
  const buildId = createHash('sha256').update(source).update(text).digest('hex').slice(0, 12);
  const { code } = await transform(source, {
    target,
    minify: true,
    define: { buildId: JSON.stringify(buildId), units: JSON.stringify(table) },
  });
  return `${code}\n${text}*/\n`;
}

function escapeComment(code: string): string {
  // Offsets count characters; the loader reads bytes.
  if (code.includes('*\u0001/') || Buffer.byteLength(code) !== code.length) {
    throw new Error('A chunk holds the mark that stands for the end of a comment, or is not ASCII');
  }

  return code.replaceAll('*/', '*\u0001/');
}

await bundle();
