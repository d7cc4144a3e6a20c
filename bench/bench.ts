// `npm run bench`: start time, memory, size and the duties of PID 1, against an empty script of the same Node and against peers.
//
// All contestants run in the same minutes, interleaved, as PID 1 of namespaces of their own (time-start.c);
// medians are compared, so a busy machine disturbs all of them alike. Needs root, or user namespaces.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type LiveRow, measureLive } from './live.ts';
import { measureMemory } from './memory.ts';
import { type Contestant, type Place, findContestants } from './contestants.ts';
import { median } from './median.ts';
import { type Pid1Row, measurePid1 } from './pid1.ts';
import { type Serving, serve } from './serve.ts';

const root = join(import.meta.dirname, '..');
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 41);
const directory = mkdtempSync(join(tmpdir(), 'warp-init-bench-'));

type Row = {
  name: string;
  node?: string;
  medianMs: number;
  ratio?: number;
  to?: string;
  budget?: number;
};

async function main(): Promise<void> {
  const place = preparePlace();
  const servings = await Promise.all([20, 10, 1000, 10_000].map((count) => serve(place, count)));
  try {
    const rows = startRows(place, servings);
    const memory = await measureMemory(place, servings[0]?.socket ?? '');
    const sizes = sizeRows(place);
    const pid1 = await measurePid1(place, servings[0]?.socket ?? '');
    report({ rows, memory, sizes, pid1, live: await measureLive(place) });
  } finally {
    for (const serving of servings) {
      serving.stop();
    }
  }
}

function preparePlace(): Place {
  const timer = join(directory, 'time-start');
  const compiled = spawnSync('cc', ['-O2', '-o', timer, join(root, 'bench', 'time-start.c')], {
    stdio: 'inherit',
  });
  if (compiled.status !== 0) {
    throw new Error(
      'Cannot compile bench/time-start.c: install a C compiler (apt-get install gcc libc6-dev)',
    );
  }

  const hosts = join(directory, 'hosts');
  const empty = join(directory, 'empty.cjs');
  const dotenv = join(directory, 'bench.env');
  writeFileSync(hosts, '127.0.0.1 localhost\n');
  writeFileSync(empty, '');
  writeFileSync(dotenv, 'BENCH=1\n');
  const cold = join(directory, 'cold');
  const warm = join(directory, 'warm');
  for (const installation of [cold, warm]) {
    mkdirSync(installation);
    for (const file of ['warp-init', 'warp-init.cjs']) {
      copyFileSync(join(root, 'dist', file), join(installation, file));
    }
  }

  return { root, directory, timer, hosts, empty, dotenv, cold, warm };
}

