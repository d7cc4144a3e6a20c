// What pid1 says and does where a sandbox, a limit or an unusual root refuses it what it asks for.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { encodeMessage } from '../../src/link/frames.ts';
import { frameType } from '../../src/link/layout.ts';
import { installation, isRoot, launchOf, program, startInit, startLed } from '../helpers/pid1.ts';
import type { Init } from '../helpers/pid1.ts';
import { childRunning, descriptorsOf, startProcess } from '../helpers/process.ts';

const [EPERM, EACCES, EMFILE, ENOSYS] = [1, 13, 24, 38];
const launchHeaderSize = 44 + 65 + 65 + 256 + 2;
const [PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS] = [4, 36, 38];
const RLIMIT_NPROC = 6;
const noFiles = { resource: 7, soft: 9n, hard: 9n };
const [SIGTERM, SIGWINCH] = [15, 28];

describe('what pid1 cannot do without ends the start with a message', () => {
  test.each([
    ['signals', `signalfd4=${ENOSYS}`, 'Cannot read signals: Function not implemented'],
    ['a socket', `socketpair=${EMFILE}`, 'Cannot start the brain: no socket: '],
    ['a session', `setsid=${EPERM}`, 'Cannot start the brain: Operation not permitted'],
  ])('%s (%s): status 70', async (_what, refusal, message) => {
    const init = await startLed({ through: refusing(refusal) });
    expect(await init.ended).toBe(70);
    expect(init.stderr.text()).toContain(`warp-init: ${message}`);
  });

  test.each([
    [
      'that takes the place of inherited descriptors, which it cannot close',
      'Permission denied',
      refusing(`close_range=${ENOSYS}`, `getdents64=${EACCES}`),
    ],
    [
      'for lack of descriptors',
      /Too many open files|No file descriptors available/,
      ['prlimit', '--nofile=12'],
    ],
    ...(isRoot ? [['without a /dev', 'No such file or directory', covering('/dev')] as const] : []),
  ] as const)('a brain %s (%s): status 70', async (_what, reason, through) => {
    const init = await startLed({ through });
    expect(await init.ended).toBe(70);
    expect(init.stderr.text()).toMatch(/^warp-init: Cannot start the brain: .*\. Mount \/dev/);
    expect(init.stderr.text()).toMatch(reason);
  });

  test('a Node that is text without an interpreter, for the brain: status 70, and why', async () => {
    const file = join(temporaryDirectory(), 'node');
    writeFileSync(file, 'no program\n', { mode: 0o755 });
    const init = startInit(['--', 'true'], {
      path: installation('release'),
      env: { WARP_INIT_NODE: file },
    });
    expect(await init.ended).toBe(70);
    expect(init.stderr.text()).toContain(`Cannot run Node ${file}: Exec format error.`);
  });

  test('another process, at its limit of them: status 70', async () => {
    const through = ['prlimit', '--nproc=1', 'setpriv', '--reuid=54323', '--clear-groups'];
    const init = await startLed({ through: isRoot ? through : ['prlimit', '--nproc=1'] });
    expect(await init.ended).toBe(70);
    expect(init.stderr.text()).toContain('Cannot start the brain: no process: ');
  });

  test('a session of the app, in plain mode: status 70', async () => {
    const init = startInit(['--plain', '--', program('stay')], {
      through: refusing(`setsid=${EPERM}`),
    });
    expect(await init.ended).toBe(70);
    expect(init.stderr.text()).toBe(
      `warp-init: Cannot run ${program('stay')}: a process group could not be had: Operation not permitted. ` +
        'Allow setsid(2) and setpgid(2) in the sandbox.\n',
    );
  });

  test('a Node that is text without an interpreter, for a command of its own: status 126', async () => {
    const file = join(temporaryDirectory(), 'node');
    writeFileSync(file, 'no program\n', { mode: 0o755 });
    const init = startInit(['--help'], {
      path: installation('release'),
      env: { WARP_INIT_NODE: file },
    });
    expect(await init.ended).toBe(126);
    expect(init.stderr.text()).toContain(`Cannot run Node ${file}: Exec format error.`);
  });
});

