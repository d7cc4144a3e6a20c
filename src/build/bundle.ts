// Bundles the brain into one CommonJS file that costs a start no more than what the start uses.
//
// V8 reads every function of a file before the first one runs: 12 ms for all of ours (345 kB, measured on Node 24), most
// of it yargs, pino and commands that a start does not need. So esbuild splits at each `import()`, and every chunk
// lies in a comment, which V8 skips in 0.5 ms, until chunk-loader.cjs compiles it, if possible from V8's code cache.
// The comment is that of a function, whose text the loader asks for.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { build, transform } from 'esbuild';

import { formatLicences } from './licences.ts';
import { standInPlugin } from './stand-ins.ts';
import { type Unit, chunkOf, linkUnits } from './units.ts';

const root = join(import.meta.dirname, '..', '..');
const output = process.argv[2] ?? join(root, 'dist', 'warp-init.cjs');
const target = 'node20.19';
/** The loader tells a Node that is too old what is wrong, so that one must be able to read it. */
const loaderTarget = 'node12';
/** Of each unit: chunk-loader.cjs says what they are. */
const parameters = 'require,provide,importChunk,importMetaUrl,codeCache';
/** Those of every start lie in the file as V8 takes them. */
const readyUnits = 2;

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
    plugins: [standInPlugin(root)],
    define: {
      __VERSION__: JSON.stringify(readVersion()),
      'import.meta.url': 'importMetaUrl',
      // Else ws asks Node for these addons at run time, and would get whatever lies in the image's node_modules.
      'process.env.WS_NO_BUFFER_UTIL': '"1"',
      'process.env.WS_NO_UTF_8_VALIDATE': '"1"',
    },
  });
  const descriptions = new Map(
    Object.entries(metafile.outputs).map(([path, description]) => [basename(path), description]),
  );
  const chunks = outputFiles.map(({ path, text }) => {
    const name = basename(path);
    return chunkOf(name, text, descriptions.get(name) ?? { exports: [], imports: [], inputs: {} });
  });
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, await withLoader(await linkUnits(chunks, target)));
  writeFileSync(join(dirname(output), 'THIRD-PARTY-LICENSES'), formatLicences(metafile, root));
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

/** The loader, and behind it the units as one comment in a function, in whose text the loader finds each of them. */
async function withLoader(units: readonly Unit[]): Promise<string> {
  const codes = units.map(({ code }, index) =>
    index < readyUnits ? readyCode(code) : escapeComment(code),
  );
  const head = 'function storedUnits(){/*';
  const text = `${head}${codes.join('')}*/}\n`;
  let end = head.length;
  const table = units.map(({ requests }, index) => {
    const start = end;
    end += codes[index]?.length ?? 0;
    return [requests, start, end];
  });
  const source = readFileSync(join(import.meta.dirname, 'chunk-loader.cjs'), 'utf8');
  // A part of the cache's name: a cache must never meet another code than its own.
  const buildId = createHash('sha256').update(source).update(text).digest('hex').slice(0, 12);
  const { code } = await transform(source, {
    target: loaderTarget,
    minify: true,
    define: {
      buildId: JSON.stringify(buildId),
      units: JSON.stringify(table),
      parameters: JSON.stringify(parameters),
      readyUnits: String(readyUnits),
    },
  });
  return `${code}\n${text}`;
}

/** In parentheses: V8 compiles at once what is called at once, and does not read it twice. */
function readyCode(code: string): string {
  const [unready] = /.{0,40}(?:\*\/|importMetaUrl)/.exec(code) ?? [];
  if (unready !== undefined) {
    throw new Error(
      `A start would load what has to be changed before V8 may see it: ${unready}. Write the regular expression without */, or ask for import.meta.url in a file that is loaded later`,
    );
  }

  return escapeComment(`(function(${parameters}){${code}})`);
}

function escapeComment(code: string): string {
  // V8 keeps a text that is not ASCII as two bytes a character.
  if (code.includes('*\u0001/') || Buffer.byteLength(code) !== code.length) {
    throw new Error('A chunk holds the mark that stands for the end of a comment, or is not ASCII');
  }

  return code.replaceAll('*/', '*\u0001/');
}

await bundle();