function startRows(place: Place, servings: readonly Serving[]): Row[] {
  const contestants = findContestants(place, servings);
  const samples = new Map<Contestant, number[]>(contestants.map((it) => [it, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const contestant of contestants) {
      const { every = 1 } = contestant;
      if (round % every === 0) {
        samples.get(contestant)?.push(timeStart(place, contestant));
      }
    }
  }

  const medians = new Map(contestants.map((it) => [it.name, median(samples.get(it) ?? [])]));
  return contestants.map(({ name, node, to, budget }) => {
    const medianMs = medians.get(name) ?? Number.NaN;
    const base = to === undefined ? undefined : medians.get(to);
    return {
      name,
      medianMs,
      ...(node === undefined ? {} : { node }),
      ...(to === undefined || base === undefined ? {} : { ratio: medianMs / base, to }),
      ...(budget === undefined ? {} : { budget }),
    };
  });
}

/** Milliseconds. The hosts file is new each time, as in a new container. */
function timeStart(place: Place, { command, environment = {}, name }: Contestant): number {
  writeFileSync(place.hosts, '127.0.0.1 localhost\n');
  const { stdout, stderr } = spawnSync(place.timer, [place.hosts, ...command], {
    encoding: 'utf8',
    cwd: place.directory,
    env: { PATH: process.env['PATH'], ...environment },
  });
  const [microseconds, status] = stdout.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  if (microseconds === undefined || status !== 0) {
    throw new Error(`Cannot measure ${name}: status ${String(status)}\n${stdout}${stderr}`);
  }

  return microseconds / 1000;
}

function sizeRows({ root: base }: Place): { name: string; bytes: number; budget: number }[] {
  return [
    { name: 'bundle', bytes: statSync(join(base, 'dist', 'warp-init.cjs')).size, budget: 600_000 },
    { name: 'pid1', bytes: statSync(join(base, 'dist', 'warp-init')).size, budget: 100_000 },
  ];
}

type Results = {
  readonly rows: readonly Row[];
  readonly memory: Awaited<ReturnType<typeof measureMemory>>;
  readonly sizes: ReturnType<typeof sizeRows>;
  readonly pid1: readonly Pid1Row[];
  readonly live: readonly LiveRow[];
};

function report({ rows, memory, sizes, pid1, live }: Results): void {
  const lines = [
    `Start to end around \`true\`, as PID 1: medians of ${rounds} interleaved runs`,
    ...rows.map(
      ({ name, medianMs, ratio, to, budget }) =>
        `  ${name.padEnd(44)} ${medianMs.toFixed(2).padStart(8)} ms` +
        (ratio === undefined ? '' : `   ${ratio.toFixed(2)} x ${to ?? ''}`) +
        (budget === undefined ? '' : `   (budget ${budget}${verdict(ratio ?? 0, budget)})`),
    ),
    '',
    'Memory while the app runs (all processes of ours)',
    ...memory.map(
      ({ name, rssKb, privateDirtyKb, budgetKb }) =>
        `  ${name.padEnd(44)} ${(privateDirtyKb / 1024).toFixed(2).padStart(8)} MB private dirty, ` +
        `${(rssKb / 1024).toFixed(1)} MB resident` +
        (budgetKb === undefined
          ? ''
          : `   (budget ${budgetKb / 1024} MB${verdict(privateDirtyKb, budgetKb)})`),
    ),
    '',
    'Size',
    ...sizes.map(
      ({ name, bytes, budget }) =>
        `  ${name.padEnd(44)} ${(bytes / 1000).toFixed(1).padStart(8)} kB   (budget ${budget / 1000} kB${verdict(bytes, budget)})`,
    ),
    '',
    'The duties of PID 1 (medians, interleaved)',
    ...pid1.map(
      ({ name, value, unit, ratio, budget }) =>
        `  ${name.padEnd(60)} ${value.toFixed(2).padStart(8)} ${unit}` +
        (ratio === undefined ? '' : `   ${ratio.toFixed(2)} x tini`) +
        (budget === undefined ? '' : `   (budget ${budget}${verdict(ratio ?? value, budget)})`),
    ),
    '',
    'Following the platform',
    ...live.map(
      ({ name, value, unit, budget }) =>
        `  ${name.padEnd(60)} ${value.toFixed(2).padStart(8)} ${unit}` +
        (budget === undefined ? '' : `   (budget ${budget}${verdict(value, budget)})`),
    ),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  const absent = ['tini', 'dumb-init', 'catatonit'].filter(
    (peer) => !rows.some(({ name }) => name === peer),
  );
  if (absent.length > 0) {
    process.stdout.write(`Not measured, for they are not installed: ${absent.join(', ')}\n`);
  }

  const results = {
    at: new Date().toISOString(),
    rounds,
    node: process.version,
    rows,
    memory,
    sizes,
    pid1,
    live,
  };
  mkdirSync(join(root, 'bench'), { recursive: true });
  writeFileSync(join(root, 'bench', 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
}

function verdict(value: number, budget: number): string {
  return value <= budget ? ', held' : ', MISSED';
}

if (!existsSync(join(root, 'dist', 'warp-init'))) {
  throw new Error('Cannot measure: dist/warp-init is missing, run `npm run build`');
}

try {
  await main();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
