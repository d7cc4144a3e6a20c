// Bundles the brain into one CommonJS file that costs no more to start than what a start uses.
//
// V8 reads every function of a file before the first one runs: 12 ms for all of ours (345 kB, measured on Node 24),
// most of it yargs, pino and commands that a start does not need. So esbuild splits at each `import()`; what is
// imported statically from main.ts stays code, and every other chunk lies behind it in a comment, which V8 skips in
// 0.4 ms. `import()` of a chunk compiles it then (chunk-loader.cjs).
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { type Metafile, build, transform } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');
const output = process.argv[2] ?? join(root, 'dist', 'warp-init.cjs');
const target = 'node20.19';

type Chunk = {
  readonly name: string;
  /** CommonJS; expects `exports`, `require` and what chunk-loader.cjs defines. */
  readonly code: string;
  readonly staticImports: readonly string[];
};

async function bundle(): Promise<void> {
  const result = await build({
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
  const chunks = await Promise.all(
    result.outputFiles.map(async ({ path, text }) =>
      toCommonJs(basename(path), text, metaOf(result.metafile, basename(path))),
    ),
  );
  mkdirSync(join(output, '..'), { recursive: true });
  writeFileSync(output, pack(chunks, 'main.js'));
  chmodSync(output, 0o644);
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

function metaOf({ outputs }: Metafile, name: string): Metafile['outputs'][string] {
  const found = Object.entries(outputs).find(([path]) => basename(path) === name);
  if (found === undefined) {
    throw new Error(`esbuild did not describe its output ${name}`);
  }

  return found[1];
}

async function toCommonJs(
  name: string,
  text: string,
  meta: Metafile['outputs'][string],
): Promise<Chunk> {
  // Only imports of our own chunks are written as a literal; that of a user's config is not, and stays as it is.
  const linked = text.replaceAll(/\bimport\(("\.\/[^"]+")\)/g, 'importChunk($1)');
  const { code } = await transform(linked, {
    format: 'cjs',
    platform: 'node',
    target,
    minify: true,
  });
  const staticImports = meta.imports
    .filter(({ kind, external }) => kind === 'import-statement' && external !== true)
    .map(({ path }) => basename(path));
  return { name, code, staticImports };
}

function pack(chunks: readonly Chunk[], entry: string): string {
  const loader = readFileSync(join(import.meta.dirname, 'chunk-loader.cjs'), 'utf8');
  const eager = closureOf(chunks, entry);
  const isEager = (chunk: Chunk) => eager.includes(chunk.name);
  return [
    loader.trimEnd(),
    // In parentheses: V8 then compiles at once what is called at once, and does not read it twice.
    ...chunks
      .filter(isEager)
      .map(
        ({ name, code }) =>
          `eager[${JSON.stringify(name)}]=(function(exports,require,module){${code}});`,
      ),
    `requireChunk(${JSON.stringify(`./${entry}`)});`,
    ...chunks.filter((chunk) => !isEager(chunk)).map(asComment),
    '',
  ].join('\n');
}

/** What the entry imports statically, through however many chunks. */
function closureOf(chunks: readonly Chunk[], entry: string): readonly string[] {
  const found = [entry];
  for (const name of found) {
    const chunk = chunks.find((it) => it.name === name);
    found.push(...(chunk?.staticImports ?? []).filter((it) => !found.includes(it)));
  }

  return found;
}

function asComment({ name, code }: Chunk): string {
  if (code.includes('*\u0001/')) {
    throw new Error(`${name} holds the mark that stands for the end of a comment`);
  }

  return `/*chunk ${name}\n${code.replaceAll('*/', '*\u0001/')}*/`;
}

await bundle();
