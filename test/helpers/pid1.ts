// `warp-init` as a real PID 1, and as an ordinary child, with a brain that the test leads.
//
// PID 1 needs no Docker: unshare(1) makes a PID namespace. Where it is forbidden those cases are
// skipped, or fail if WARP_INIT_REQUIRE_PID1=1 says that it is expected to work.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, onTestFinished } from 'vitest';

import { decodeMessage, encodeMessage } from '../../src/link/frames.ts';
import { frameHeaderSize, helloHeader } from '../../src/link/layout.ts';
import type { FromPid1, Hello, LaunchMessage, ToPid1 } from '../../src/link/messages.ts';
import { arm64Emulator } from './arm64.ts';
import { childrenOf, eventually, programOf, signalsIn, startProcess } from './process.ts';
import type { Running, StartOptions } from './process.ts';

const dist = new URL('../../dist/', import.meta.url).pathname;

export type Binary = 'release' | 'sanitizers' | 'glibc' | 'arm64';
export type Role = 'PID 1' | 'a child';

/** The path of a program of fixtures/programs. */
export function program(name: string): string {
  return join(dist, 'test', name);
}

const binaryPaths: Readonly<Record<Binary, string>> = {
  release: join(dist, 'warp-init'),
  sanitizers: join(dist, 'test/warp-init'),
  glibc: join(dist, 'test/warp-init-glibc'),
  arm64: join(dist, 'warp-init-arm64'),
};

export const isRoot = process.getuid?.() === 0;

const unshare = [
  ...(isRoot ? [] : ['--map-root-user']),
  '--pid',
  '--fork',
  '--mount-proc',
  '--kill-child',
];

/** Why nothing can run as PID 1 here; undefined: it can. */
export const noPid1Because = findObstacle();

/** Runs the block for init as PID 1 and as a child of an ordinary process. */
export function describeRoles(name: string, body: (role: Role) => void): void {
  describe.skipIf(noPid1Because !== undefined)(
    `as PID 1${noPid1Because === undefined ? '' : ` (skipped: ${noPid1Because})`}: ${name}`,
    () => {
      body('PID 1');
    },
  );
  describe(`as a child: ${name}`, () => {
    body('a child');
  });
}

/** Runs the block for the release and for the build with sanitizers, as PID 1 where that is possible. */
export function describeBinaries(name: string, body: (binary: Binary, role: Role) => void): void {
  const role = noPid1Because === undefined ? 'PID 1' : 'a child';
  describe(`the release: ${name}`, () => {
    body('release', role);
  });
  describe(`with sanitizers: ${name}`, () => {
    body('sanitizers', role);
  });
}

export type Init = Running & {
  readonly role: Role;
  /** In the namespace of the test. */
  readonly initPid: () => Promise<number>;
  readonly signal: (number: number | NodeJS.Signals) => Promise<void>;
};

export type InitOptions = StartOptions & {
  readonly role?: Role;
  readonly binary?: Binary;
  /** The path of the binary, where it is not one of dist/. */
  readonly path?: string;
  /** A command that starts init, e.g. a shell that closes descriptors first: its own arguments come last. */
  readonly through?: readonly string[];
};

/** Starts `warp-init ARGS`. */
export function startInit(args: readonly string[], options: InitOptions = {}): Init {
  const { role = 'a child', binary = 'release', through = [] } = options;
  const path = options.path ?? binaryPaths[binary];
  const [file = path, ...rest] = [
    ...through,
    ...(role === 'PID 1' ? ['unshare', ...unshare] : []),
    ...(binary === 'arm64' ? arm64Emulator : []),
    path,
    ...args,
  ];
  const running = startProcess(file, rest, options);
  onTestFinished(() => {
    // A report of a sanitizer is a defect in every test.
    expect(running.stderr.text()).not.toMatch(/Sanitizer|runtime error:/);
  });
  const initPid = (): Promise<number> =>
    role === 'a child' ? Promise.resolve(running.pid) : onlyChild(running.pid);
  return {
    ...running,
    role,
    initPid,
    signal: async (number) => void process.kill(await initPid(), number),
  };
}

