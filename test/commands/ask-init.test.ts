// `status`, `reload` and `health` against a control socket with states that are data, and against what is left of one.
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { type InitMarker, formatMarker } from '../../src/core/init-marker.ts';
import type { Status } from '../../src/core/status.ts';
import { formatStatus } from '../../src/core/status-text.ts';
import { leaveMarker } from '../../src/commands/leave-marker.ts';
import { busy, reportOf } from '../core/status-examples.ts';
import { startProcess, statusField } from '../helpers/process.ts';
import { deadSocketPath, serveBytes, serveHttp } from '../inputs/socket-server.ts';
import { serve, stateDirectory } from '../reload/control-rig.ts';

const program = new URL('run-command-line.ts', import.meta.url).pathname;

type Ended = { readonly status: number | string; readonly stdout: string; readonly stderr: string };

async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const init = startProcess(process.execPath, ['--import', 'tsx', program, ...args], { env });
  const status = await init.ended;
  return { status, stdout: init.stdout.text(), stderr: init.stderr.text() };
}

function ask(command: string, directory: string, ...args: string[]): Promise<Ended> {
  return run([command, '--state-directory', directory, ...args]);
}

/** What the log has of an error. */
function errorOf({ status, stdout, stderr }: Ended): unknown {
  const { code, msg, fix } = JSON.parse(stderr);
  return { status, stdout, code, msg, fix };
}

const lost: Status = { ...busy, pipeline: { ...busy.pipeline, isConnected: false } };

describe('warp-init status', () => {
  test('prints for people, or with --json what the socket says, and ends with 0 also for an init that is ill', async () => {
    const { directory } = await serve({ status: () => Promise.resolve(lost) });
    const [text, json] = await Promise.all([
      ask('status', directory),
      ask('status', directory, '--json'),
    ]);
    expect(text).toEqual({ status: 0, stdout: formatStatus(lost), stderr: '' });
    expect(json).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(json.stdout)).toEqual({
      ...lost,
      reload: { ...lost.reload, held: null, restartInMs: null },
    });
  });

  test('takes the directory of WARP_INIT_STATE_DIRECTORY, unless one is given', async () => {
    const [one, other] = await Promise.all([
      serve(),
      serve({ status: () => Promise.resolve(lost) }),
    ]);
    const env = { WARP_INIT_STATE_DIRECTORY: one.directory };
    const [byVariable, byOption] = await Promise.all([
      run(['status'], env),
      run(['status', '--state-directory', other.directory], env),
    ]);
    expect(byVariable.stdout).toBe(formatStatus(busy));
    expect(byOption.stdout).toBe(formatStatus(lost));
  });

  test.each([
    [['status', '--state-directory', 'run'], {}, '"run" for --state-directory'],
    [['health'], { WARP_INIT_STATE_DIRECTORY: '../run' }, '"../run" for WARP_INIT_STATE_DIRECTORY'],
  ])('%j is refused where the directory is no absolute path', async (args, env, which) => {
    expect(errorOf(await run(args, env))).toMatchObject({
      status: 64,
      stdout: '',
      code: 'E_USAGE',
      msg: expect.stringContaining(which),
    });
  });

  test.each([
    [['status', '--jsn'], 'Did you mean --json?'],
    [['satus'], 'Did you mean `warp-init status`? To run it as the app, put -- before it.'],
    [['reload', '--json'], 'See warp-init --help.'],
    [['reload', '--nwo'], 'Did you mean --now?'],
    [['reload', '--now=later'], 'Write --now, or --now=false.'],
    [['status', '--now'], 'See warp-init --help.'],
    [['health', '--user', 'x'], 'See warp-init --help.'],
  ])('%j is no command line', async (args, fix) => {
    expect(errorOf(await run(args))).toMatchObject({ status: 64, code: 'E_USAGE', fix });
  });
});

