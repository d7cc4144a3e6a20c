// Bundles the brain into one CommonJS file that costs a start no more than what the start uses.
//
// V8 reads every function of a file before the first one runs: 12 ms for all of ours (345 kB, measured on Node 24), most
// of it yargs, pino and commands that a start does not need. So esbuild splits at each `import()`, and every chunk
// lies in a comment, which V8 skips in 0.5 ms, until chunk-loader.cjs compiles it, if possible from V8's code cache.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { build, transform } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');
const output = process.argv[2] ?? join(root, 'dist', 'warp-init.cjs');
const target = 'node20.19';

async function bundle(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'src', 'main.ts')],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target,
    minify: true,
    legalComments: 'none',
    write: false,
    outdir: 'out',
    absWorkingDir: root,
    define: { __VERSION__: JSON.stringify(readVersion()), 'import.meta.url': 'importMetaUrl' },
  });
  const chunks = await Promise.all(
    outputFiles.map(async ({ path, text }) => asComment(basename(path), await toCommonJs(text))),
  );
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, await withLoader(chunks.join('\n')));
}

function readVersion(): string {
  const version = /^ {2}"version": "(.+)",$/m.exec(readFileSync(join(root, 'package.json'), 'utf8'));
  if (version?.[1] === undefined) {
    throw new Error('package.json has no version');
  }

  return version[1];
}

/** Expects what chunk-loader.cjs hands it. */
async function toCommonJs(text: string): Promise<string> {
  // Only imports of our own chunks are written as a literal; that of a user's config is not, and stays as it is.
  const linked = text.replaceAll(/\bimport\(("\.\/[^"]+")\)/g, 'importChunk($1)');
  const { code } = await transform(linked, { format: 'cjs', platform: 'node', target, minify: true });
  return code;
}

function asComment(name: string, code: string): string {
  if (code.includes('*\u0001/')) {
    throw new Error(`${name} holds the mark that stands for the end of a comment`);
  }

  return `/*chunk ${name}\n${code.replaceAll('*/', '*\u0001/')}*/`;
}

/** The build's id is a part of the cache's name: a cache must never meet another code than its own. */
async function withLoader(chunks: string): Promise<string> {
  const source = readFileSync(join(import.meta.dirname, 'chunk-loader.cjs'), 'utf8');
  const buildId = createHash('sha256').update(source).update(chunks).digest('hex').slice(0, 12);
  const { code } = await transform(source, {
    target,
    minify: true,
    define: { buildId: JSON.stringify(buildId) },
  });
  return `${code}\n${chunks}\n`;
}

await bundle();
