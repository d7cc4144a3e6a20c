// `npm run docs`: what is written of the program by the program. The reference lies in docs/, where people read it; the
// manual page and the JSON schema lie in dist/, with the package.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { formatConfiguration } from './docs-configuration.ts';
import { formatJsonSchema } from './docs-json-schema.ts';
import { formatManual } from './docs-man.ts';
import { readConfigShape } from './docs-shape.ts';

const root = join(import.meta.dirname, '..', '..');

async function writeDocs(): Promise<void> {
  const shape = readConfigShape();
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(join(root, 'dist', 'warp.config.schema.json'), formatJsonSchema(shape));
  writeFileSync(join(root, 'dist', 'warp-init.1'), await formatManual(readVersion()));
  if (process.argv[2] !== 'package') {
    const reference = join(root, 'docs', 'configuration.md');
    writeFileSync(reference, formatConfiguration(shape));
    execFileSync(join(root, 'node_modules', '.bin', 'oxfmt'), [reference], { cwd: root });
  }
}

function readVersion(): string {
  const { version }: { version?: unknown } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  return String(version);
}

await writeDocs();
