// What the npm package has besides the programs: the script that npm links into PATH, and what runs after an installation.
import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');
const source = join(root, 'src', 'install');
const dist = join(root, 'dist');

await build({
  entryPoints: [join(source, 'postinstall.ts')],
  outfile: join(dist, 'postinstall.js'),
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
});
copyFileSync(join(source, 'launcher.sh'), join(dist, 'warp-init-here'));
chmodSync(join(dist, 'warp-init-here'), 0o755);