describe('the brain is told of a launch that fails', () => {
  test('before there is a process for it', async () => {
    const init = await startLed({ through: refusing(`pipe2=${EMFILE}`) });
    const brain = await init.nextBrain();
    brain.send(launchOf(['stay']));
    expect(await brain.receive()).toEqual({ type: 'spawn-failed', stage: 'fork', errno: EMFILE });
    brain.send({ type: 'abort', status: 3 });
    expect(await init.ended).toBe(3);
  });
});

describe('a launch with --exec that fails has the status that the brain would have given, and a remedy', () => {
  const user = /its user could not be had: Operation not permitted\. Start the container as root/;
  test.each([
    ['groups', `setgroups=${EPERM}`, { groups: [7] }, 78, user],
    ['gid', `setresgid=${EPERM}`, { gid: 2345 }, 78, user],
    ['uid', `setresuid=${EPERM}`, { uid: 1234 }, 78, user],
    [
      'limits',
      `prlimit64=${EPERM}`,
      { limits: [noFiles] },
      78,
      /its limits .*\. Lower init\.limits/,
    ],
    [
      'directory',
      `setgroups=${EPERM}`,
      { directory: '/no/such/directory' },
      78,
      /its directory could not be had: No such file or directory\. As init\.cwd/,
    ],
    [
      'privileges',
      `prctl:${PR_SET_NO_NEW_PRIVS}=${ENOSYS}`,
      { noNewPrivileges: true },
      70,
      /fewer privileges .*leave init\.noNewPrivileges out/,
    ],
  ] as const)('at the stage %s', async (_stage, refusal, change, status, message) => {
    const init = await startLed({ through: refusing(refusal) });
    const brain = await init.nextBrain();
    brain.send(launchOf(['stay'], { exec: true, ...change }));
    expect(await init.ended).toBe(status);
    expect(init.stderr.text()).toMatch(/^warp-init: Cannot run \/.*\/stay: /);
    expect(init.stderr.text()).toMatch(message);
  });

  test('where its environment is too large', async () => {
    const init = await startLed();
    const brain = await init.nextBrain();
    brain.send(launchOf(['stay'], { exec: true, environment: [`A=${'x'.repeat(200_000)}`] }));
    expect(await init.ended).toBe(126);
    expect(init.stderr.text()).toMatch(/stay: Arg.* list too long\. Make its arguments and its/);
  });

  test.skipIf(!isRoot)('where its user has as many processes as it may have', async () => {
    for (let count = 0; count < 2; count += 1) {
      const other = startProcess('setpriv', ['--reuid=54325', '--clear-groups', program('stay')]);
      await other.stdout.waitFor('ready');
    }

    const init = await startLed();
    const brain = await init.nextBrain();
    const limits = [{ resource: RLIMIT_NPROC, soft: 1n, hard: 1n }];
    brain.send(launchOf(['stay'], { exec: true, uid: 54_325, limits }));
    expect(await init.ended).toBe(126);
    expect(init.stderr.text()).toMatch(/stay: .*\. Raise the limit of its user on processes/);
  });

  test('where the file is no program', async () => {
    const file = join(temporaryDirectory(), 'script');
    writeFileSync(file, 'echo\n', { mode: 0o755 });
    const init = await startLed();
    const brain = await init.nextBrain();
    brain.send(launchOf([file], { exec: true }));
    expect(await init.ended).toBe(126);
    expect(init.stderr.text()).toBe(
      `warp-init: Cannot run ${file}: Exec format error. ` +
        'Give a script a first line (#!/bin/sh), or take a program for this architecture.\n',
    );
  });
});

