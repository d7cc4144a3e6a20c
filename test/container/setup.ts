// Once before all tests of containers: base images, the package, and an image from Dockerfile.example as it is.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { TestProject } from 'vitest/node';

import { buildBaseImages } from './base-images.ts';
import { type Storage, podman, podmanSays } from './podman.ts';

declare module 'vitest' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- A declaration that is merged with vitest's.
  interface ProvidedContext {
    readonly directory: string;
  }
}

const root = new URL('../../', import.meta.url).pathname;

/** From Dockerfile.example. */
export const shopImage = 'localhost/shop:latest';

/** The overlay, in the directory of the run. */
export const overlayArchive = `warp-init-overlay-${process.arch}.tar.gz`;

export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const obstacle = findObstacle();
  if (obstacle !== undefined) {
    const error = new Error(`Cannot test in containers: ${obstacle}`);
    error.stack = error.message; // Where it was found helps nobody.
    throw error;
  }

  const directory = mkdtempSync(join(tmpdir(), 'warp-init-container-'));
  const end = () => cleanUp({ directory });
  try {
    await buildBaseImages({ directory });
    await Promise.all([buildShop({ directory }), buildOverlay({ directory })]);
  } catch (error) {
    await end();
    throw error;
  }

  provide('directory', directory);
  return end;
}

/** Programs, and the Debian packages that have them. */
const needed = {
  podman: 'podman',
  runc: 'runc',
  busybox: 'busybox-static',
  catatonit: 'catatonit',
  'tini-static': 'tini',
  'musl-gcc': 'musl-tools',
  patchelf: 'patchelf',
  '/usr/bin/python3': 'python3',
};

function findObstacle(): string | undefined {
  const missing = Object.entries(needed).filter(
    ([program]) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
  );
  if (missing.length > 0) {
    const programs = missing.map(([program]) => program).join(', ');
    const packages = missing.map(([, name]) => name).join(' ');
    return `there is no ${programs}. Install it: apt-get install --no-install-recommends ${packages}.`;
  }

  // Debian's other busybox has the same name, and needs a C library that Alpine does not have: ldd(1) fails for a static one.
  if (spawnSync('sh', ['-c', 'ldd "$(command -v busybox)"']).status === 0) {
    return 'the busybox here is not static. Install the other one: apt-get install busybox-static.';
  }

  if (process.getuid?.() !== 0) {
    return 'they are started as root, with a storage of their own. Run it as root.';
  }

  return existsSync(join(root, 'dist/warp-init-here'))
    ? undefined
    : 'there is no package in dist/. Run `npm run build`.';
}

/** What `npm run build:overlay` makes of `dist/`. */
async function buildOverlay({ directory }: Storage): Promise<void> {
  const tsx = join(root, 'node_modules/.bin/tsx');
  await execa(tsx, [join(root, 'src/build/overlay.ts'), '--output', directory]);
}

/** The app of the tests, with a dependency from npm as apps have one. */
async function buildShop(storage: Storage): Promise<void> {
  const context = join(storage.directory, 'shop');
  cpSync(join(root, 'test/container/shop'), context, { recursive: true });
  const pack = ['pack', root, '--ignore-scripts', '--pack-destination', context];
  execFileSync('npm', [...pack, '--loglevel=error'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const name = 'shop';
  const dependencies = { ws: lockOfWs().version };
  writeFileSync(join(context, 'package.json'), JSON.stringify({ name, dependencies }));
  const packages = { '': { name, dependencies }, 'node_modules/ws': lockOfWs() };
  const lock = { name, lockfileVersion: 3, requires: true, packages };
  writeFileSync(join(context, 'package-lock.json'), JSON.stringify(lock));
  writeFileSync(join(context, '.dockerignore'), 'node_modules\n');
  const options = ['--quiet', '--format=docker', '--pull=never', ...likeThisMachine(storage)];
  const file = join(root, 'Dockerfile.example');
  await podmanSays(storage, ['build', ...options, '--tag', shopImage, '--file', file, context]);
}

type Locked = { readonly version: string; readonly integrity: string };

/** The one that this repository is locked to: `npm ci` here has brought it already. */
function lockOfWs(): Locked {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- npm writes the file.
  const lock = JSON.parse(text) as { packages: Record<string, Locked> };
  const { version, integrity } = lock.packages['node_modules/ws'] ?? { version: '', integrity: '' };
  return { version, integrity };
}

/** npm in a build sees the network, the certificates and the cache of npm that this machine has. */
function likeThisMachine({ directory }: Storage): readonly string[] {
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  const [registry = '', cache = ''] = ['registry', 'cache'].map((key) =>
    execFileSync('npm', ['config', 'get', key, '--loglevel=error'], { encoding: 'utf8' }).trim(),
  );
  const lines = ['audit=false', 'update-notifier=false', 'prefer-offline=true', 'cache=/npm-cache'];
  const hasCertificates = existsSync(certificates);
  const npmrc = join(directory, 'npmrc');
  const cafile = hasCertificates ? [`cafile=${certificates}`] : [];
  writeFileSync(npmrc, [...lines, `registry=${registry}`, ...cafile, ''].join('\n'));
  const volumes = [
    `${npmrc}:/usr/local/etc/npmrc:ro`,
    `${cache}:/npm-cache:O`,
    ...(hasCertificates ? [`${certificates}:${certificates}:ro`] : []),
  ];
  return ['--network=host', ...volumes.flatMap((volume) => ['--volume', volume])];
}

async function cleanUp(storage: Storage): Promise<void> {
  await podman(storage, ['rm', '--force', '--all', '--time', '0']);
  await podman(storage, ['rmi', '--force', '--all']);
  // What is left mounted would be a directory that cannot be removed.
  await podman(storage, ['unmount', '--all']);
  spawnSync('umount', [`${storage.directory}/storage/overlay`]);
  rmSync(storage.directory, { recursive: true, force: true });
}
