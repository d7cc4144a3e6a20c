// What our processes hold while an app runs: /proc/PID/smaps_rollup, with a brain and without.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { descendantsOf } from '../fixtures/demo/process-tree.ts';
import { type Place, findNode24 } from './contestants.ts';

export type MemoryRow = {
  readonly name: string;
  readonly rssKb: number;
  readonly privateDirtyKb: number;
  readonly budgetKb?: number;
};

/** The brain has connected, fetched once more, and collected what the start left behind. */
const settleMs = 3000;

export async function measureMemory(place: Place, socket: string): Promise<MemoryRow[]> {
  const noFollow = join(place.directory, 'no-follow.config.cjs');
  writeFileSync(noFollow, 'module.exports = { init: { follow: false } };\n');
  return [
    await measure(
      place,
      { name: 'with the brain (Node 24)', budgetKb: 16 * 1024 },
      { WARP_INIT_SOCKET: socket },
    ),
    await measure(
      place,
      { name: 'without (init.follow: false)', budgetKb: 1024 },
      {
        WARP_INIT_SOCKET: socket,
        WARP_INIT_CONFIG: noFollow,
      },
    ),
  ];
}

async function measure(
  place: Place,
  row: Pick<MemoryRow, 'name' | 'budgetKb'>,
  environment: Readonly<Record<string, string>>,
): Promise<MemoryRow> {
  const init = join(place.warm, 'warp-init');
  const app = 'echo ready; exec sleep 60';
  const timer = spawn(place.timer, [place.hosts, init, '--', 'sh', '-c', app], {
    cwd: place.directory,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      WARP_INIT_NODE: findNode24() ?? process.execPath,
      CYCLE_API_TOKEN: 'bench-token',
      CYCLE_INSTANCE_ID: 'bench',
      ...environment,
    },
  });
  await once(timer.stdout, 'data');
  // Not a synchronisation: what is measured is the state after the start has settled.
  await new Promise((resolve) => {
    setTimeout(resolve, settleMs);
  });
  const entries = descendantsOf(timer.pid ?? 0);
  const own = entries.filter(
    ({ command }) => command.startsWith(init) || command.endsWith(' brain'),
  );
  const sums = own.map(({ pid }) => readRollup(pid));
  const pid1 = entries.find(({ command }) => command.startsWith(init));
  if (pid1 !== undefined) {
    process.kill(pid1.pid, 'SIGTERM');
  }

  await once(timer, 'exit');
  return {
    ...row,
    rssKb: sum(sums.map(({ rss }) => rss)),
    privateDirtyKb: sum(sums.map(({ privateDirty }) => privateDirty)),
  };
}

type Rollup = {
  readonly rss: number;
  readonly privateClean: number;
  readonly privateDirty: number;
};

/** In kB. */
export function readRollup(pid: number): Rollup {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
  return {
    rss: field('Rss'),
    privateClean: field('Private_Clean'),
    privateDirty: field('Private_Dirty'),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