describe('what the app can do without is said, and it runs', () => {
  test.each([
    [PR_SET_DUMPABLE, { notDumpable: true }, 'Cannot close my memory to others'],
    [PR_SET_CHILD_SUBREAPER, { subreaper: true }, 'Cannot adopt orphans'],
  ] as const)('prctl(%i) for %j', async (option, wish, message) => {
    const init = await startLed({ through: refusing(`prctl:${option}=${EPERM}`) });
    expect(
      await runAndEnd(init, async () => (await init.nextBrain()).send(launchOf(['stay'], wish))),
    ).toBe(143);
    expect(init.stderr.text()).toContain(`${message}: Operation not permitted.`);
  });

  test('prctl(PR_SET_CHILD_SUBREAPER) in plain mode', async () => {
    const init = startInit(['--plain', program('stay')], {
      through: refusing(`prctl:${PR_SET_CHILD_SUBREAPER}=${EPERM}`),
    });
    expect(await runAndEnd(init)).toBe(143);
    expect(init.stderr.text()).toContain('Cannot adopt orphans: Operation not permitted.');
  });

  test('the descriptors that init was started with, in plain mode, where they cannot be closed', async () => {
    const init = startInit(['--plain', program('stay')], {
      through: refusing(`close_range=${ENOSYS}`, `getdents64=${EACCES}`),
    });
    expect(await runAndEnd(init)).toBe(143);
    expect(init.stderr.text()).toMatch(
      /Cannot close the descriptors that init was started with: Permission denied\..*allow close_range\(2\)/,
    );
  });

  test('close_range(2) has a substitute: the brain gets none of the inherited descriptors', async () => {
    const holding = ['sh', '-c', 'exec "$@" 7</dev/zero', 'sh'];
    const init = await startLed({ through: [...holding, ...refusing(`close_range=${ENOSYS}`)] });
    const brain = await init.nextBrain();
    const pid = await childRunning(init.pid, 'relay-brain');
    expect(descriptorsOf(init.pid).get(7)).toBe('/dev/zero');
    expect([...descriptorsOf(pid).values()]).not.toContain('/dev/zero');
    expect(await runAndEnd(init, () => brain.send(launchOf(['stay'])))).toBe(143);
  });
});

describe('the brain starts without the object that closes its memory', () => {
  test.each([
    ['where there are no files in memory', refusing(`memfd_create=${ENOSYS}`)],
    ['where it may write no file', ['prlimit', '--fsize=0:unlimited']],
  ])('%s', async (_where, through) => {
    const init = await startLed({ through });
    const brain = await init.nextBrain();
    const pid = await childRunning(init.pid, 'relay-brain');
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain('LD_PRELOAD');
    expect(await runAndEnd(init, () => brain.send(launchOf(['stay'])))).toBe(143);
  });
});

describe('an order of the brain', () => {
  test.skipIf(!isRoot)(
    'to signal a process of another user is refused, and that is said',
    async () => {
      const init = await startLed({ through: ['setpriv', '--reuid=54324', '--clear-groups'] });
      const brain = await init.nextBrain();
      expect(
        await runAndEnd(init, async () => {
          brain.send(launchOf(['stay']));
          await init.stdout.waitFor('ready');
          brain.send({ type: 'signal', number: SIGWINCH, pid: process.pid });
          await init.stderr.waitFor(
            `Cannot send signal 28 to process ${process.pid}: Operation not`,
          );
        }),
      ).toBe(143);
    },
  );

  test.each([0, 65])('to stop the app by a signal %i is not believed', async (signal) => {
    const init = await startLed();
    const brain = await init.nextBrain();
    expect(
      await runAndEnd(init, async () => {
        brain.send(launchOf(['stay']));
        await init.stdout.waitFor('ready');
        brain.send({ type: 'stop', signal, killDelayMs: 1000 });
        await init.stderr.waitFor('The brain ordered a stop by a signal that there is not;');
        await init.nextBrain();
      }),
    ).toBe(143);
  });

  test('that makes no sense between two apps starts the one before again', async () => {
    const init = await startLed();
    const brain = await init.nextBrain();
    brain.send(launchOf(['print-signals', 'app', '15']));
    await init.stdout.waitFor('ready');
    brain.send({ type: 'stop', signal: SIGTERM, killDelayMs: 5000 });
    await init.stdout.waitFor('app got 15');
    expect(await brain.receive()).toMatchObject({ type: 'spawned' });
    expect(await brain.receive()).toMatchObject({ type: 'exited' });
    brain.sendBytes(noLaunch());
    await init.stdout.waitFor(/got 15\napp ready/);
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(0);
    expect(init.stderr.text()).toContain(
      'in the middle of a restart; the app is started as it was',
    );
  });

  test('whose answers it does not hear ends the brain, and not the app', async () => {
    const init = await startLed();
    const { socket, gone } = await init.nextDeafBrain();
    const begin = async (): Promise<void> => {
      socket.write(encodeMessage(launchOf(['stay'])));
      await init.stdout.waitFor('ready');
      const count = encodeMessage({ type: 'count' });
      // Their answers are more than all the buffers on the way hold.
      socket.write(Buffer.concat(Array.from({ length: 100_000 }, () => count)));
      await gone;
    };
    expect(await runAndEnd(init, begin)).toBe(143);
    expect(init.stderr.text()).toContain('The brain does not listen; another one starts in');
  });

  test('with no memory for the list of its arguments ends the preparing', async () => {
    const init = await startLed({ through: ['prlimit', `--as=${12 << 20}`] });
    const brain = await init.nextBrain();
    brain.sendBytes(launchOfArguments(4 << 20));
    expect(await init.ended).toBe(70);
    expect(init.stderr.text()).toContain('sent a launch for which there is no memory.');
  });

  test('for which there is no memory ends the preparing', async () => {
    const init = await startLed({ through: ['prlimit', `--as=${12 << 20}`] });
    const brain = await init.nextBrain();
    brain.sendBytes(encodeMessage({ type: 'memo', bytes: Buffer.alloc(16 << 20) }).subarray(0, 8));
    expect(await init.ended).toBe(70);
    expect(init.stderr.text()).toContain('sent a frame for which there is no memory.');
  });
});

