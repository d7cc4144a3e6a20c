// How much of src/pid1 the tests of test/pid1 and test/peers run: `npm run coverage:pid1`.
//
// They run in a copy of this checkout whose binaries are built with --coverage. Prints each line that no test has run, and
// fails unless more than 90 % were. docs/pid1-coverage.md says why each of those is not.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const requiredPercent = 90;

/** What the tests start, and what each is built with. */
const binaries: readonly (readonly [path: string, options: readonly string[]])[] = [
  ['warp-init', []],
  ['test/warp-init', ['-DNEXT_LAUNCH_MS=3000']],
  ['test/warp-init-glibc', []],
];

/** By file, by line number: how often the line was run. */
type Counts = ReadonlyMap<string, Map<number, number>>;

function measure(): void {
  const copy = mkdtempSync(join(tmpdir(), 'warp-init-coverage-'));
  try {
    copyCheckout(copy);
    const objects = binaries.map(([path, options]) => build(copy, path, options));
    const status = runTests(copy);
    report(countsOf(objects), status);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function copyCheckout(copy: string): void {
  chmodSync(copy, 0o755); // Tests run pid1 as other users.
  for (const name of ['dist', 'fixtures', 'src', 'test', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, name), join(copy, name), { recursive: true, verbatimSymlinks: true });
  }

  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}

/** @returns the directory of the objects, where the counts come to lie. */
function build(copy: string, path: string, options: readonly string[]): string {
  const objects = join(copy, 'coverage', path.replaceAll('/', '-'));
  mkdirSync(objects, { recursive: true });
  chmodSync(objects, 0o777);
  const compile = ['-std=gnu11', '-g', '-O0'];
  const preload = ['-o', join(objects, 'preload.so'), join(root, 'src/pid1/preload/preload.c')];
  const shared = ['-fPIC', '-shared', '-nostdlib', '-fno-stack-protector', '-s'];
  run('cc', [...compile, ...shared, ...preload]);
  // gcc would put a dump of its own before fork and exec, which does not know what coverage-dump.c minds.
  const counted = ['--coverage', '-fno-builtin', `-Wa,-I,${objects}`, ...options];
  for (const source of sources()) {
    const object = join(objects, basename(source, '.c'));
    run('cc', [...compile, ...counted, '-c', '-o', `${object}.o`, source]);
  }

  const dump = join(import.meta.dirname, 'coverage-dump.c');
  const linked = sources().map((source) => join(objects, `${basename(source, '.c')}.o`));
  const wrap = ['_exit', 'exit', 'execve'].map((name) => `-Wl,--wrap=${name}`);
  const target = join(copy, 'dist', path);
  rmSync(target);
  run('cc', [...compile, '--coverage', '-static', ...wrap, '-o', target, ...linked, dump]);
  return objects;
}

function sources(): string[] {
  const directory = join(root, 'src/pid1');
  return readdirSync(directory)
    .filter((name) => name.endsWith('.c'))
    .map((name) => join(directory, name));
}

/** Without those that run other binaries, and the one of the size of the release. */
function runTests(copy: string): number {
  const files = ['test/pid1', 'test/peers'].flatMap((directory) =>
    readdirSync(join(root, directory))
      .filter((name) => /(?<!fuzz|arm64)\.test\.ts$/.test(name))
      .map((name) => `${directory}/${name}`),
  );
  const { status } = spawnSync(
    join(root, 'node_modules/.bin/vitest'),
    ['run', '--config', 'test/vitest.config.ts', '-t', '^(?!.*is below 100 kB)', ...files],
    { cwd: copy, stdio: 'inherit' },
  );
  return status ?? 1;
}

type Gcov = {
  readonly files: readonly {
    readonly file: string;
    readonly lines: readonly { readonly line_number: number; readonly count: number }[];
  }[];
};

function countsOf(directories: readonly string[]): Counts {
  const counts = new Map<string, Map<number, number>>();
  for (const objects of directories) {
    const notes = readdirSync(objects).filter((name) => name.endsWith('.gcno'));
    const output = run('gcov', ['--json-format', '--stdout', ...notes], objects);
    for (const { files } of output
      .trim()
      .split('\n')
      .map((line): Gcov => JSON.parse(line))) {
      for (const { file, lines } of files) {
        const name = basename(file);
        const known = counts.get(name) ?? new Map<number, number>();
        for (const { line_number: line, count } of lines) {
          known.set(line, (known.get(line) ?? 0) + count);
        }

        counts.set(name, known);
      }
    }
  }

  return counts;
}

function report(counts: Counts, status: number): void {
  const out: string[] = [];
  let [all, covered] = [0, 0];
  for (const [name, lines] of [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const text = readFileSync(join(root, 'src/pid1', name), 'utf8').split('\n');
    const missed = [...lines].filter(([, count]) => count === 0).map(([line]) => line);
    all += lines.size;
    covered += lines.size - missed.length;
    out.push(`${name}: ${lines.size - missed.length} of ${lines.size} lines`);
    out.push(
      ...missed
        .toSorted((a, b) => a - b)
        .map((line) => `  ${name}:${line}: ${text[line - 1]?.trim() ?? ''}`),
    );
  }

  const percent = (100 * covered) / all;
  out.push(`src/pid1: ${covered} of ${all} lines, ${percent.toFixed(1)} %`);
  process.stdout.write(`${out.join('\n')}\n`);
  if (percent <= requiredPercent) {
    process.stderr.write(`Cannot pass: more than ${requiredPercent} % is required.\n`);
    process.exitCode = 1;
  }

  if (status !== 0) {
    process.stderr.write('Cannot pass: a test has failed.\n');
    process.exitCode = 1;
  }
}

function run(command: string, args: readonly string[], cwd = root): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) {
    throw new Error(`Cannot run ${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  }

  return stdout;
}

measure();
