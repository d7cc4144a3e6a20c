// What the duties of PID 1 cost, side by side with an init that does nothing else: signals forwarded, orphans reaped.
//
// All contestants are PID 1 of namespaces of their own and take turns: each signal and each run of orphans of one is
// followed by one of the next. tini signals its child alone, unless asked for the group (-g); we signal the group,
// unless asked for the app alone (--single-child). Here the group is the app, so that only the call differs.
//
// An init and its app share one processor, and who sends the signals has another one, if there is: where the scheduler
// happens to put them at their start makes twice the difference, and lasts as long as they do.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { descendantsOf } from '../fixtures/demo/process-tree.ts';
import { type Place, findNode24, findTini } from './contestants.ts';
import { median } from './median.ts';
import { readRollup } from './memory.ts';

export type Pid1Row = {
  readonly name: string;
  readonly value: number;
  readonly unit: 'µs' | 'ms' | 'kB';
  /** Times what tini takes. */
  readonly ratio?: number;
  /** Of the ratio; of the value where it is memory. */
  readonly budget?: number;
};

const signals = 1001;
const orphans = 10_000;
const orphansASecond = 2000;
const orphanRuns = Number(process.env['BENCH_ORPHAN_RUNS'] ?? 7);
const ratioBudget = 1.2;
const privateBudgetKb = 1024;
/** Not a synchronisation: what is measured is the state after the start has settled. */
const settleMs = 3000;

export async function measurePid1(place: Place, socket: string): Promise<Pid1Row[]> {
  const programs = {
    timer: compile(place, 'time-signals'),
    listener: compile(place, 'hear-signals'),
    maker: compile(place, 'make-orphans'),
  };
  const inits = findInits(place, socket);
  return [
    ...(await measureSignals(place, inits, programs)),
    ...measureOrphans(place, inits, programs.maker),
  ];
}

type Init = {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly isOurs: boolean;
  /** Differs from another one in whom it signals, and in nothing else. */
  readonly isVariant?: boolean;
};

function findInits(place: Place, socket: string): Init[] {
  const init = join(place.warm, 'warp-init');
  const tini = findTini();
  const environment = {
    WARP_INIT_NODE: findNode24() ?? process.execPath,
    WARP_INIT_SOCKET: socket,
    CYCLE_API_TOKEN: 'bench-token',
    CYCLE_INSTANCE_ID: 'bench',
  };
  return [
    ...(tini === undefined
      ? []
      : [
          { name: 'tini', command: [tini, '--'], isOurs: false },
          { name: 'tini -g', command: [tini, '-g', '--'], isOurs: false, isVariant: true },
        ]),
    { name: 'warp-init --plain', command: [init, '--plain', '--'], isOurs: true },
    { name: 'warp-init', command: [init, '--'], environment, isOurs: true },
    {
      name: 'warp-init --single-child',
      command: [init, '--single-child', '--'],
      environment,
      isOurs: true,
      isVariant: true,
    },
  ];
}

type Programs = { readonly timer: string; readonly listener: string };

