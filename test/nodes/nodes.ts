// The lines of Node that warp-init supports, and two that it does not, each as a directory with its `node`: of the npm
// registry, kept in the user's cache.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

export const nodeLines = [20, 22, 24, 26] as const;

export type NodeLine = (typeof nodeLines)[number];

/** It is new enough, and none that is tested. Both architectures have it, unlike 21 and 25. */
export const untestedNode = 23;

/** The last one before those that are new enough. */
export const tooOldNode = '20.18';

export const unsupportedNodes = [untestedNode, tooOldNode] as const;

/** What npm takes for a version: a line, or a part of one. */
export type NodeVersion = NodeLine | (typeof unsupportedNodes)[number];

const cache = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  'warp-init',
  'nodes',
);

/** Its directory; undefined where it is not there yet. The Node that runs this serves as its own line. */
export function findNode(version: NodeVersion): string | undefined {
  if (process.versions.node.startsWith(`${version}.`)) {
    return dirname(process.execPath);
  }

  return findFetched(version);
}

function findFetched(version: NodeVersion): string | undefined {
  const directory = join(prefixOf(version), 'node_modules', packageName, 'bin');
  return existsSync(join(directory, 'node')) ? directory : undefined;
}

/** Fetches it where it is not there yet, also our own: tests that another Node runs need it. @throws {Error} npm's */
export function installNode(version: NodeVersion): string {
  const prefix = prefixOf(version);
  if (findFetched(version) === undefined) {
    mkdirSync(prefix, { recursive: true });
    const words = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'];
    const { status, stderr, error } = spawnSync(
      'npm',
      [...words, '--prefix', prefix, `${packageName}@${version}`],
      { encoding: 'utf8', cwd: prefix },
    );
    if (status !== 0) {
      throw new Error(`Cannot fetch Node ${version}: ${error?.message ?? stderr}`);
    }
  }

  const directory = findFetched(version);
  if (directory === undefined) {
    throw new Error(`Cannot fetch Node ${version}: ${packageName} holds no bin/node`);
  }

  return directory;
}

/** The environment in which `node` is the one of this directory. */
export function withNode(directory: string): { readonly PATH: string } {
  return { PATH: `${directory}:${process.env['PATH'] ?? ''}` };
}

const packageName = `node-linux-${process.arch}`;

function prefixOf(version: NodeVersion): string {
  return join(cache, `${version}`);
}
