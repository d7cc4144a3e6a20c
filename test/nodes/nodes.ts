// The lines of Node that warp-init supports, each as a directory with its `node`: of the npm registry, kept in the user's cache.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

export const nodeLines = [20, 22, 24, 26] as const;

export type NodeLine = (typeof nodeLines)[number];

const cache = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  'warp-init',
  'nodes',
);

/** Its directory; undefined where it is not there yet. The Node that runs this serves as its own line. */
export function findNode(line: NodeLine): string | undefined {
  if (process.versions.node.startsWith(`${line}.`)) {
    return dirname(process.execPath);
  }

  const directory = join(prefixOf(line), 'node_modules', packageName, 'bin');
  return existsSync(join(directory, 'node')) ? directory : undefined;
}

/** Fetches it where it is not there yet. @throws {Error} npm's */
export function installNode(line: NodeLine): string {
  const prefix = prefixOf(line);
  if (findNode(line) === undefined) {
    mkdirSync(prefix, { recursive: true });
    const words = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'];
    const { status, stderr, error } = spawnSync(
      'npm',
      [...words, '--prefix', prefix, `${packageName}@${line}`],
      { encoding: 'utf8', cwd: prefix },
    );
    if (status !== 0) {
      throw new Error(`Cannot fetch Node ${line}: ${error?.message ?? stderr}`);
    }
  }

  const directory = findNode(line);
  if (directory === undefined) {
    throw new Error(`Cannot fetch Node ${line}: ${packageName} holds no bin/node`);
  }

  return directory;
}

/** The environment in which `node` is the one of this directory. */
export function withNode(directory: string): { readonly PATH: string } {
  return { PATH: `${directory}:${process.env['PATH'] ?? ''}` };
}

const packageName = `node-linux-${process.arch}`;

function prefixOf(line: NodeLine): string {
  return join(cache, `${line}`);
}