describe.skipIf(!isRoot)('a root', () => {
  test('without /proc is said to be one where Node cannot be found', async () => {
    const init = startInit(['run', '--', 'app'], { through: covering('/proc') });
    expect(await init.ended).toBe(127);
    expect(init.stderr.text()).toContain('Cannot find my own files: /proc is not mounted.');
  });

  test('without /dev is good enough for a plain init whose stdin is closed', async () => {
    const init = startInit(['--plain', '--', '/bin/sh', '-c', 'exit 42'], {
      through: covering('/dev', '<&-'),
    });
    expect(await init.ended).toBe(42);
  });
});

test('a program is looked for where shells do it if there is no PATH', async () => {
  const init = startInit(['--plain', 'sh', '-c', 'exit 42'], { through: ['env', '-u', 'PATH'] });
  expect(await init.ended).toBe(42);
});

test('a path that is longer than the kernel allows cannot be run', async () => {
  const init = startInit(['--plain', `/${'a'.repeat(5000)}`]);
  expect(await init.ended).toBe(126);
  expect(init.stderr.text()).toMatch(/^warp-init: Cannot run \/a+/);
});

/** The frame of a launch of which all is 0. */
function noLaunch(): Buffer {
  const bytes = Buffer.alloc(508);
  bytes.writeUInt32LE(500, 0);
  bytes.writeUInt32LE(frameType.launch, 4);
  return bytes;
}

/** The frame of a launch that is so many bytes of empty arguments. */
function launchOfArguments(size: number): Buffer {
  const bytes = Buffer.concat([noLaunch(), Buffer.alloc(size)]);
  const headerSize = 8 + launchHeaderSize;
  bytes.writeUInt32LE(bytes.length - 8, 0);
  bytes.writeUInt32LE(bytes.length - headerSize - 2, 8 + 5 * 4); // All but file and directory.
  return bytes;
}

/** Starts what is behind it where `calls` fail: `NAME=ERRNO`. */
function refusing(...calls: readonly string[]): string[] {
  return [program('refuse-calls'), ...calls, '--'];
}

/** Starts what is behind it where nothing is below `directory`. */
function covering(directory: string, redirection = ''): string[] {
  const script = `mount -t tmpfs none ${directory} && exec "$@" ${redirection}`;
  return ['unshare', '--mount', 'sh', '-c', script, 'sh'];
}

/** Waits until the app runs, which is `stay`, and ends it. */
async function runAndEnd(
  init: Init,
  begin: () => unknown = () => {},
): Promise<number | NodeJS.Signals> {
  await begin();
  await init.stdout.waitFor('ready');
  await init.signal(SIGTERM);
  return init.ended;
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'pid1-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
