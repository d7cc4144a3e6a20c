import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import type { Variable } from '../../src/core/environment.ts';
import { Secret } from '../../src/core/secret.ts';
import {
  type CommandEnd,
  type ReloadCommandRun,
  runCommand,
} from '../../src/reload/run-command.ts';
import { isRoot } from '../helpers/pid1.ts';
import { childrenOf, collect, eventually } from '../helpers/process.ts';

const path: Variable = { name: 'PATH', value: process.env['PATH'] ?? '', origin: 'inherited' };

type Ran = { readonly end: CommandEnd; readonly lines: readonly string[] };

async function run(argv: readonly string[], change: Partial<ReloadCommandRun> = {}): Promise<Ran> {
  const lines: string[] = [];
  const end = await runCommand({
    argv,
    variables: [path],
    secrets: [],
    account: undefined,
    directory: undefined,
    deadlineMs: 20_000,
    onLine: (line) => lines.push(line),
    ...change,
  });
  return { end, lines };
}

function shell(script: string, change: Partial<ReloadCommandRun> = {}): Promise<Ran> {
  return run(['sh', '-c', script], change);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a command ends', () => {
  test.each([
    ['well', 'exit 0', { kind: 'ok' }],
    ['with a status', 'exit 3', { kind: 'exited', status: 3 }],
    ['by a signal', 'kill -USR1 $$', { kind: 'signaled', signal: 'SIGUSR1' }],
  ])('%s', async (_how, script, end) => {
    expect((await shell(script)).end).toEqual(end);
  });

  test.each([
    ['that does not exist', ['/no/such/program'], 'ENOENT'],
    ['that is not in PATH', ['no-such-program'], 'ENOENT'],
    ['that is a directory', ['/tmp'], 'EACCES'],
    ['with a NUL in an argument', ['echo', 'a\0b'], 'EINVAL'],
  ])('before it began, if it is one %s', async (_what, argv, reason) => {
    expect((await run(argv)).end).toEqual({ kind: 'not-started', reason });
  });

  test('before it began, where its directory is gone', async () => {
    const { end } = await run(['true'], { directory: '/no/such/directory' });

    expect(end).toEqual({ kind: 'not-started', reason: 'ENOENT' });
  });

  test('when its deadline does: all that it started ends by SIGTERM', async () => {
    const { end, lines } = await shell('sleep 100 & echo $!; wait', { deadlineMs: 300 });

    expect([end, lines.length]).toEqual([{ kind: 'timed-out' }, 1]);
    await eventually(() => expect(isAlive(Number(lines[0]))).toBe(false));
  });

  test('when its deadline does, by SIGKILL if it ignores SIGTERM, and its child as well', async () => {
    const script = "trap '' TERM; sleep 100 & echo $!; echo $$; while true; do sleep 1; done";
    const { end, lines } = await shell(script, { deadlineMs: 300, killDelayMs: 100 });

    expect(end).toEqual({ kind: 'timed-out' });
    expect(lines).toHaveLength(2);
    await eventually(() => expect(lines.filter((pid) => isAlive(Number(pid)))).toEqual([]));
  });

  test('when its deadline does, also for a child that outlives it by ignoring SIGTERM', async () => {
    const script = "(trap '' TERM; exec sleep 100) & echo $!; sleep 0.1; wait";
    const { end, lines } = await shell(script, { deadlineMs: 500, killDelayMs: 60_000 });

    expect([end, lines.length]).toEqual([{ kind: 'timed-out' }, 1]);
    await eventually(() => expect(isAlive(Number(lines[0]))).toBe(false));
  });

  test.skipIf(!isRoot)(
    'for us, where it may not be killed: the next one is not held up',
    async () => {
      const runner = new URL('command-runner.ts', import.meta.url).pathname;
      const words = ['--import', 'tsx', runner, 'sh', '-c', 'echo $$; exec sleep 100'];
      const child = spawn('setpriv', ['--bounding-set=-kill', process.execPath, ...words], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, TEST_UID: '1234', TEST_DEADLINE_MS: '300' },
      });
      const output = collect(child.stdout);
      const ended = once(child, 'exit');
      await output.waitFor('timed-out');
      const pid = Number(output.text().split('\n')[0]);
      onTestFinished(() => void process.kill(pid, 'SIGKILL'));
      expect(isAlive(pid)).toBe(true);
      // Nor does it keep us from ending.
      expect(await ended).toEqual([0, null]);
    },
  );

  test('when it ends, though something that it started holds its output open and goes on', async () => {
    const { end, lines } = await shell('sleep 100 & echo $!');
    const pid = Number(lines[0]);
    onTestFinished(() => void process.kill(pid, 'SIGKILL'));

    expect(end).toEqual({ kind: 'ok' });
    expect(isAlive(pid)).toBe(true);
  });

  test('and leaves no zombie', async () => {
    const before = childrenOf(process.pid);
    await Promise.all([shell('exit 0'), shell('exit 1'), shell('sleep 100', { deadlineMs: 50 })]);

    await eventually(() => {
      expect(childrenOf(process.pid).filter((pid) => !before.includes(pid))).toEqual([]);
    });
  });
});