describe('warp-init reload', () => {
  test('waits, prints what has changed, and ends with 0 if it has worked', async () => {
    const { directory } = await serve();
    expect(await ask('reload', directory)).toEqual({
      status: 0,
      stdout: 'Reloaded: the files are up to date, the app was signaled.\n  ist  my-db\n',
      stderr: '',
    });
  });

  test('ends with 1 and says why if it has not', async () => {
    const { directory } = await serve({
      reload: () =>
        Promise.resolve(reportOf('refused', { problem: 'Cannot use warp.config.js: 1 problem' })),
    });
    expect(await ask('reload', directory)).toEqual({
      status: 1,
      stdout:
        'Nothing was reloaded: what is new is not valid.\n' +
        '  why  Cannot use warp.config.js: 1 problem\n',
      stderr: '',
    });
  });

  test('waits for quiet and the spacing of restarts, unless it is told not to', async () => {
    const asked: boolean[] = [];
    const { directory } = await serve({
      reload: (isNow) => {
        asked.push(isNow);
        return Promise.resolve(reportOf('restart-held', { restartInMs: 42_001 }));
      },
    });
    expect(await ask('reload', directory)).toEqual({
      status: 0,
      stdout: expect.stringContaining('the app restarts in 43 s, because'),
      stderr: '',
    });
    await ask('reload', directory, '--now');
    expect(asked).toEqual([false, true]);
  });

  test('ends with 69 where the brain ends meanwhile, or has a defect', async () => {
    const ending = await serve({
      reload: () => {
        ending.close();
        return new Promise(() => undefined);
      },
    });
    const broken = await serve({ reload: () => Promise.reject(new TypeError('x')) });
    const [ended, failed] = await Promise.all([
      ask('reload', ending.directory),
      ask('reload', broken.directory),
    ]);
    expect(errorOf(ended)).toMatchObject({
      status: 69,
      code: 'E_CONTROL',
      msg: `Cannot use the answer of ${ending.path}: the connection failed with ECONNRESET`,
      fix: expect.stringMatching(/^Run it again: the brain has ended meanwhile/),
    });
    expect(errorOf(failed)).toMatchObject({
      status: 69,
      msg: `Cannot use the answer of ${broken.path}: its status is 500, and it is no report`,
      fix: expect.stringMatching(/^Look into the log/),
    });
  });
});

describe('warp-init health', () => {
  test.each([
    ['follows the platform', busy, 0, 'healthy: the app runs (pid 7), the pipeline is connected\n'],
    [
      'has lost the platform',
      lost,
      1,
      'unhealthy: the app runs (pid 7), but the pipeline is not connected\n',
    ],
    [
      'has no app',
      { ...busy, app: { ...busy.app, pid: undefined } },
      1,
      'unhealthy: the app does not run, it has ended\n',
    ],
  ])('of an init that %s', async (_which, state, status, stdout) => {
    const { directory } = await serve({ status: () => Promise.resolve(state) });
    expect(await ask('health', directory)).toEqual({ status, stdout, stderr: '' });
  });

  test('is bad where nobody answers within 3 s', async () => {
    const path = await serveBytes(() => undefined);
    const begin = Date.now();
    const directory = adopt(path);
    expect(await ask('health', directory)).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(
        /^unhealthy: Cannot find an init that answers: .*control\.sock \(there was no complete answer within \d+ ms\)\n$/,
      ),
    });
    expect(Date.now() - begin).toBeGreaterThan(2900);
  });

  test.each([
    [500, 'x', 'its status is 500'],
    [200, '{"version":2}', 'it is no status that this version knows'],
    [200, 'a'.repeat(100), 'it is no status that this version knows'],
  ])('is bad where the answer is %i %s', async (code, body, problem) => {
    const directory = adopt(await serveHttp(() => ({ status: code, body })));
    expect(await ask('health', directory)).toMatchObject({
      status: 1,
      stdout: `unhealthy: Cannot use the answer of ${directory}/control.sock: ${problem}\n`,
    });
  });
});

describe('Where no init runs', () => {
  test.each(['status', 'reload'])(
    '%s ends with 69 and says where it has looked',
    async (command) => {
      const directory = stateDirectory();
      expect(errorOf(await ask(command, directory))).toEqual({
        status: 69,
        stdout: '',
        code: 'E_NO_INIT',
        msg: `Cannot find an init that answers: ${directory}/control.sock (there is none)`,
        fix: expect.stringContaining('WARP_INIT_STATE_DIRECTORY'),
      });
    },
  );

  test('health ends with 1', async () => {
    const directory = stateDirectory();
    expect(await ask('health', directory)).toEqual({
      status: 1,
      stdout: `unhealthy: Cannot find an init that answers: ${directory}/control.sock (there is none)\n`,
      stderr: '',
    });
  });

  test('a socket that a brain has left is told from none', async () => {
    const directory = adopt(await deadSocketPath());
    expect(errorOf(await ask('status', directory))).toMatchObject({
      status: 69,
      msg: `Cannot find an init that answers: ${directory}/control.sock (nobody listens)`,
      fix: expect.stringContaining('starting again'),
    });
  });

  test('a directory in which others could answer is not asked', async () => {
    const { directory } = await serve();
    chmodSync(directory, 0o777);
    expect(errorOf(await ask('status', directory))).toMatchObject({
      status: 69,
      msg: `Cannot find an init that answers: ${directory} (no directory, or not one of uid ${process.getuid?.()})`,
    });
  });
});

