// dist/THIRD-PARTY-LICENSES: whose code the package carries, and on what terms. Those ask for their texts to go with it.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Metafile } from 'esbuild';
import * as v from 'valibot';

/** The licence of each package of which the bundle holds at least one byte, and that of the C library of the binaries. */
export function formatLicences(metafile: Metafile, root: string): string {
  // By heading: one version of a package may be there several times.
  const licences = new Map(
    [...new Set(directoriesIn(metafile))]
      .toSorted()
      .map((directory) => readLicence(join(root, directory))),
  );
  licences.set('musl (MIT)', readFileSync(join(import.meta.dirname, 'musl-licence.txt'), 'utf8'));
  return [
    'The programs and modules contain code of the packages below, the binaries contain code of musl.\n',
    ...[...licences].map(([heading, text]) => `${'-'.repeat(80)}\n${heading}\n\n${text.trim()}\n`),
  ].join('\n');
}

function directoriesIn({ outputs }: Metafile): string[] {
  return Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => {
      const directory = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0];
      return directory === undefined || bytesInOutput === 0 ? [] : [directory];
    }),
  );
}

function readLicence(directory: string): readonly [heading: string, text: string] {
  const files = readdirSync(directory).filter((name) =>
    /^(?:licen[cs]e|copying|notice)/i.test(name),
  );
  if (files.length === 0) {
    throw new Error(`Cannot state the licence of ${directory}: no file of it holds one`);
  }

  const text = files.map((name) => readFileSync(join(directory, name), 'utf8').trim()).join('\n\n');
  return [headingOf(directory), text];
}

function headingOf(directory: string): string {
  const { name, version, license } = v.parse(
    manifestSchema,
    JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')),
  );
  return `${name} ${version} (${license})`;
}

const manifestSchema = v.object({ name: v.string(), version: v.string(), license: v.string() });
