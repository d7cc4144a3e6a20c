// Follows SOCKET until a certificate is ready, then says what that took, and again and again how much private memory, and collects
// what is dead as the brain does after a reload; with `leave` it has nothing else to do from the connection on.
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

import { startPipeline } from '../../src/reload/pipeline.ts';
import { spareMemory } from '../../src/reload/spare-memory.ts';

const [socketPath = '', mode] = process.argv.slice(2);
const stay = setInterval(() => undefined, 1000);
const collectLater = spareMemory();
let idleKb = 0;
let idlePeakKb = 0;
let idleCpuMs = 0;

const pipeline = startPipeline({
  socketPath,
  token: undefined,
  scope: () => ({ environmentId: 'ours', hiddenContainerIds: new Set() }),
  onConnected: () => {
    idleKb = privateKb();
    idlePeakKb = process.resourceUsage().maxRSS;
    idleCpuMs = cpuMs();
    process.stdout.write('connected\n');
    if (mode === 'leave') clearInterval(stay);
  },
  onChanges: (kinds) => {
    if (kinds.has('certificates')) {
      const { seen } = pipeline.counters();
      const peakKb = process.resourceUsage().maxRSS - idlePeakKb;
      const spentMs = cpuMs() - idleCpuMs;
      process.stdout.write(`last: seen ${seen}, ${spentMs} ms, peak +${peakKb} kB\n`);
      collectLater();
      setInterval(() => {
        process.stdout.write(`settled: grown by ${privateKb() - idleKb} kB\n`);
      }, 100);
    }
  },
  onLost: ({ detail }) => process.stderr.write(`${detail}\n`),
  nowMs: () => performance.now(),
  random: Math.random,
});

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return Math.round((user + system) / 1000);
}

function privateKb(): number {
  const rollup = readFileSync('/proc/self/smaps_rollup', 'utf8');
  return Number(/^Private_Dirty: +(\d+) kB$/m.exec(rollup)?.[1]);
}
