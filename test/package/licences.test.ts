// dist/THIRD-PARTY-LICENSES against a bundle made for this test.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

import { standInPlugin } from '../../src/build/stand-ins.ts';

const root = new URL('../../', import.meta.url).pathname;

/** The directories of the packages of which the brain or a module has code, by what esbuild puts into plain files. */
async function bundledPackages(): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: ['main', 'api/index', 'api/client'].map((name) => join(root, `src/${name}.ts`)),
    outdir: 'out',
    bundle: true,
    platform: 'node',
    format: 'cjs',
    metafile: true,
    write: false,
    logLevel: 'silent',
    absWorkingDir: root,
    plugins: [standInPlugin(root)],
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const directories = inputs
    .filter(([path, { bytesInOutput }]) => path.includes('node_modules/') && bytesInOutput > 0)
    .map(([path]) => packageOf(path));
  return [...new Set(directories)];
}

/** The nearest directory above a file that has a package.json with a name. */
function packageOf(path: string): string {
  let directory = dirname(path);
  while (!isPackage(directory)) {
    directory = dirname(directory);
  }

  return directory;
}

function isPackage(directory: string): boolean {
  return (
    readdirSync(join(root, directory)).includes('package.json') &&
    readManifest(directory)['name'] !== undefined
  );
}

function readManifest(directory: string): Partial<Record<string, string>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- What is not a string is not compared.
  return JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8')) as Partial<
    Record<string, string>
  >;
}

const licences = readFileSync(join(root, 'dist/THIRD-PARTY-LICENSES'), 'utf8');

test('each package of which the bundle has code is named, with the text of its licence', async () => {
  const packages = await bundledPackages();

  for (const directory of packages) {
    const { name, version, license } = readManifest(directory);
    expect(licences).toContain(`\n${name} ${version} (${license})\n`);
    const file = readdirSync(join(root, directory)).find((it) => /^licen[cs]e/i.test(it)) ?? '';
    expect(licences).toContain(readFileSync(join(root, directory, file), 'utf8').trim());
  }

  expect(packages.map((directory) => readManifest(directory)['name'])).toEqual(
    expect.arrayContaining(['valibot', 'punycode', 'fold-to-ascii', 'dotenv', 'pino', 'yargs']),
  );
});

test('musl, which is in the binaries, is named', () => {
  expect(licences).toMatch(/\nmusl \(MIT\)\n\nCopyright \(c\) 2005-2020 Rich Felker/);
});