async function measureSignals(
  place: Place,
  inits: readonly Init[],
  { timer, listener }: Programs,
): Promise<Pid1Row[]> {
  const started: Started[] = [];
  try {
    for (const [index, init] of inits.entries()) {
      started.push(await startListening(place, init, { listener, index }));
    }

    await new Promise((resolve) => {
      setTimeout(resolve, settleMs);
    });
    const args = started.flatMap(({ pid, fifo }) => [`${pid}`, fifo]);
    const [file, ...words] = pinned('first', [timer, `${signals}`, ...args]);
    const { stdout, stderr, status } = spawnSync(file, words, {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    if (status !== 0) {
      throw new Error(`Cannot measure signals: status ${String(status)}\n${stderr}`);
    }

    const samples: number[][] = inits.map(() => []);
    for (const line of stdout.trim().split('\n')) {
      const [index = 0, nanoseconds = Number.NaN] = line.split(' ').map(Number);
      samples[index]?.push(nanoseconds / 1000);
    }

    return [
      ...rowsOf('signal, kill to handler', 'µs', { inits, samples }),
      ...started.filter(({ init }) => init.isVariant !== true).map(memoryRow),
    ];
  } finally {
    for (const { stop } of started) {
      await stop();
    }
  }
}

function measureOrphans(place: Place, all: readonly Init[], maker: string): Pid1Row[] {
  const inits = all.filter(({ isVariant }) => isVariant !== true);
  const samples: number[][] = inits.map(() => []);
  for (let run = 0; run < orphanRuns; run += 1) {
    for (let turn = 0; turn < inits.length; turn += 1) {
      const index = (run + turn) % inits.length;
      const [init] = inits.slice(index);
      samples[index]?.push(init === undefined ? Number.NaN : reapOnce(place, init, maker));
    }
  }

  return rowsOf(`CPU for ${orphans} orphans`, 'ms', { inits, samples });
}

/** Milliseconds of CPU. */
function reapOnce(place: Place, { name, command, environment }: Init, maker: string): number {
  const app = [maker, `${orphans}`, `${orphansASecond}`];
  const [file, ...words] = pinned('last', [place.timer, place.hosts, ...command, ...app]);
  const { stdout, stderr } = spawnSync(file, words, {
    encoding: 'utf8',
    cwd: place.directory,
    env: { PATH: process.env['PATH'], ...environment },
  });
  const [nanoseconds, time] = stdout.trim().split('\n');
  if (time === undefined || !time.endsWith(' 0')) {
    throw new Error(`Cannot measure how ${name} reaps:\n${stdout}${stderr}`);
  }

  return Number(nanoseconds) / 1e6;
}

function rowsOf(
  what: string,
  unit: Pid1Row['unit'],
  { inits, samples }: { inits: readonly Init[]; samples: readonly (readonly number[])[] },
): Pid1Row[] {
  const medians = samples.map(median);
  const base = medians[inits.findIndex(({ name }) => name === 'tini')];
  return inits.map(({ name, isOurs }, index) => {
    const value = medians[index] ?? Number.NaN;
    return {
      name: `${what}: ${name}`,
      value,
      unit,
      ...(base === undefined || name === 'tini' ? {} : { ratio: value / base }),
      ...(base === undefined || !isOurs ? {} : { budget: ratioBudget }),
    };
  });
}

function memoryRow({ init, pid }: Started): Pid1Row {
  const { privateClean, privateDirty } = readRollup(pid);
  return {
    name: `resident private, PID 1 alone: ${init.name}`,
    value: privateClean + privateDirty,
    unit: 'kB',
    ...(init.isOurs ? { budget: privateBudgetKb } : {}),
  };
}

type Started = {
  readonly init: Init;
  /** Of the init, in our namespace. */
  readonly pid: number;
  /** What its app prints. */
  readonly fifo: string;
  readonly stop: () => Promise<void>;
};

async function startListening(
  place: Place,
  init: Init,
  { listener, index }: { listener: string; index: number },
): Promise<Started> {
  const fifo = join(place.directory, `heard-${index}`);
  spawnSync('mkfifo', [fifo]);
  const output = openSync(fifo, 'r+'); // With a reader and a writer at once no open(2) of it waits.
  const { command, environment } = init;
  const [file, ...words] = pinned('last', [place.timer, place.hosts, ...command, listener]);
  const timer = spawn(file, words, {
    cwd: place.directory,
    stdio: ['ignore', output, 'inherit'],
    env: { PATH: process.env['PATH'], ...environment },
  });
  const ended = once(timer, 'exit');
  const pid = await findInit(timer.pid ?? 0, listener);
  const stop = async () => {
    process.kill(pid, 'SIGKILL');
    await ended;
    closeSync(output);
  };
  return { init, pid, fifo, stop };
}

/** The command on the first or the last one of the processors that we may use. */
function pinned(which: 'first' | 'last', command: readonly string[]) {
  const status = readFileSync('/proc/self/status', 'utf8');
  const numbers = /^Cpus_allowed_list:\t(.+)$/m.exec(status)?.[1]?.split(/[,-]/) ?? [];
  return ['taskset', '-c', numbers.at(which === 'first' ? 0 : -1) ?? '0', ...command] as const;
}

const patienceMs = 10_000;

/** The PID of the init whose app runs. */
async function findInit(timer: number, app: string): Promise<number> {
  for (const endMs = performance.now() + patienceMs; performance.now() < endMs;) {
    const entries = descendantsOf(timer);
    const init = entries.find(({ innerPid }) => innerPid === 1);
    if (init !== undefined && entries.some(({ command }) => command === app)) {
      return init.pid;
    }

    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }

  throw new Error(`Cannot measure signals: no app within ${patienceMs / 1000} s`);
}

function compile({ root, directory }: Place, name: string): string {
  const program = join(directory, name);
  const source = join(root, 'bench', `${name}.c`);
  if (spawnSync('cc', ['-O2', '-o', program, source], { stdio: 'inherit' }).status !== 0) {
    throw new Error(`Cannot compile bench/${name}.c`);
  }

  return program;
}