/** A process that outlives init, as a test wants it to, ends with the test. The app has said `pid N`. */
export async function endWithTest({ stdout }: Init): Promise<void> {
  const [, pid] = await stdout.waitFor(/^pid (\d+)$/m);
  onTestFinished(() => {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // ESRCH: it was ended.
    }
  });
}

export type Termination = {
  /** When TERM was sent: after the start, for PID 1 after the moment from which the kernel delivers it. */
  readonly delayMs: number;
  readonly status: number | NodeJS.Signals;
  readonly stdout: string;
};

/** Starts init a hundred times and sends each one TERM, a millisecond later each time. */
export async function terminateAtEveryMillisecond(
  start: () => Init | Promise<Init>,
): Promise<Termination[]> {
  const ends: Termination[] = [];
  // Ten at a time: the delays add up otherwise.
  for (let first = 0; first < 100; first += 10) {
    const delaysMs = Array.from({ length: 10 }, (_, index) => first + index);
    ends.push(...(await Promise.all(delaysMs.map((delayMs) => terminateAfter(start, delayMs)))));
  }

  return ends;
}

async function terminateAfter(
  start: () => Init | Promise<Init>,
  delayMs: number,
): Promise<Termination> {
  const init = await start();
  if (init.role === 'PID 1') {
    await hasBlockedTerm(init);
  }

  await wait(delayMs);
  if (init.child.exitCode === null && init.child.signalCode === null) {
    await init.signal('SIGTERM');
  }

  return { delayMs, status: await init.ended, stdout: init.stdout.text() };
}

/**
 * Waits until init, and not unshare any more, has blocked TERM. What comes before that the kernel drops
 * for a PID 1 (pid_namespaces(7)): nothing that PID 1 could do something about.
 */
async function hasBlockedTerm(init: Init): Promise<void> {
  const pid = await init.initPid();
  await eventually(() => {
    if (!programOf(pid).endsWith('/warp-init') || !signalsIn(pid, 'SigBlk').includes(15)) {
      throw new Error('init has not blocked TERM yet');
    }
  });
}

/** The brain that runs now. The test speaks for it. */
export type Brain = {
  readonly hello: Hello;
  /** The launch that the hello brought back, as bytes; empty while preparing. */
  readonly lastLaunch: Buffer;
  readonly send: (message: ToPid1) => void;
  readonly sendBytes: (bytes: Uint8Array) => void;
  readonly receive: () => Promise<FromPid1>;
  /** It ends by itself. What was sent arrives before. */
  readonly end: () => void;
  /** Resolves when it is gone, by itself or not. */
  readonly gone: Promise<void>;
};

export type LedInit = Init & {
  /** The next brain that pid1 starts, once it was greeted. */
  readonly nextBrain: () => Promise<Brain>;
  /** The next brain, before it has read a byte. */
  readonly nextDeafBrain: () => Promise<{ readonly socket: Socket; readonly gone: Promise<void> }>;
};

