// `npm run build:overlay [-- --arch x64|arm64] [--output DIR]`: warp-init-overlay-ARCH.tar.gz, which is unpacked over an image
// that has no Node.
//
// All of it is below /opt/warp-init, with a loader and a C library of its own for its Node: the image may have other ones, or
// none. The same dist/, version of Node and packages of Debian give the same bytes.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { type OverlayEntry, packOverlay } from './overlay-archive.ts';
import { findLibraries, readLibrary, relocate } from './overlay-libraries.ts';
import { type Contents, licenceFiles } from './overlay-licences.ts';
import { type Architecture, architectures, home } from './overlay-machines.ts';
import { fetchNode, nodeVersion } from './overlay-node.ts';

const root = join(import.meta.dirname, '..', '..');
const cacheDirectory = join(root, 'node_modules', '.cache', 'warp-init-overlay');

function buildOverlay(architecture: Architecture, output: string): string {
  const scratch = mkdtempSync(join(tmpdir(), 'warp-init-overlay-'));
  try {
    const node = fetchNode(architecture, { cacheDirectory, scratch });
    relocate(node.file, architecture);
    const libraries = findLibraries(node.file, architecture);
    const contents = { architecture, nodeVersion, nodeLicence: node.licence, libraries };
    const archive = packOverlay([
      ...programs(contents, readFileSync(node.file)),
      ...licenceFiles(root, contents),
    ]);
    mkdirSync(output, { recursive: true });
    const path = join(output, `warp-init-overlay-${architecture}.tar.gz`);
    writeFileSync(path, archive);
    return `${path}: ${megabytes(archive.length)} MB, with Node ${nodeVersion}`;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function programs({ architecture, libraries }: Contents, node: Buffer): OverlayEntry[] {
  return [
    { kind: 'directory', path: home },
    program(`${home}/node`, node),
    program(`${home}/warp-init`, readBuilt(`warp-init-${architecture}`)),
    {
      kind: 'file',
      path: `${home}/warp-init.cjs`,
      mode: 0o644,
      content: readBuilt('warp-init.cjs'),
    },
    { kind: 'directory', path: `${home}/lib` },
    ...libraries.map((library) =>
      program(`${home}/lib/${library.name}`, readLibrary(library, architecture)),
    ),
    { kind: 'link', path: 'usr/local/bin/warp-init', target: `/${home}/warp-init` },
  ];
}

function program(path: string, content: Buffer): OverlayEntry {
  return { kind: 'file', path, mode: 0o755, content };
}

function readBuilt(name: string): Buffer {
  try {
    return readFileSync(join(root, 'dist', name));
  } catch (error) {
    throw new Error(
      `Cannot build the overlay: dist/${name} is missing. \`npm run build\` makes it, or says what it lacks.`,
      { cause: error },
    );
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function parseWords(): { readonly architecture: Architecture; readonly output: string } {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string', default: process.arch },
      output: { type: 'string', default: join(root, 'dist') },
    },
  });
  const architecture = architectures.find((name) => name === values.arch);
  if (architecture === undefined) {
    throw new Error(
      `Cannot build the overlay for ${values.arch}: there is one for ${architectures.join(' and ')}. Name one by --arch.`,
    );
  }

  return { architecture, output: values.output };
}

try {
  const { architecture, output } = parseWords();
  process.stdout.write(`${buildOverlay(architecture, output)}\n`);
} catch (error) {
  // What is wrong is the machine, or a word: where in our code it was found helps nobody.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
