// The npm package as its users get it: packed from dist/, installed without a network.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;

/** Why there can be no package here; undefined: there can. */
export const noPackageBecause = findObstacle();

export type Ended = {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** A variable that is undefined is not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

export function run(command: readonly [string, ...string[]], env: Environment = {}): Ended {
  const [file, ...args] = command;
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    encoding: 'utf8',
    cwd: tmpdir(),
    // Nothing of the npm and the user that run the tests.
    env: { PATH: process.env['PATH'], HOME: tmpdir(), ...env },
  });
  if (error !== undefined) {
    throw error;
  }

  return { status, stdout, stderr };
}

/** @returns a directory that is removed with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'package-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs npm without a network, with a cache of its own. */
export function npm(directory: string, args: readonly string[]): Ended {
  const ended = run(['npm', ...args, '--offline', '--no-audit', '--no-fund'], {
    npm_config_cache: join(directory, 'cache'),
  });
  if (ended.status !== 0) {
    throw new Error(`npm ${args.join(' ')}: ${ended.stderr}`);
  }

  return ended;
}

let packed: string | undefined;

/** The path of the package. `npm test` has built what goes into it, so prepack need not do it again. */
export function tarball(): string {
  packed ??= pack();
  return packed;
}

function pack(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tarball-'));
  npm(directory, ['pack', root, '--ignore-scripts', '--pack-destination', directory]);
  const name = readdirSync(directory).find((it) => it.endsWith('.tgz')) ?? '';
  return join(directory, name);
}

afterAll(() => {
  if (packed !== undefined) {
    rmSync(join(packed, '..'), { recursive: true, force: true });
    packed = undefined;
  }
});

/** Unpacks the package as a dependency, and runs nothing. @returns its dist/. */
export function unpack(): string {
  const directory = join(temporaryDirectory(), 'node_modules', 'warp-init');
  mkdirSync(directory, { recursive: true });
  execFileSync('tar', ['-xzf', tarball(), '--strip-components=1', '-C', directory]);
  return join(directory, 'dist');
}

function findObstacle(): string | undefined {
  if (existsSync(join(root, 'dist', 'warp-init-arm64'))) {
    return undefined;
  }

  const why = 'there is no dist/warp-init-arm64: install what `npm run build` names';
  if (process.env['WARP_INIT_REQUIRE_ARM64'] === '1') {
    throw new Error(`Cannot pack, and WARP_INIT_REQUIRE_ARM64=1 asks for it: ${why}`);
  }

  return why;
}
