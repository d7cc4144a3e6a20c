// `warp-init` as the first process of a container, without a container engine: a PID namespace, and a mount
// namespace with an /etc/hosts and /etc/nsswitch.conf of its own, around the real program and a real emulator.
//
// stderr is a pipe, as in a container (Node's own are sockets). When a test is over, no secret of the platform and
// not the token may be in it, whatever the test was about.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, onTestFinished } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import { startEmulator } from '../../src/emulator/server.ts';
import type { Emulator } from '../../src/emulator/server.ts';
import { isRoot, noPid1Because, startInit } from './pid1.ts';
import type { Init, Role } from './pid1.ts';
import { collect } from './process.ts';
import type { Output } from './process.ts';

const warpInit = new URL('../../dist/warp-init', import.meta.url).pathname;

export type ContainerOptions = {
  /** What comes after `warp-init`. @default a program that says `the app ran` */
  readonly args?: readonly string[];
  readonly emulator?: Emulator;
  readonly env?: Readonly<Record<string, string>>;
  /** The text of warp.config.js in the current directory. */
  readonly config?: string;
  /** Other files, by their path from the current directory. */
  readonly files?: Readonly<Record<string, string>>;
  /** The text of /etc/hosts. */
  readonly hosts?: string;
  readonly nsswitch?: string;
  /** Shell commands inside, before init. They may change "$@", which is init with its arguments. */
  readonly before?: string;
  /** `a child`: mount namespace alone, init is no PID 1. */
  readonly role?: Role;
  /** Text that must not get into stderr, besides the platform's own secrets. */
  readonly secrets?: readonly string[];
};

export type Container = Init & {
  /** The current directory. */
  readonly directory: string;
  readonly hosts: () => string;
  /** Each line of stderr, which must be JSON. */
  readonly log: () => LogLine[];
};

type LogLine = {
  readonly level: number;
  readonly name: string;
  readonly msg: string;
  readonly code?: string;
  readonly where?: string;
  readonly fix?: string;
};

/** How a container ended, and all that it said. */
export type Ended = {
  readonly status: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
  readonly hosts: string;
  readonly log: () => LogLine[];
};

const appRan = ['--', 'echo', 'the app ran'] as const;

/** The tests of a container; skipped where the machine has no namespaces (helpers/pid1.ts says when that is an error). */
export function describeContainer(name: string, body: () => void): void {
  const reason = noPid1Because === undefined ? '' : ` (skipped: ${noPid1Because})`;
  describe.skipIf(noPid1Because !== undefined)(`${name}${reason}`, () => {
    body();
  });
}

/** An emulator that ends with the test. */
export async function startPlatform(platform: PlatformFile): Promise<Emulator> {
  const emulator = await startEmulator({
    platform,
    socketPath: join(temporaryDirectory(), 'api.sock'),
  });
  onTestFinished(() => emulator.close());
  return emulator;
}

export function startContainer(options: ContainerOptions = {}): Container {
  const { args = appRan, emulator, role = 'PID 1' } = options;
  const directory = createFiles(options);
  const stderr = createPipe(directory);
  refuseLeaks(stderr.output, secretsOf(options));
  const mounts = ['hosts', 'nsswitch.conf'].map(
    (name) => `mount --bind "$TEST_ETC/${name}" /etc/${name}`,
  );
  // Of its own, as in a container: the state directory is there.
  mounts.push('mount -t tmpfs -o mode=755 tmpfs /run');
  const script = [...mounts, 'unset TEST_ETC', options.before ?? '', 'exec "$@"'].join('\n');
  const init = startInit(['-ec', script, 'sh', warpInit, ...args], {
    role,
    path: '/bin/sh',
    through: role === 'PID 1' ? [] : mountNamespace,
    cwd: join(directory, 'app'),
    env: {
      TEST_ETC: join(directory, 'etc'),
      WARP_INIT_SOCKET: '/nowhere/api.sock',
      ...emulator?.environment,
      ...options.env,
    },
    stdio: ['pipe', 'pipe', stderr.writeFd],
  });
  closeSync(stderr.writeFd);
  return {
    ...init,
    directory: join(directory, 'app'),
    stderr: stderr.output,
    ended: bothOf(init.ended, stderr.ended),
    hosts: () => readFileSync(join(directory, 'etc/hosts'), 'utf8'),
    log: () => parseLog(stderr.output.text()),
  };
}

/** Runs a container to its end. */
export async function runContainer(options: ContainerOptions = {}): Promise<Ended> {
  const container = startContainer(options);
  container.child.stdin?.end();
  const status = await container.ended;
  const { stdout, stderr, hosts, log } = container;
  return { status, stdout: stdout.text(), stderr: stderr.text(), hosts: hosts(), log };
}

