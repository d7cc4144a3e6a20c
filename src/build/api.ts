// The modules `warp-init` and `warp-init/client`: each one CommonJS file, an ES module that leads to it, and their types.
//
// The code is there once: an app that gets it both ways, by import and by require(), has one copy of it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Plugin, build } from 'esbuild';

import { rollUpTypes } from './roll-up-types.ts';

const root = join(import.meta.dirname, '..', '..');
const dist = join(root, 'dist');

const modules = {
  index: ['defineConfig', 'encodeServiceName', 'resolveIst'],
  client: ['createClient', 'notifications'],
} as const satisfies Record<string, readonly string[]>;

const foldWhenAsked: Plugin = {
  name: 'fold-when-asked',
  setup: (bundling) => {
    const path = join(root, 'src', 'build', 'stand-ins', 'fold-when-asked.cjs');
    bundling.onResolve({ filter: /^fold-to-ascii$/ }, () => ({ path }));
  },
};

async function buildApi(): Promise<void> {
  const { metafile } = await build({
    entryPoints: Object.keys(modules).map((name) => join(root, 'src', 'api', `${name}.ts`)),
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    minify: true,
    legalComments: 'none',
    metafile: true,
    outdir: dist,
    outExtension: { '.js': '.cjs' },
    define: {
      // As in the brain: else ws asks Node for addons, and would get whatever lies in the app's node_modules.
      'process.env.WS_NO_BUFFER_UTIL': '"1"',
      'process.env.WS_NO_UTF_8_VALIDATE': '"1"',
    },
    absWorkingDir: root,
    plugins: [foldWhenAsked],
  });
  refuseStrangers(Object.values(metafile.outputs).flatMap(({ imports }) => imports));
  const declarations = declare();
  for (const [name, names] of Object.entries(modules)) {
    const loading = `import api from './${name}.cjs';\n`;
    writeFileSync(
      join(dist, `${name}.js`),
      `${loading}export const { ${names.join(', ')} } = api;\n`,
    );
    writeFileSync(join(dist, `${name}.d.ts`), `export * from './${name}.cjs';\n`);
    writeFileSync(
      join(dist, `${name}.d.cts`),
      rollUpTypes(join(declarations, 'api', `${name}.d.ts`)),
    );
  }

  rmSync(declarations, { recursive: true });
}

/** The package has no dependencies. */
function refuseStrangers(imports: readonly { path: string; external?: boolean }[]): void {
  const strangers = imports.filter(
    ({ path, external }) => external === true && !/^node:|^[a-z_]+$/.test(path),
  );
  if (strangers.length > 0) {
    throw new Error(`Cannot ship what imports ${strangers.map(({ path }) => path).join(', ')}`);
  }
}

/** @returns the directory of the declarations of all that the two modules are made of. */
function declare(): string {
  const directory = mkdtempSync(join(tmpdir(), 'warp-init-types-'));
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const project = join(root, '.tsconfig.types.json');
  execFileSync(tsc, ['--project', project, '--outDir', directory], { stdio: 'inherit' });
  return directory;
}

await buildApi();
