// stdin, stdout and stderr in every combination of terminal, pipe and file: what the app gets is what init got.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { noPid1Because } from '../helpers/pid1.ts';
import { asContainer, startInTerminal } from '../helpers/terminal.ts';

const binary = new URL('../../dist/warp-init', import.meta.url).pathname;

const typed = 'the line';
const asPid1 = asContainer.slice(0, asContainer.indexOf('setsid'));

type Kind = 'terminal' | 'pipe' | 'file';
type Combination = readonly [stdin: Kind, stdout: Kind, stderr: Kind];
const kinds: readonly Kind[] = ['terminal', 'pipe', 'file'];
const combinations: readonly Combination[] = kinds.flatMap((stdin) =>
  kinds.flatMap((stdout) => kinds.map((stderr) => [stdin, stdout, stderr] as const)),
);

/** Writes what 0, 1 and 2 of the shell lead to, and their flags, to a file: by a process that has them from it. */
const describeDescriptors = `
describe_descriptors() {
  described=$(for fd in 0 1 2; do
    readlink /proc/$$/fd/$fd
    sed -n 's/^flags:\t//p' /proc/$$/fdinfo/$fd
  done)
  echo "$described" >"$1"
}`;

/** Reads a line and says it on stdout and stderr. */
const app = `${describeDescriptors}
describe_descriptors inside
read -r line
echo "stdout $line"
echo "stderr $line" >&2
describe_descriptors later
exit 3`;

/** Starts init with its own descriptors. */
const outside = `${describeDescriptors}
describe_descriptors before
"$@"
echo $? >status
describe_descriptors after`;

describe.each([
  ['with --plain', ['--plain']],
  ['with a brain', ['run']],
])('%s', (_way, options) => {
  test.each(kinds)(
    'stdin a %s: all that the app reads and writes arrives, and no flag of a descriptor changes',
    async (stdin) => {
      const mine = combinations.filter(([kind]) => kind === stdin);
      const runs = mine.map((combination) => runWith(combination, [binary, ...options, '--']));
      expect((await Promise.all(runs)).flat()).toEqual([]);
    },
  );

  test.skipIf(noPid1Because !== undefined).each<Combination>([
    ['terminal', 'terminal', 'terminal'],
    ['terminal', 'pipe', 'file'],
    ['pipe', 'file', 'terminal'],
    ['file', 'terminal', 'pipe'],
  ])('as PID 1: %s, %s, %s', async (...combination) => {
    expect(await runWith(combination, [...asPid1, binary, ...options, '--'])).toEqual([]);
  });
});

/** What was not as it should be. */
async function runWith(combination: Combination, init: readonly string[]): Promise<string[]> {
  const cwd = mkdtempSync(join(tmpdir(), 'stdio-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const files = combination.map((kind, fd) => open(kind, join(cwd, `fd${fd}`)));
  const terminal = await startInTerminal(['sh', '-c', outside, 'sh', ...init, 'sh', '-c', app], {
    cwd,
    descriptors: combination.map((kind, fd) => (kind === 'terminal' ? 't' : fd + 3)).join(''),
    stdio: ['pipe', 'pipe', 'pipe', ...files.map(({ fd }) => fd ?? 'ignore')],
  });
  const [stdin] = files;
  if (stdin?.fd === undefined) {
    terminal.type(`${typed}\n`);
  }

  await terminal.ended;
  const [, stdout, stderr] = files.map((file) => file.read() ?? terminal.stdout.text());
  const [before, inside, later, after, status] = [
    'before',
    'inside',
    'later',
    'after',
    'status',
  ].map((name) => readFileSync(join(cwd, name), 'utf8'));
  const wrong = {
    'the app has others': inside !== before,
    'others while the app ran': later !== before,
    'others afterwards': after !== before,
    stdout: stdout?.includes(`stdout ${typed}`) !== true,
    stderr: stderr?.includes(`stderr ${typed}`) !== true,
    status: status !== '3\n',
  };
  return Object.entries(wrong).flatMap(([what, isWrong]) =>
    isWrong ? [`${combination.join(', ')}: ${what}`] : [],
  );
}

type Opened = {
  /** For the command; a terminal has none of the test's. */
  readonly fd: number | undefined;
  /** All that was written to it. */
  readonly read: () => string | undefined;
};

/** A pipe and a file hold what is to be read from stdin. Pipes of Node's own are sockets. */
function open(kind: Kind, path: string): Opened {
  if (kind === 'terminal') {
    return { fd: undefined, read: () => undefined };
  }

  const isInput = path.endsWith('0');
  if (kind === 'pipe') {
    execFileSync('mkfifo', [path]);
  } else {
    writeFileSync(path, isInput ? `${typed}\n` : '');
  }

  const fd = openSync(path, 'r+');
  onTestFinished(() => closeSync(fd));
  if (kind === 'pipe' && isInput) {
    writeSync(fd, `${typed}\n`);
  }

  return { fd, read: () => (isInput ? '' : readNow(fd, kind === 'file' ? 0 : null)) };
}

function readNow(fd: number, position: number | null): string {
  const bytes = Buffer.alloc(1 << 16);
  return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, position));
}