export type Refusal = {
  readonly status: number;
  readonly code: string;
  readonly message: string | RegExp;
  readonly where: string | RegExp;
  readonly fix: string | RegExp;
};

/** What {@link refused} describes.  */
export function refusalOf({ status, stdout, log }: Ended): unknown {
  return { status, stdout, fatal: log().filter(({ level }) => level === fatalLevel) };
}

/** The app did not run, the status is right, and one line of the log says why, where and what to do. */
export function refused({ status, code, message, where, fix }: Refusal): unknown {
  const line = {
    level: fatalLevel,
    code,
    msg: matching(message),
    where: matching(where),
    fix: matching(fix),
  };
  return { status, stdout: '', fatal: [expect.objectContaining(line)] };
}

/** What `env -0` has printed. */
export function parseEnvironment(stdout: string): Map<string, string> {
  const strings = stdout.split('\0').slice(0, -1);
  for (const string of strings) {
    expect(string).toMatch(/^[^=]+=/);
  }

  return new Map(
    strings.map((string) => [
      string.slice(0, string.indexOf('=')),
      string.slice(string.indexOf('=') + 1),
    ]),
  );
}

/** The lines of hosts(5) between the marks of init, without the marks. Each must be one. */
export function blockOf(hosts: string): string[] {
  const [, block = '', ...more] = hosts.split(/^# (?:BEGIN|END) warp-init.*\n/m);
  const lines = block.split('\n').filter((line) => line !== '');
  expect(more.length).toBeLessThanOrEqual(1);
  for (const line of lines) {
    expect(line).toMatch(/^[\da-f.:]+(?: [a-z\d.-]+)+ # warp-init \(generated\)$/);
  }

  return lines.map((line) => line.replace(' # warp-init (generated)', ''));
}

/** A directory that any user may enter, removed after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'container-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  return directory;
}

const mountNamespace = ['unshare', ...(isRoot ? [] : ['--map-root-user']), '--mount'];

function createFiles({ config, files = {}, ...options }: ContainerOptions): string {
  const directory = temporaryDirectory();
  const all = {
    'etc/hosts': options.hosts ?? '127.0.0.1 localhost\n',
    'etc/nsswitch.conf': options.nsswitch ?? 'hosts: files dns\n',
    ...(config !== undefined && { 'app/warp.config.js': config }),
    ...Object.fromEntries(Object.entries(files).map(([path, text]) => [`app/${path}`, text])),
  };
  mkdirSync(join(directory, 'app'));
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(join(directory, dirname(path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }

  return directory;
}

type Pipe = {
  readonly writeFd: number;
  readonly output: Output;
  /** Resolves when nobody holds the other end any more. */
  readonly ended: Promise<void>;
};

/** A pipe of the kernel: Node can only make sockets. */
function createPipe(directory: string): Pipe {
  const path = join(directory, 'stderr');
  spawnSync('mkfifo', [path]);
  const socket = new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) });
  onTestFinished(() => void socket.destroy());
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { writeFd: openSync(path, 'w'), output: collect(socket), ended };
}

async function bothOf(
  ended: Promise<number | NodeJS.Signals>,
  stderrEnded: Promise<void>,
): Promise<number | NodeJS.Signals> {
  const status = await ended;
  // What outlives init may hold stderr open for ever.
  await Promise.race([stderrEnded, wait(200)]);
  return status;
}

function refuseLeaks(stderr: Output, secrets: readonly string[]): void {
  // Hooks run in reverse order: by then the processes, which are started later, are gone.
  onTestFinished(() => {
    for (const secret of secrets) {
      expect(stderr.text()).not.toContain(secret);
    }
  });
}

const shortestSecret = 6;

/** The values, and of a value with lines (a dotenv document) what each line assigns. */
function secretsOf({ emulator, secrets = [] }: ContainerOptions): string[] {
  const values = (emulator?.platform.secrets ?? []).map(({ value }) => value);
  const assigned = values.flatMap((value) =>
    value.split('\n').map((line) => line.replace(/^[A-Z_]+=/, '').replaceAll('"', '')),
  );
  const token = emulator?.environment.CYCLE_API_TOKEN ?? '';
  return [...values, ...assigned, token, ...secrets].filter(
    (secret) => secret.length >= shortestSecret,
  );
}

function parseLog(text: string): LogLine[] {
  const lines = text.split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line): LogLine => {
    const parsed: unknown = JSON.parse(line);
    expect(parsed).toMatchObject({
      name: 'warp-init',
      level: expect.any(Number),
      msg: expect.any(String),
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Checked in the line above.
    return parsed as LogLine;
  });
}

const fatalLevel = 60;

function matching(wanted: string | RegExp): unknown {
  return typeof wanted === 'string'
    ? expect.stringContaining(wanted)
    : expect.stringMatching(wanted);
}