/** Starts `warp-init run -- app` with a brain that is led by the test. */
export async function startLed(options: InitOptions = {}): Promise<LedInit> {
  const directory = mkdtempSync(join(tmpdir(), 'pid1-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755); // A test may start init as another user.
  const socketPath = join(directory, 'brain.sock');
  const nextSocket = await listen(socketPath);
  const init = startInit(['run', '--', 'app'], {
    ...options,
    path: installation(options.binary ?? 'release'),
    env: {
      WARP_INIT_NODE: program('relay-brain'),
      TEST_BRAIN_SOCKET: socketPath,
      ...options.env,
    },
  });
  return {
    ...init,
    nextBrain: async () => greet(await nextSocket()),
    nextDeafBrain: async () => {
      const socket = await nextSocket();
      return { socket, gone: goneWith(socket) };
    },
  };
}

/** A launch of `argv`, a program of fixtures/programs or a path, with what a test is about. */
export function launchOf(
  argv: readonly [string, ...string[]],
  rest: Partial<LaunchMessage> = {},
): ToPid1 & { readonly type: 'launch' } {
  const [file] = argv;
  return {
    type: 'launch',
    launch: {
      file: file.includes('/') ? file : program(file),
      argv,
      environment: [`PATH=${process.env['PATH'] ?? ''}`],
      singleChild: false,
      subreaper: true,
      exec: false,
      lingerMs: 0,
      stopSignals: [15],
      signalMap: new Map(),
      statusMap: new Map(),
      ...rest,
    },
  };
}

const installations = new Map<string, string>();

/** A copy of the binary with an empty warp-init.cjs (or `bundle`) beside it: pid1 asks only that it is there. */
export function installation(binary: Binary, bundle?: string): string {
  const known = installations.get(`${binary} ${bundle}`);
  if (known !== undefined) {
    return known;
  }

  const directory = mkdtempSync(join(tmpdir(), 'pid1-'));
  const path = join(directory, 'warp-init');
  copyFileSync(binaryPaths[binary], path);
  writeFileSync(join(directory, 'warp-init.cjs'), bundle ?? '');
  chmodSync(directory, 0o755);
  installations.set(`${binary} ${bundle}`, path);
  return path;
}

afterAll(() => {
  for (const path of installations.values()) {
    rmSync(join(path, '..'), { recursive: true, force: true });
  }

  installations.clear();
});

function findObstacle(): string | undefined {
  const probe = spawnSync('unshare', [...unshare, 'true'], { encoding: 'utf8' });
  if (probe.status === 0) {
    return undefined;
  }

  const why = probe.error?.message ?? probe.stderr.trim();
  if (process.env['WARP_INIT_REQUIRE_PID1'] === '1') {
    throw new Error(`Cannot run as PID 1, and WARP_INIT_REQUIRE_PID1=1 asks for it: ${why}`);
  }

  return why;
}

function onlyChild(pid: number): Promise<number> {
  return eventually(() => {
    const [child] = childrenOf(pid);
    if (child === undefined) {
      throw new Error('unshare has not started init yet');
    }

    return child;
  });
}

/** Each call gives the next connection, in the order in which they came. */
async function listen(path: string): Promise<() => Promise<Socket>> {
  const waiting: Socket[] = [];
  const server: Server = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => {}); // ECONNRESET: the brain was killed. `gone` says it.
    waiting.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  chmodSync(path, 0o777);
  onTestFinished(() => void server.close());
  return () =>
    eventually(() => {
      const socket = waiting.shift();
      if (socket === undefined) {
        throw new Error('pid1 has not started a brain');
      }

      return socket;
    });
}

function goneWith(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

async function greet(socket: Socket): Promise<Brain> {
  const gone = goneWith(socket);
  const receive = receiver(socket);
  const { message, payload } = await receive();
  if (message.type !== 'hello') {
    throw new Error(`a brain was greeted with ${message.type}`);
  }

  const launchSize = payload.readUInt32LE(helloHeader.indexOf('launch_size') * 4);
  return {
    hello: message.hello,
    lastLaunch: payload.subarray(payload.length - launchSize),
    send: (words) => void socket.write(encodeMessage(words)),
    sendBytes: (bytes) => void socket.write(bytes),
    receive: async () => (await receive()).message,
    end: () => void socket.end(),
    gone,
  };
}

type Received = { readonly message: FromPid1; readonly payload: Buffer };

function receiver(socket: Socket): () => Promise<Received> {
  let pending = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => (pending = Buffer.concat([pending, bytes])));
  socket.resume();
  return () =>
    eventually(() => {
      const end =
        pending.length < frameHeaderSize ? Infinity : frameHeaderSize + pending.readUInt32LE(0);
      if (pending.length < end) {
        throw new Error('pid1 has said nothing more');
      }

      const payload = pending.subarray(frameHeaderSize, end);
      const message = decodeMessage(pending.readUInt32LE(4), payload);
      pending = pending.subarray(end);
      return { message, payload };
    });
}
