// The descriptors of app and brain, and a stderr that is closed, full or shared.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
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

import {
  describeRoles,
  installation,
  isRoot,
  launchOf,
  noPid1Because,
  program,
  startInit,
  startLed,
} from '../helpers/pid1.ts';
import type { Init, Role } from '../helpers/pid1.ts';
import {
  childRunning,
  descriptorsOf,
  eventually,
  isNonBlocking,
  programOf,
  signalsIn,
  startProcess,
} from '../helpers/process.ts';
import { nodeInstallation } from './node-installation.ts';

const SIGTERM = 15;
const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** Without SHLVL, and with a socket as stdin, bash takes itself for the child of rshd, and reads ~/.bashrc. */
const bash = ['env', 'SHLVL=1', 'bash'];

describeRoles('the app finds exactly the descriptors that init was started with', (role) => {
  test.each([
    ['the standard ones', ''],
    ['7 as well', '7</dev/zero'],
    ['a closed stdin', '<&-'],
    ['a closed stderr', '2>&-'],
    ['stdin and stderr closed, 3 and 100 open', '<&- 2>&- 3</dev/zero 100</dev/zero'],
  ])('%s', async (_what, redirections) => {
    const through = [...bash, '-c', `exec "$@" ${redirections}`, 'bash'];
    const direct = startProcess('env', [...through.slice(1), program('stay')]);
    await direct.stdout.waitFor('ready');
    const wanted = [...descriptorsOf(direct.pid).keys()];

    const plain = startInit(['--plain', program('stay')], { role, through });
    await plain.stdout.waitFor('ready');
    expect([...descriptorsOf(await appOf(plain)).keys()]).toEqual(wanted);

    const led = await startLed({ role, through });
    const brain = await led.nextBrain();
    brain.send(launchOf(['stay']));
    await led.stdout.waitFor('ready');
    expect([...descriptorsOf(await appOf(led)).keys()]).toEqual(wanted);
  });

  test('and LISTEN_PID is its own pid, where there is one', async () => {
    const env = { LISTEN_FDS: '1', LISTEN_PID: '999999' };
    const plain = startInit(['--plain', '--', 'sh', '-c', 'echo "$LISTEN_PID $$"'], { role, env });
    expect(await plain.ended).toBe(0);
    const [claimed, own] = plain.stdout.text().trim().split(' ');
    expect(claimed).toBe(own);

    const without = startInit(['--plain', '--', 'env'], { role });
    expect(await without.ended).toBe(0);
    expect(without.stdout.text()).not.toContain('LISTEN_PID');
  });
});

const preloaded = '/memfd:warp-init-preload (deleted)';