describe('a command has', () => {
  test('the environment of the app and nothing of ours', async () => {
    const password: Variable = {
      name: 'PW',
      value: new Secret('hunter2-hunter2'),
      origin: 'secret',
    };
    const { lines } = await shell('env; test "$PW" = hunter2-hunter2 && echo has it', {
      variables: [path, password],
    });
    const names = lines.map((line) => line.split('=')[0]);

    expect(new Set(names)).toEqual(new Set(['PATH', 'PW', 'PWD', 'has it']));
  });

  test('the PATH of that environment, to be found', async () => {
    const nowhere: Variable = { ...path, value: '/nowhere' };

    expect((await run(['env'], { variables: [nowhere] })).end.kind).toBe('not-started');
  });

  test('the directory of the app', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'run-command-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));

    expect((await run(['pwd'], { directory })).lines).toEqual([directory]);
  });

  test.skipIf(process.getuid?.() !== 0)('the user of the app, and no group of ours', async () => {
    const { lines } = await shell('id -u; id -g; id -G', { account: { uid: 1234, gid: 2345 } });

    expect(lines).toEqual(['1234', '2345', '2345']);
  });

  test('a process group of its own, no terminal and nothing to read', async () => {
    const { lines } = await shell('ps -o pgid= -p $$ | tr -d " "; echo $$; cat; echo end');

    expect(lines[0]).toBe(lines[1]);
    expect(lines[2]).toBe('end');
  });

  test('none of our descriptors, not even one that we inherited without close-on-exec', async () => {
    const runner = new URL('command-runner.ts', import.meta.url).pathname;
    const file = openSync('/dev/null', 'r');
    onTestFinished(() => closeSync(file));
    const look = 'for fd in 3 4 5 6; do readlink /proc/$$/fd/$fd; done; exit 0';
    const child = spawn(process.execPath, ['--import', 'tsx', runner, 'sh', '-c', look], {
      stdio: ['ignore', 'pipe', 'inherit', file, file, file, file],
    });
    const output = collect(child.stdout);
    await output.waitFor('ok');

    expect(output.text()).toBe('ok\n');
  });
});

describe('the output of a command', () => {
  test('is that of both streams, line by line, in UTF-8', async () => {
    const { lines } = await shell(
      String.raw`printf 'gr\303'; sleep 0.05; printf '\274n\r\nend'; echo warn >&2`,
    );

    expect(lines.toSorted()).toEqual(['end', 'grün', 'warn']);
  });

  test('has no secret in it, not even where a line was cut', async () => {
    const text = 'hunter2-'.repeat(10);
    const secret: Variable = { name: 'PW', value: new Secret(text), origin: 'secret' };
    const fill = 'x'.repeat(4096 - 20);
    const { lines } = await shell(`echo "pw=$PW"; echo "${fill}$PW$PW"; echo "$PW${fill}$PW"`, {
      variables: [path, secret],
    });

    expect(lines[0]).toBe('pw=[secret]');
    expect(lines).toHaveLength(3);
    expect(lines.join('')).not.toContain('hunter2');
  });

  test('shows as much of a long line as ever, however long a secret is', async () => {
    const secret: Variable = {
      name: 'PW',
      value: new Secret('s'.repeat(50_000)),
      origin: 'secret',
    };
    const { lines } = await shell('head -c 1000000 /dev/zero | tr "\\0" x', {
      variables: [path, secret],
    });

    expect(lines.map((line) => line.length)).toEqual([4096]);
  });

  test('is bounded, in lines and in their length, and the command is never held up by that', async () => {
    const { end, lines } = await shell('seq 1 5000; head -c 1000000 /dev/zero | tr "\\0" x');

    expect(end).toEqual({ kind: 'ok' });
    expect(lines.slice(0, 3)).toEqual(['1', '2', '3']);
    expect(lines).toHaveLength(1001);
    expect(lines.at(-1)).toBe('(4001 more lines)');

    const long = await shell('head -c 1000000 /dev/zero | tr "\\0" x');
    expect(long.lines.map((line) => line.length)).toEqual([4096]);
  });
});
