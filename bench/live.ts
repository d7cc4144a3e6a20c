// What following the platform costs: from a notification to the app, a flood of them, memory, CPU while nothing happens.
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { descendantsOf } from '../fixtures/demo/process-tree.ts';
import { type Place, findNode24 } from './contestants.ts';
import type { Order, Report } from './live-platform.ts';
import { readRollup } from './memory.ts';
import { movedAddress } from './platform.ts';

export type LiveRow = {
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 'reloads' | 'MB' | '%';
  readonly budget?: number;
};

const reloads = Number(process.env['BENCH_RELOADS'] ?? 1000);
const moves = 41;
const notifications = 100_000;
const quietMs = 20;
const maxWaitMs = 1000;
const idleMs = 20_000;
/** Not a synchronisation: what is measured is the state after all of a reload. */
const settleMs = 2000;

export async function measureLive(place: Place): Promise<LiveRow[]> {
  const app = join(place.directory, 'hear-signals');
  const source = join(place.root, 'bench', 'hear-signals.c');
  if (spawnSync('cc', ['-O2', '-o', app, source], { stdio: 'inherit' }).status !== 0) {
    throw new Error('Cannot compile bench/hear-signals.c');
  }

  const twenty = { app, count: 20, quietMs: 500 };
  // The idle one first: V8 collects garbage for half a minute after the last work.
  return withLive(place, { ...twenty, name: 'idle' }, async (idle) => [
    ...(await withLive(place, { ...twenty, name: 'flood' }, measureFlood)),
    ...(await withLive(place, { name: 'latency', app, count: 1000, quietMs }, measureLatency)),
    ...(await withLive(place, { name: 'reloads', app, count: 1000, quietMs: 1 }, measureReloads)),
    ...(await measureIdle(idle)),
  ]);
}

async function measureIdle({ ownPids, privateMb }: Live): Promise<LiveRow[]> {
  const before = cpuNs(ownPids);
  const memoryMb = privateMb();
  await wait(idleMs);
  const share = (cpuNs(ownPids) - before) / (idleMs * 1e6);
  return [
    { name: 'CPU while idle and connected', value: share * 100, unit: '%', budget: 0.1 },
    { name: 'private dirty, connected, 20 services', value: memoryMb, unit: 'MB', budget: 20 },
  ];
}

async function measureFlood({ order, heard, privateMb, hosts }: Live): Promise<LiveRow[]> {
  await heardAfter(heard, await order({ type: 'move', move: 1 }));
  const beforeMb = privateMb();
  const move = 20;
  const { fetches } = await order({ type: 'count' });
  const report = await order({ type: 'flood', total: notifications, move });
  await until(() => hosts().includes(movedAddress(move)));
  await wait(2 * maxWaitMs); // Not to wait for something: nothing more is to happen.
  const { fetches: fetchesAfter } = await order({ type: 'count' });
  // One for each max wait, and the one after the last notification.
  const allowed = Math.ceil(report.tookMs / maxWaitMs) + 1;
  return [
    {
      name: `${notifications} notifications in ${(report.tookMs / 1000).toFixed(1)} s: reloads`,
      value: fetchesAfter - fetches,
      unit: 'reloads',
      budget: allowed,
    },
    { name: 'growth by them', value: privateMb() - beforeMb, unit: 'MB', budget: 10 },
  ];
}

async function measureLatency({ order, heard }: Live): Promise<LiveRow[]> {
  const latencies: number[] = [];
  for (let move = 1; move <= moves; move += 1) {
    const report = await order({ type: 'move', move });
    const at = await heardAfter(heard, report);
    latencies.push(Number(at - BigInt(report.atNs)) / 1e6 - quietMs);
  }

  latencies.sort((a, b) => a - b);
  const median = latencies[Math.floor(moves / 2)] ?? Number.NaN;
  const name = 'notification to signal beyond the quiet time, 1,000 services';
  return [{ name, value: median, unit: 'ms', budget: 50 }];
}

async function measureReloads({ order, heard, privateMb }: Live): Promise<LiveRow[]> {
  const reloadOnce = async (move: number) => {
    await heardAfter(heard, await order({ type: 'move', move }));
  };
  const connectedMb = privateMb();
  await reloadOnce(1);
  await wait(settleMs);
  const firstMb = privateMb();
  for (let move = 2; move <= reloads; move += 1) {
    await reloadOnce(move);
  }

  await wait(settleMs);
  return [
    { name: 'private dirty, connected, 1,000 services', value: connectedMb, unit: 'MB' },
    { name: '… after a reload', value: firstMb, unit: 'MB' },
    {
      name: `… growth from there by ${reloads} reloads`,
      value: privateMb() - firstMb,
      unit: 'MB',
      budget: 5,
    },
  ];
}