describe('Of an init without a brain', () => {
  test('status, health and reload know what it has left', async () => {
    const directory = leave(process.pid);
    const [status, json, health, reload] = await Promise.all([
      ask('status', directory),
      ask('status', directory, '--json'),
      ask('health', directory),
      ask('reload', directory),
    ]);
    const healthy = `healthy: the app runs (pid ${process.pid}), nothing is followed\n`;
    expect(health).toEqual({ status: 0, stdout: healthy, stderr: '' });
    expect(status).toMatchObject({ status: 0, stderr: '' });
    expect(status.stdout.startsWith(healthy)).toBe(true);
    expect(JSON.parse(json.stdout)).toMatchObject({
      version: 1,
      app: { pid: process.pid, isRestarting: false },
      pipeline: { isNeeded: false },
      pid1: null,
    });
    expect(errorOf(reload)).toMatchObject({ status: 69, code: 'E_NO_BRAIN' });
  });

  test('the app is ill that has ended, also while nobody has reaped it', async () => {
    // It ends when its parent is a program that reaps nobody, and no shell any more.
    const child = 'until grep -qs sleep /proc/$$/comm; do :; done';
    const zombie = startProcess('sh', ['-c', `(${child}) & echo $!; exec sleep 1000`]);
    const [, pid] = await zombie.stdout.waitFor(/^(\d+)\n/);
    const app = Number(pid);
    const { stdout, ended } = startProcess('sh', ['-c', 'echo $$; read -r line']);
    await stdout.waitFor('\n');
    const directory = leave(Number(stdout.text()));
    const gone = markerOf(directory);
    process.kill(gone.app.pid, 'SIGKILL');
    await ended;
    const unhealthy = 'unhealthy: the app does not run, it has ended\n';
    expect(await ask('health', directory)).toEqual({ status: 1, stdout: unhealthy, stderr: '' });

    await expect.poll(() => statusField(app, 'State')).toMatch(/^Z/);
    expect(await ask('health', leave(app))).toEqual({ status: 1, stdout: unhealthy, stderr: '' });
  });

  test('nothing is left that an earlier start of the container has left', async () => {
    const directory = leave(process.pid);
    const marker = markerOf(directory);
    const init = { ...marker.init, startTicks: `${marker.init.startTicks}0` };
    writeFileSync(join(directory, 'init.json'), formatMarker({ ...marker, init }));
    expect((await ask('health', directory)).stdout).toContain('Cannot find an init that answers');
    writeFileSync(join(directory, 'init.json'), '{}');
    expect((await ask('health', directory)).stdout).toContain('Cannot find an init that answers');
  });

  test('a brain that answers counts for more', async () => {
    const directory = leave(process.pid);
    await serve({ path: join(directory, 'control.sock'), status: () => Promise.resolve(lost) });
    expect((await ask('health', directory)).stdout).toContain('the pipeline is not connected');
  });

  test('what it has left may be read by any user, and written by init’s alone', () => {
    const path = join(leave(process.pid), 'init.json');
    const { mode, uid } = lstatSync(path);
    expect([(mode & 0o7777).toString(8), uid]).toEqual(['644', process.getuid?.()]);
    expect(readFileSync(path, 'utf8')).toMatch(/^\{"version":1,.*\}\n$/);
  });

  test('a directory that is full or gone is told, and nothing else happens', () => {
    const directory = stateDirectory();
    mkdirSync(join(directory, 'init.json/x'), { recursive: true });
    const state = { kind: 'usable', path: directory } as const;
    expect(leaveMarker({ state, isPid1: true, appPid: process.pid })).toMatchObject({
      code: 'W_INIT_MARKER',
      where: `${directory}/init.json`,
    });
    rmSync(join(directory, 'init.json'), { recursive: true });
    const none = { kind: 'none', tried: [] } as const;
    expect(leaveMarker({ state: none, isPid1: true, appPid: process.pid })).toBeUndefined();
    expect(leaveMarker({ state, isPid1: true, appPid: 2 ** 30 })).toBeUndefined();
  });
});

/** Makes the socket the control socket of its directory. */
function adopt(path: string): string {
  linkSync(path, `${path}.2`);
  renameSync(`${path}.2`, join(dirname(path), 'control.sock'));
  return dirname(path);
}

/** As `run` does it, for processes of this test. */
function leave(appPid: number): string {
  const directory = stateDirectory();
  const problem = leaveMarker({
    state: { kind: 'usable', path: directory },
    isPid1: false,
    appPid,
  });
  expect(problem).toBeUndefined();
  return directory;
}

function markerOf(directory: string): InitMarker {
  return JSON.parse(readFileSync(join(directory, 'init.json'), 'utf8'));
}
