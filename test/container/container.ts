// Containers of tests: started, listened to, and gone with the test.
import { randomUUID } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inject, onTestFinished } from 'vitest';

import { type Running, startProcess } from '../helpers/process.ts';
import { type Ended, environment, optionsOf, podman, podmanSays } from './podman.ts';

const warpInit = new URL('../../dist/warp-init', import.meta.url).pathname;

export type ContainerOptions = {
  readonly image: string;
  /** Of `podman run`. */
  readonly options?: readonly string[];
  /** What stands behind the image; default: its CMD. */
  readonly command?: readonly string[];
};

type LogLine = {
  readonly level: number;
  readonly name: string;
  readonly msg: string;
  readonly code?: string;
  readonly where?: string;
  readonly fix?: string;
};

export type Container = Running & {
  readonly name: string;
  /** What warp-init has said. */
  readonly log: () => LogLine[];
  readonly exec: (words: readonly string[], options?: readonly string[]) => Promise<Ended>;
  /** Until it has ended; as `docker stop`. */
  readonly stop: (seconds: number) => Promise<void>;
};

export function storage() {
  return { directory: inject('directory') };
}

export function startContainer({ image, options = [], command = [] }: ContainerOptions): Container {
  const name = `test-${randomUUID()}`;
  const run = ['run', '--rm', '--pull=never', '--name', name, ...options, image, ...command];
  onTestFinished(() => remove(name));
  const running = startProcess('podman', [...optionsOf(storage()), ...run], {
    env: environment,
    // conmon leaves a file `oom` where it stands.
    cwd: storage().directory,
  });
  return {
    ...running,
    name,
    log: () => parseLog(running.stderr.text()),
    exec: (words, more = []) => podman(storage(), ['exec', ...more, name, ...words]),
    stop: async (seconds) => {
      await podmanSays(storage(), ['stop', '--time', String(seconds), name]);
    },
  };
}

export async function remove(name: string): Promise<void> {
  await podman(storage(), ['rm', '--force', '--ignore', '--time', '0', name]);
}

export type EndedContainer = Omit<Ended, 'status'> & {
  readonly status: number | NodeJS.Signals;
  readonly log: readonly LogLine[];
};

/** Runs a container to its end. */
export async function runContainer(options: ContainerOptions): Promise<EndedContainer> {
  const { ended, stdout, stderr, log } = startContainer(options);
  const status = await ended;
  return { status, stdout: stdout.text(), stderr: stderr.text(), log: log() };
}

/** Lines of JSON; podman and PID 1 itself write others. */
function parseLog(text: string): LogLine[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{"level"'))
    .map((line): LogLine => JSON.parse(line));
}

/**
 * An image from a Dockerfile and what lies beside it.
 *
 * @param files - Text, by path.
 * @param copies - Files to copy, by their names there.
 * @returns its name.
 */
export async function buildImage(
  dockerfile: string,
  files: Readonly<Record<string, string>> = {},
  copies: Readonly<Record<string, string>> = {},
): Promise<string> {
  const context = temporaryDirectory();
  for (const [path, text] of Object.entries({ ...files, Dockerfile: dockerfile })) {
    mkdirSync(join(context, dirname(path)), { recursive: true });
    writeFileSync(join(context, path), text);
  }

  for (const [name, path] of Object.entries(copies)) {
    copyFileSync(path, join(context, name));
  }

  const name = `localhost/test-${randomUUID()}`;
  // Of the OCI's format there is no HEALTHCHECK.
  const build = ['build', '--quiet', '--format', 'docker', '--pull=never', '--network=none'];
  await podmanSays(storage(), [...build, '--tag', name, context]);
  return name;
}

/** Beside the storage; removed with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(storage().directory, 'test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  return directory;
}

export type Platform = {
  /** Of `podman run`: the socket, where it is by default, and the token. */
  readonly options: readonly string[];
  readonly directory: string;
  /** Replaces the file that the emulator follows. */
  readonly change: (platform: object) => void;
  readonly end: () => Promise<void>;
  /** Again, after its end. */
  readonly begin: () => Promise<void>;
};

export const shopPlatform = {
  token: 'shop-in-a-container',
  services: {
    web: '10.0.0.10',
    'my-db': '10.0.0.20',
    search: [{ ipv4: '10.0.0.40', ipv6: 'fd00::40' }, '10.0.0.41'],
    cache: '10.0.0.30',
  },
  secrets: { 'database-url': 'postgres://web:correct-horse@my-db.warp/shop' },
};

/** `warp-init emulator` on the host: its socket is a volume of the container. */
export async function startPlatform(platform: object = shopPlatform): Promise<Platform> {
  const directory = temporaryDirectory();
  const file = join(directory, 'platform.json');
  const change = (changed: object) => writeFileSync(file, JSON.stringify(changed));
  change(platform);
  mkdirSync(join(directory, 'api'));
  const socket = join(directory, 'api/api.sock');
  const begin = async () => {
    const running = startProcess(warpInit, ['emulator', file, '--socket', socket]);
    const [line] = await running.stdout.waitFor(/^Serving .*$/m);
    return { running, variables: line.match(/\bCYCLE_\S+/g) ?? [] };
  };
  let emulator = await begin();
  return {
    directory,
    change,
    options: [
      ...emulator.variables.map((variable) => `--env=${variable}`),
      `--volume=${directory}/api:/var/run/cycle/api`,
    ],
    end: async () => {
      emulator.running.child.kill('SIGTERM');
      await emulator.running.ended;
    },
    begin: async () => {
      emulator = await begin();
    },
  };
}