describeRoles('the brain', (role) => {
  test.each([
    ['as usual', ''],
    ['though init has more', '7</dev/zero 100</dev/zero'],
    ['though init has fewer', '<&- 2>&-'],
  ])('has its seven descriptors and no other, %s', async (_what, redirections) => {
    const init = await startLed({
      role,
      through: [...bash, '-c', `exec "$@" ${redirections}`, 'bash'],
    });
    await init.nextBrain();
    const brain = await childRunning(await init.initPid(), 'relay-brain');
    const descriptors = descriptorsOf(brain);
    // 5 is the object that has closed its memory, 6 is what that has left; 7 is the fixture's own.
    expect([...descriptors.keys()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(descriptors.get(5)).toBe(preloaded);
    expect(descriptors.get(6)).toBe(preloaded);
    expect(descriptors.get(0)).toBe('/dev/null');
    expect(descriptors.get(3)).toMatch(/^socket:/);
    expect(descriptors.get(4)).toBe(descriptorsOf(await init.initPid()).get(2));
  });

  test.each(['sh', 'bash', 'env sh'])(
    'has closed its memory where it is started by a script for %s, too, and without a complaint',
    async (interpreter) => {
      const directory = mkdtempSync(join(tmpdir(), 'script-'));
      onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
      const path = join(directory, 'node');
      writeFileSync(
        path,
        `#!/usr/bin/${interpreter}\ntrue; $(exec true)\nexec ${program('relay-brain')} "$@"\n`,
      );
      chmodSync(path, 0o755);
      const init = await startLed({ role, env: { WARP_INIT_NODE: path } });
      await init.nextBrain();
      const brain = await childRunning(await init.initPid(), 'relay-brain');
      expect(descriptorsOf(brain).get(6)).toBe(preloaded);
      expect(init.stderr.text()).toBe('');
    },
  );

  test('is started with a file size limit of 0, too, and its memory stays as it is', async () => {
    const init = await startLed({ role, through: ['sh', '-c', 'ulimit -f 0; exec "$@"', 'sh'] });
    const led = await init.nextBrain();
    const brain = await childRunning(await init.initPid(), 'relay-brain');
    expect(descriptorsOf(brain).get(6)).toBe(undefined);
    led.send(launchOf(['/bin/sh', '-c', 'exit 5']));
    expect(await init.ended).toBe(5);
  });

  test('has the mask that init was started with, a session of its own, and ends with init', async () => {
    const init = await startLed({ role, through: ['env', '--block-signal=USR1'] });
    const led = await init.nextBrain();
    const brain = await childRunning(await init.initPid(), 'relay-brain');
    expect(signalsIn(brain, 'SigBlk')).toEqual([10]);
    const [, , , session] =
      readFileSync(`/proc/${brain}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    expect(Number(session)).toBe(brain);
    await init.signal('SIGKILL');
    await init.ended;
    await led.gone;
  });
});

describe('the brain', () => {
  test('runs without the NODE_OPTIONS of the image, and the app gets them', async () => {
    const init = startNode({ env: { NODE_OPTIONS: '--no-such-option' } });
    await init.stdout.waitFor('ready');
    const environment = readFileSync(`/proc/${await appOf(init)}/environ`, 'utf8');
    expect(environment.split('\0')).toContain('NODE_OPTIONS=--no-such-option');
  });

  test('does not outlive init, even if it never looks at the link', async () => {
    const init = startInit(['--', 'app'], {
      path: installation('release'),
      env: { WARP_INIT_NODE: program('stay') },
    });
    const brain = await childRunning(init.pid, 'stay');
    await init.signal('SIGKILL');
    await init.ended;
    await eventually(() => expect(programOf(brain)).toBe(''));
  });
});

describe('a sandbox that does not let the brain be ended with init', () => {
  test.skipIf(noPid1Because !== undefined)(
    'is none to PID 1, whose end is that of all',
    async () => {
      const init = startSandboxed('PID 1');
      expect(await childRunning(await init.initPid(), 'stay')).toBeGreaterThan(0);
    },
  );

  test('is said to be in the way where init is a child', async () => {
    const init = startSandboxed('a child');
    expect(await init.ended).toBe(70);
    expect(init.stderr.text()).toContain('Cannot start the brain: Operation not permitted.');
  });
});

describe('a stderr that is a pipe', () => {
  test('is not made non-blocking for the app by a brain on Node that writes to it', async () => {
    const pipe = createPipe();
    const init = startNode({ stdio: ['pipe', 'pipe', pipe.writer] });
    await init.stdout.waitFor('ready');
    const app = await childRunning(init.pid, 'stay');
    expect([isNonBlocking(app, 1), isNonBlocking(app, 2)]).toEqual([false, false]);
    expect(pipe.read()).toBe('the brain talks\n');
  });

  test.each(['PID 1', 'a child'] as const)(
    'and full, with nobody who reads, does not freeze init as %s',
    async (role) => {
      const pipe = createPipe();
      pipe.fill();
      const init = startInit(['--plain', '--', '/no/such/program'], {
        role,
        stdio: ['pipe', 'pipe', pipe.writer],
      });
      expect(await init.ended).toBe(127);
    },
  );

  test('and full does not freeze a brain on Node that is started again and again', async () => {
    const pipe = createPipe();
    pipe.fill();
    const init = startNode({ stdio: ['pipe', 'pipe', pipe.writer] });
    await init.stdout.waitFor('ready');
    const first = await childRunning(init.pid, 'node');
    process.kill(first, 'SIGKILL');
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(143);
  });
});

describeRoles('a stderr whose reader is gone', (role) => {
  test('costs a message, not the status, and the app gets no SIGPIPE for it', async () => {
    const pipe = createPipe();
    pipe.close();
    const failing = startInit(['--plain', '/no/such/program'], {
      role,
      stdio: ['pipe', 'pipe', pipe.writer],
    });
    expect(await failing.ended).toBe(127);
  });

  test('or that is closed: the status is the same', async () => {
    const through = ['sh', '-c', 'exec "$@" 2>&-', 'sh'];
    const failing = startInit(['--plain', '/no/such/program'], { role, through });
    expect(await failing.ended).toBe(127);
    const working = startInit(['--plain', 'sh', '-c', 'exit 4'], { role, through });
    expect(await working.ended).toBe(4);
  });

  test.skipIf(!isRoot)(
    'while the app runs: init complains into it, and the app is not signalled',
    async () => {
      const pipe = createPipe();
      const init = await startLed({
        role,
        through: ['setpriv', '--bounding-set=-kill'],
        stdio: ['pipe', 'pipe', pipe.writer],
      });
      const brain = await init.nextBrain();
      // Another user's app: without CAP_KILL each signal is a complaint.
      brain.send(launchOf(['print-signals', 'app', '15'], { uid: 1234 }));
      await init.stdout.waitFor('app ready');
      pipe.close();
      await init.signal(10);
      await init.signal(12);
      const app = await appOf(init, 'print-signals');
      process.kill(app, 15);
      expect(await init.ended).toBe(0);
      expect(init.stdout.text()).toBe('app ready\napp got 15\n');
    },
  );
});

type Pipe = {
  readonly writer: number;
  readonly read: () => string;
  readonly fill: () => void;
  /** Ends the reading side. */
  readonly close: () => void;
};

/** A pipe of the kernel. What Node calls a pipe, between it and a child, is a socket. */
function createPipe(): Pipe {
  const directory = mkdtempSync(join(tmpdir(), 'descriptors-'));
  const path = join(directory, 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, O_RDONLY | O_NONBLOCK);
  const writer = openSync(path, O_WRONLY);
  let isOpen = true;
  const close = (): void => {
    if (isOpen) {
      closeSync(reader);
      isOpen = false;
    }
  };
  onTestFinished(() => {
    close();
    closeSync(writer);
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    writer,
    close,
    read: () => {
      const bytes = Buffer.alloc(4096);
      return bytes.toString('utf8', 0, readSync(reader, bytes));
    },
    fill: () => fillPipe(path),
  };
}

function fillPipe(path: string): void {
  const fd = openSync(path, O_WRONLY | O_NONBLOCK);
  for (const size of [4096, 1]) {
    try {
      for (;;) {
        writeSync(fd, Buffer.alloc(size));
      }
    } catch {
      // EAGAIN: it is full.
    }
  }

  closeSync(fd);
}

/** `warp-init -- stay` with a brain on Node. */
function startNode(options: Parameters<typeof startInit>[1]): Init {
  return startInit(['--', program('stay')], {
    ...options,
    path: nodeInstallation(),
    env: { ...options?.env, WARP_INIT_NODE: process.execPath },
  });
}

async function appOf(init: Init, name = 'stay'): Promise<number> {
  return childRunning(await init.initPid(), name);
}

/** With a brain that stays, where PR_SET_PDEATHSIG is refused. */
function startSandboxed(role: Role): Init {
  return startInit(['prctl:1=1', '--', installation('release'), '--', 'app'], {
    role,
    path: program('refuse-calls'),
    env: { WARP_INIT_NODE: program('stay') },
  });
}
