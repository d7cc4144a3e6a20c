// Real processes for tests: started, listened to, and ended with the test.
import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { onTestFinished, vi } from 'vitest';

const deadlineMs = 20_000;

/** What a stream has said so far. */
export type Output = {
  readonly text: () => string;
  /** Resolves with the match when it was said; rejects after 20 s, or when the stream ends without. */
  readonly waitFor: (wanted: string | RegExp) => Promise<RegExpMatchArray>;
};

export type Running = {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly stdout: Output;
  readonly stderr: Output;
  /** The exit status, or the name of the signal that ended it. Never rejects. */
  readonly ended: Promise<number | NodeJS.Signals>;
};

export type StartOptions = {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** Default: three pipes (of Node's: in truth they are sockets). */
  readonly stdio?: StdioOptions;
};

/** Starts a program. With the test it ends, and all that it started and that is still below it. */
export function startProcess(
  file: string,
  args: readonly string[],
  options: StartOptions = {},
): Running {
  const { env = {}, cwd, stdio = 'pipe' } = options;
  const child = spawn(file, args, {
    env: { PATH: process.env['PATH'], ...env },
    ...(cwd !== undefined && { cwd }),
    stdio,
  });
  const { pid } = child;
  if (pid === undefined) {
    child.on('error', () => {}); // The sentence below says it.
    throw new Error(
      `Cannot start ${file}: is it built? Run \`npm run build && npm run build:test\`.`,
    );
  }

  child.stdin?.on('error', () => {}); // EPIPE: it ended before it read.
  const ended = endOf(child);
  onTestFinished(async () => {
    killTree(pid);
    await ended;
  });
  return { pid, child, stdout: collect(child.stdout), stderr: collect(child.stderr), ended };
}

/** Waits until `condition` holds, by looking again and again. It throws as long as it does not. */
export function eventually<Value>(condition: () => Value | Promise<Value>): Promise<Value> {
  return vi.waitFor(condition, { timeout: deadlineMs, interval: 3 });
}

/** The processes whose parent is `pid`, zombies included. */
export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.trim() === '' ? [] : text.trim().split(' ').map(Number);
  } catch {
    return []; // It has ended.
  }
}

/** The only child of `pid` that runs `program` by now; waits for it. */
export function childRunning(pid: number, program: string): Promise<number> {
  return eventually(() => {
    const found = childrenOf(pid).find((child) => programOf(child).endsWith(`/${program}`));
    if (found === undefined) {
      throw new Error(`no child of ${pid} runs ${program}`);
    }

    return found;
  });
}

/** The path of the program that a process runs; empty if it has ended. */
export function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
}

/** A field of /proc/PID/status, e.g. `SigBlk`. */
export function statusField(pid: number, field: string): string {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return (new RegExp(String.raw`^${field}:[ \t]*(.*)$`, 'm').exec(text)?.[1] ?? '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** A signal set of /proc/PID/status, e.g. of `SigIgn`, as numbers. */
export function signalsIn(pid: number, field: string): number[] {
  const set = BigInt(`0x${statusField(pid, field)}`);
  return Array.from({ length: 64 }, (_, bit) => bit + 1).filter(
    (number) => ((set >> BigInt(number - 1)) & 1n) === 1n,
  );
}

/** The open descriptors of a process, and what each leads to. */
export function descriptorsOf(pid: number): Map<number, string> {
  return new Map(
    readdirSync(`/proc/${pid}/fd`)
      .map(Number)
      .toSorted((a, b) => a - b)
      .flatMap((fd) => {
        const target = linkTarget(`/proc/${pid}/fd/${fd}`);
        return target === undefined ? [] : [[fd, target] as const];
      }),
  );
}

/** Undefined for a descriptor that was closed after it was listed. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Inodes of the TCP sockets on which a process listens (proc_pid_net(5), state 0A). */
export function listeningSockets(pid: number): string[] {
  const listening = ['tcp', 'tcp6'].flatMap((family) =>
    readFileSync(`/proc/${pid}/net/${family}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A')
      .map((fields) => `socket:[${fields[9]}]`),
  );
  return readdirSync(`/proc/${pid}/fd`)
    .map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
    .filter((target) => listening.includes(target));
}

/** Whether O_NONBLOCK is set on an open descriptor of a process. */
export function isNonBlocking(pid: number, fd: number): boolean {
  const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1];
  return (Number.parseInt(flags ?? '0', 8) & 0o4000) !== 0;
}

export function collect(stream: Readable | null): Output {
  let text = '';
  let isOver = stream === null;
  stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  stream?.on('close', () => (isOver = true));
  stream?.on('error', () => (isOver = true));
  return {
    text: () => text,
    waitFor: (wanted) => {
      const pattern = typeof wanted === 'string' ? new RegExp(escape(wanted)) : wanted;
      return vi.waitUntil(
        () => {
          const match = pattern.exec(text);
          if (match === null && isOver) {
            throw new Error(`the stream ended without ${String(wanted)}; it said: ${text}`);
          }

          return match;
        },
        { timeout: deadlineMs, interval: 2 },
      );
    },
  };
}

export function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

async function endOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const end = await new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'));
  });
  // The output is complete then; what outlives init may hold the pipes open for ever.
  await Promise.race([closed, wait(200)]);
  return end;
}

function killTree(pid: number): void {
  const all = [pid];
  for (const parent of all) {
    all.push(...childrenOf(parent));
  }

  for (const each of all) {
    try {
      process.kill(each, 'SIGKILL');
    } catch {
      // ESRCH: it has ended.
    }
  }
}