type Live = {
  readonly order: (order: Order) => Promise<Report>;
  /** Nanoseconds at which the app heard of something, oldest first. */
  readonly heard: readonly bigint[];
  readonly ownPids: readonly number[];
  readonly privateMb: () => number;
  readonly hosts: () => string;
};

type LiveOptions = {
  readonly name: string;
  readonly app: string;
  /** Of the services. */
  readonly count: number;
  readonly quietMs: number;
};

async function withLive(
  place: Place,
  options: LiveOptions,
  work: (live: Live) => Promise<LiveRow[]>,
): Promise<LiveRow[]> {
  const base = join(place.directory, `live-${options.name}`);
  const socket = `${base}.sock`;
  const platform = fork(
    join(place.root, 'bench', 'live-platform.ts'),
    [`${options.count}`, socket],
    { execArgv: ['--import', 'tsx'] },
  );
  await once(platform, 'message');
  const timer = startContainer(place, base, options);
  const heard: bigint[] = [];
  const lines = createInterface(timer.stdout);
  await once(lines, 'line');
  lines.on('line', (line) => heard.push(BigInt(line)));
  await wait(1000); // Loaded, connected, and the state fetched once more.
  const init = join(place.warm, 'warp-init');
  const own = descendantsOf(timer.pid ?? 0).filter(
    ({ command }) => command.startsWith(init) || command.endsWith(' brain'),
  );
  const ownPids = own.map(({ pid }) => pid);
  try {
    return await work({
      order: (order) => ask(platform, order),
      heard,
      ownPids,
      privateMb: () => ownPids.reduce((sum, pid) => sum + readRollup(pid).privateDirty, 0) / 1024,
      hosts: () => readFileSync(`${base}.hosts`, 'latin1'),
    });
  } finally {
    timer.kill('SIGKILL');
    platform.disconnect();
    for (const { pid } of own.slice(0, 1)) {
      process.kill(pid, 'SIGKILL');
    }
  }
}

function startContainer(place: Place, base: string, { app, quietMs: quiet }: LiveOptions) {
  const reload = { action: 'signal', quiet: `${quiet}ms`, maxWait: `${maxWaitMs}ms` };
  writeFileSync(`${base}.cjs`, `module.exports = ${JSON.stringify({ init: { reload } })};\n`);
  writeFileSync(`${base}.hosts`, '127.0.0.1 localhost\n');
  return spawn(place.timer, [`${base}.hosts`, join(place.warm, 'warp-init'), '--', app], {
    cwd: place.directory,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      PATH: process.env['PATH'],
      WARP_INIT_NODE: findNode24() ?? process.execPath,
      WARP_INIT_SOCKET: `${base}.sock`,
      WARP_INIT_CONFIG: `${base}.cjs`,
      CYCLE_API_TOKEN: 'bench-token',
      CYCLE_INSTANCE_ID: 'bench',
    },
  });
}

function ask(platform: ChildProcess, order: Order): Promise<Report> {
  return new Promise((resolve) => {
    platform.once('message', (report: Report) => resolve(report));
    platform.send(order);
  });
}

/** When the app heard of what was reported. */
async function heardAfter(heard: readonly bigint[], { atNs }: Report): Promise<bigint> {
  const find = () => heard.find((at) => at > BigInt(atNs));
  await until(() => find() !== undefined);
  return find() ?? 0n;
}

const patienceMs = 30_000;

async function until(isTrue: () => boolean): Promise<void> {
  for (const endMs = performance.now() + patienceMs; !isTrue(); await wait(5)) {
    if (performance.now() > endMs) {
      throw new Error('Cannot measure: the app heard of no change within 30 s');
    }
  }
}

/** Of all their threads. */
function cpuNs(pids: readonly number[]): number {
  const files = pids.flatMap((pid) =>
    readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}/schedstat`),
  );
  return files.reduce((sum, file) => sum + Number(readFileSync(file, 'utf8').split(' ')[0]), 0);
}

function wait(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}
