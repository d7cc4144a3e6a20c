// What the fuzzers begin with: frames as the brain encodes them, in the order of real starts and restarts, and command
// lines as people write them. The formats are those of fuzz-link.c and fuzz-options.c.
import { encodeMessage } from '../../src/link/frames.ts';
import type { ToPid1 } from '../../src/link/messages.ts';
import { launchOf } from '../helpers/pid1.ts';

const [SIGHUP, SIGUSR1, SIGTERM, SIGCONT] = [1, 10, 15, 18];

const launch = launchOf(['/bin/app', '-v'], {
  killDelayMs: 300,
  groups: [10, 20],
  limits: [{ resource: 7, soft: 1024n, hard: 4096n }],
  directory: '/srv',
  signalMap: new Map([[SIGUSR1, 0]]),
  statusMap: new Map([[137, 3]]),
});
const onTrial = launchOf(['/bin/app'], { trialMs: 1000, lingerMs: 500 });
const asItself = launchOf(['/bin/app'], { exec: true, notDumpable: true });
const memo: ToPid1 = { type: 'memo', bytes: Buffer.from('what the brain knows') };
const longMemo: ToPid1 = { type: 'memo', bytes: Buffer.alloc(100, 'memo') };
const count: ToPid1 = { type: 'count' };
const stop: ToPid1 = { type: 'stop', signal: SIGTERM, killDelayMs: 10_000 };
const late = Buffer.from('too late\n');
const deadline: ToPid1 = { type: 'deadline', delayMs: 5000, status: 78, text: late };

// As in `enum event` of fuzz-link.c.
const brainEnds = [1];
const brainCloses = [2];
const brainListens = [3, 0xff, 0xff];
const appExits = [4, 0, 7];
const appIsKilled = [4, 9, 0];
const appStops = [5, 20];
const groupEnds = [6];
const orphanEnds = [7];
const signalComes = (number: number): number[] => [8, number];
const timePasses = (log2Ms: number): number[] => [9, log2Ms];
const pollFails = [10];
const callsFail = (bits: number): number[] => [11, bits];

function says(...messages: readonly ToPid1[]): number[] {
  const bytes = Buffer.concat(messages.map((message) => encodeMessage(message)));
  return [0, bytes.length & 0xff, bytes.length >> 8, ...bytes];
}

/** What the brain and the world do to pid1, one thing after the other. */
const lives: readonly (readonly number[][])[] = [
  [says(deadline), says(memo, launch), orphanEnds, signalComes(SIGUSR1), appExits, groupEnds],
  [says(deadline), timePasses(13)],
  [says(launch), signalComes(SIGTERM), timePasses(9), appIsKilled, groupEnds],
  [says(launch), brainEnds, timePasses(7), says(stop), appExits, groupEnds, says(launch)],
  [says(launch), says(stop), appExits, groupEnds, says(onTrial), appExits, groupEnds, says(launch)],
  [says(launch), says(stop), appExits, groupEnds, callsFail(2), says(launch), brainEnds],
  [says(launch), says(stop), brainEnds, appExits, timePasses(14)],
  [says(launch), says(stop), signalComes(SIGTERM), appExits, timePasses(4)],
  [says(onTrial), timePasses(11), appExits, timePasses(9), timePasses(9)],
  [says(onTrial), brainCloses, appExits, groupEnds, timePasses(16)],
  [says(launch, { type: 'done' }), appStops, signalComes(SIGCONT), appExits, groupEnds],
  [says(launch, count, { type: 'signal', number: SIGHUP }, { type: 'not-dumpable' })],
  [says(launch, { type: 'signal', number: SIGHUP, pid: 4321 }), pollFails, brainEnds],
  [says(launch, count), says(count, count, count), [3, 5, 0], brainListens, says(count)],
  [says(launch, memo), brainEnds, timePasses(8), brainListens, says(memo, count)],
  [says(launch, longMemo), brainEnds, timePasses(8), says(memo), brainListens],
  [says(launch, ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map(() => count))],
  [says(launch), says({ type: 'signal', number: SIGHUP, pid: 0xffff_ffff })],
  [says({ type: 'abort', status: 64 })],
  [says(asItself)],
  [callsFail(16), says(asItself)],
  [callsFail(4), says(memo)],
  [says(launch), callsFail(1), brainEnds, timePasses(8), timePasses(9)],
  [signalComes(SIGTERM)],
];

type Start = {
  readonly words: readonly string[];
  readonly variables?: readonly string[];
  /** As in fuzz-options.c. */
  readonly flags?: number;
};

const path = 'PATH=/usr/bin:/bin';

const starts: readonly Start[] = [
  { words: ['warp-init', '--plain', '--', 'sh', '-c', 'exit'], variables: [path, 'A=b'] },
  { words: ['warp-init', 'run', '--plain', '/bin/sh'], variables: ['WARP_INIT_X=y', 'A=b'] },
  { words: ['warp-init', '--plain', '/bin/sh'], flags: 7 },
  { words: ['warp-init', '--plain', '-v'] },
  { words: ['warp-init', '--plain'] },
  { words: ['warp-init', '--plain', 'no-such-program'], variables: [`${path}::/etc`] },
  { words: ['warp-init', '--plain', 'etc'], variables: ['PATH=/'] },
  { words: ['warp-init', 'run', '--', 'sh'], variables: ['WARP_INIT_PLAIN=true', path] },
  { words: ['warp-init'], variables: ['WARP_INIT_PLAIN=1', path] },
  { words: [], variables: ['WARP_INIT_PLAIN=1', path] },
  { words: ['warp-init', '--help'], variables: ['WARP_INIT_PLAIN=1', 'NODE_OPTIONS=-r x', path] },
  { words: ['warp-init', 'debug', '-V'], variables: ['LD_PRELOAD=x', path], flags: 4 },
  { words: ['warp-init', '--log-level', 'info', '--', 'app'], variables: [path], flags: 1 },
  { words: ['warp-init', 'run', '--', 'app'], variables: ['WARP_INIT_NODE=/bin/sh'], flags: 2 },
  { words: ['warp-init', 'run', '--', 'app'], variables: ['WARP_INIT_NODE=none'] },
];

/** The inputs of each target, by its name. */
export const seeds = {
  'fuzz-link': lives.map((life) => Buffer.from(life.flat())),
  'fuzz-options': starts.map(({ words, variables = [], flags = 0 }) =>
    Buffer.concat([
      Buffer.from([flags, words.length]),
      ...[...words, ...variables].map((text) => Buffer.from(`${text}\0`)),
    ]),
  ),
};

/** Words that no mutation would come upon by chance. */
export const dictionary = [
  ['--plain', '--', 'run', '--help', '-h', '--version', '-V', 'sh', '/bin/sh'],
  ['WARP_INIT_PLAIN=1', 'WARP_INIT_PLAIN=true', 'WARP_INIT_NODE=', 'PATH=', 'NODE_', 'LD_'],
].flat();
