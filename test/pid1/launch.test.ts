// What pid1 does for a launch: between fork and exec, and at the end of the app.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import {
  describeBinaries,
  describeRoles,
  isRoot,
  launchOf,
  noPid1Because,
  program,
  startInit,
  startLed,
} from '../helpers/pid1.ts';
import type { Role } from '../helpers/pid1.ts';
import {
  childRunning,
  childrenOf,
  descriptorsOf,
  eventually,
  programOf,
  signalsIn,
  startProcess,
  statusField,
} from '../helpers/process.ts';

const [EPERM, ENOENT, E2BIG, EACCES, ENOEXEC] = [1, 2, 7, 13, 8];
const [SIGINT, SIGUSR1, SIGTERM, SIGWINCH] = [2, 10, 15, 28];

describeRoles('a launch that fails says where and why, and the next one may work', (role) => {
  test.each([
    ['a missing program', ['/no/such/program'] as const, ENOENT],
    ['a file that is no program', ['/etc/passwd'] as const, EACCES],
    ['a directory', ['/etc'] as const, EACCES],
    ['an argument of 200 kB', ['/bin/true', 'x'.repeat(200_000)] as const, E2BIG],
  ])('%s', async (_what, argv, errno) => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(launchOf(argv));
    expect(await brain.receive()).toEqual({ type: 'spawn-failed', stage: 'exec', errno });
    // Nothing of the attempt is left, and preparing goes on.
    expect(childrenOf(await init.initPid())).toHaveLength(1);
    brain.send(launchOf(['/bin/sh', '-c', 'exit 5']));
    expect(await init.ended).toBe(5);
    expect(init.stderr.text()).toBe('');
  });

  test('in the directory that init was started in', async () => {
    const init = await startLed({ role, cwd: '/usr' });
    const brain = await init.nextBrain();
    brain.send(launchOf(['/no/such/program']));
    expect((await brain.receive()).type).toBe('spawn-failed');
    brain.send(launchOf(['/bin/sh', '-c', 'pwd']));
    expect(await init.ended).toBe(0);
    expect(init.stdout.text()).toBe('/usr\n');
  });

  test('text without an interpreter', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(launchOf([textFile()]));
    expect(await brain.receive()).toEqual({ type: 'spawn-failed', stage: 'exec', errno: ENOEXEC });
    brain.send({ type: 'abort', status: 126 });
    expect(await init.ended).toBe(126);
  });
});

describeBinaries('a launch that fails again and again', (binary, role) => {
  test('leaves no descriptor, no child and no memory', async () => {
    const init = await startLed({ binary, role });
    const brain = await init.nextBrain();
    const pid = await init.initPid();
    const before = descriptorsOf(pid).size;
    for (let count = 0; count < 50; count += 1) {
      brain.send(launchOf(['/no/such/program']));
      expect((await brain.receive()).type).toBe('spawn-failed');
    }

    expect(descriptorsOf(pid).size).toBe(before);
    expect(childrenOf(pid)).toHaveLength(1);
    brain.send({ type: 'abort', status: 127 });
    expect(await init.ended).toBe(127);
  });
});

describe.skipIf(!isRoot)('the user of the app (needs root)', () => {
  test('is the launch’s: uid, gid, supplementary groups, and no capability is left', async () => {
    const { app } = await startedApp({ uid: 1234, gid: 2345, groups: [2345, 7, 42] });
    expect(statusField(app, 'Uid')).toBe('1234 1234 1234 1234');
    expect(statusField(app, 'Gid')).toBe('2345 2345 2345 2345');
    expect(statusField(app, 'Groups')).toBe('7 42 2345');
    for (const set of ['CapPrm', 'CapEff', 'CapAmb']) {
      expect(statusField(app, set)).toBe('0000000000000000');
    }
  });

  test('has no supplementary group if the list is empty', async () => {
    const { app } = await startedApp({ uid: 1234, groups: [] }, ['setpriv', '--groups=5,6']);
    expect(statusField(app, 'Groups')).toBe('');
  });

  test('is init’s, with its groups, if the launch says nothing', async () => {
    const { app } = await startedApp({}, ['setpriv', '--groups=5,6']);
    expect(statusField(app, 'Uid')).toBe('0 0 0 0');
    expect(statusField(app, 'Groups')).toBe('5 6');
  });

  test('has no ambient capability, though init was started with one', async () => {
    // It could keep it: the user stays the same, so the kernel itself drops nothing.
    const through = setprivUser('--inh-caps=+net_raw', '--ambient-caps=+net_raw');
    const kept = await startedApp({}, through);
    expect(statusField(kept.app, 'CapAmb')).toBe('0000000000002000');
    const cleared = await startedApp({ uid: 1234 }, through);
    expect(statusField(cleared.app, 'CapAmb')).toBe('0000000000000000');
    expect(statusField(cleared.app, 'CapEff')).toBe('0000000000000000');
  });

  test.each([
    ['groups', { groups: [7] }],
    ['gid', { gid: 0 }],
    ['uid', { uid: 0 }],
  ] as const)('is refused at the stage %s where init may not change it', async (stage, change) => {
    const init = await startLed({ through: setprivUser() });
    const brain = await init.nextBrain();
    brain.send(launchOf(['stay'], change));
    expect(await brain.receive()).toEqual({ type: 'spawn-failed', stage, errno: EPERM });
    brain.send({ type: 'abort', status: 70 });
    expect(await init.ended).toBe(70);
    expect(init.stdout.text()).toBe('');
  });

  test('cannot be signalled without CAP_KILL: init says so with a remedy', async () => {
    const init = await startLed({ through: ['setpriv', '--bounding-set=-kill'] });
    const brain = await init.nextBrain();
    brain.send(launchOf(['stay'], { uid: 1234 }));
    await init.stdout.waitFor('ready');
    await init.signal(SIGTERM);
    const [line] = await init.stderr.waitFor(/.*\n/);
    expect(line).toBe(
      'warp-init: Cannot forward signal 15 to the app: Operation not permitted. Add the capability KILL.\n',
    );
  });
});

describeRoles('the kill delay', (role) => {
  test('ends an app that ignores its stop signal with KILL, not sooner', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(launchOf(['stay', '15'], { killDelayMs: 80 }));
    await init.stdout.waitFor('ready');
    const askedAt = performance.now();
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(137);
    expect(performance.now() - askedAt).toBeGreaterThan(78);
  });

  test('does not begin again with each further stop signal', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(launchOf(['stay', '15'], { killDelayMs: 80 }));
    await init.stdout.waitFor('ready');
    const sender = setInterval(() => void init.signal(SIGTERM).catch(() => {}), 10);
    onTestFinished(() => clearInterval(sender));
    expect(await init.ended).toBe(137);
  });

  test('of 0 ms kills at once', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(launchOf(['stay', '15'], { killDelayMs: 0 }));
    await init.stdout.waitFor('ready');
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(137);
  });

  test('does not start with another signal, and there is none unless it is set', async () => {
    for (const delay of [{ killDelayMs: 10 }, {}]) {
      const init = await startLed({ role });
      const brain = await init.nextBrain();
      brain.send(launchOf(['print-signals', 'app', '40'], { stopSignals: [SIGINT], ...delay }));
      await init.stdout.waitFor('ready');
      await init.signal('killDelayMs' in delay ? SIGTERM : SIGINT);
      await init.stdout.waitFor('got');
      await pause(40); // Not to wait for something: nothing is to happen meanwhile.
      await init.signal(40);
      expect(await init.ended).toBe(0);
    }
  });

  test('ends every process of the group', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const script = `${program('stay')} 15 & exec ${program('stay')} 15`;
    brain.send(launchOf(['/bin/sh', '-c', script], { killDelayMs: 30, lingerMs: 60_000 }));
    await init.stdout.waitFor(/ready[^]*ready/);
    await init.signal(SIGTERM);
    expect(await init.ended).toBe(137);
  });
});

describeRoles('what is left of the group when the app has ended', (role) => {
  test('gets TERM, and init ends as soon as it is gone', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(launchOf(leaving(`${program('print-signals')} rest 15`), { lingerMs: 60_000 }));
    await init.stdout.waitFor('rest ready');
    init.child.stdin?.write('\n');
    expect(await init.ended).toBe(7);
    expect(init.stdout.text()).toContain('rest got 15');
  });

  test('gets KILL after the linger time if it ignores TERM', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(launchOf(leaving(`${program('stay')} 15`), { lingerMs: 80 }));
    await init.stdout.waitFor('ready');
    const endedAt = performance.now();
    init.child.stdin?.write('\n');
    expect(await init.ended).toBe(7);
    expect(performance.now() - endedAt).toBeGreaterThan(78);
    // All pipes are closed: nobody holds them any more.
    await eventually(() => expect(init.child.stdout?.closed).toBe(true));
  });

  test.each([SIGTERM, SIGINT, SIGWINCH])(
    'gets KILL at once where signal %i wants init to end',
    async (number) => {
      const init = await startLed({ role });
      const brain = await init.nextBrain();
      const policy = { lingerMs: 60_000, stopSignals: [SIGTERM, SIGWINCH] };
      brain.send(launchOf(leaving(`${program('stay')} 15`), policy));
      await init.stdout.waitFor('ready');
      expect((await brain.receive()).type).toBe('spawned');
      init.child.stdin?.write('\n');
      expect((await brain.receive()).type).toBe('exited');
      await init.signal(number);
      expect(await init.ended).toBe(7);
      await eventually(() => expect(init.child.stdout?.closed).toBe(true));
    },
  );

  test('does not keep init without a linger time', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(launchOf(leaving(program('stay'))));
    await init.stdout.waitFor('ready');
    init.child.stdin?.write('\n');
    expect(await init.ended).toBe(7);
    // Where the end of PID 1 does not end it, TERM did.
    await eventually(() => expect(init.child.stdout?.closed).toBe(true));
  });
});

describeRoles('with exec', (role) => {
  test('init becomes the app: same process, nothing of ours stays', async () => {
    const init = await startLed({
      role,
      through: ['env', '--block-signal=USR1', '--ignore-signal=WINCH'],
    });
    const brain = await init.nextBrain();
    const pid = await init.initPid();
    brain.send(
      launchOf(['stay'], { exec: true, subreaper: false, environment: ['LISTEN_PID=77', 'A=b'] }),
    );
    await init.stdout.waitFor('ready');
    await brain.gone;
    expect(programOf(pid)).toMatch(/\/stay$/);
    expect(childrenOf(pid)).toEqual([]);
    expect([...descriptorsOf(pid).keys()]).toEqual(await inheritedDescriptors());
    expect(signalsIn(pid, 'SigBlk')).toEqual([SIGUSR1]);
    expect(signalsIn(pid, 'SigIgn')).toEqual([28]);
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
    expect(environment).toBe(`LISTEN_PID=${role === 'PID 1' ? 1 : pid}\0A=b\0`);
  });

  test('a program that does not run is said by init itself', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(launchOf(['/no/such/program'], { exec: true }));
    expect(await init.ended).toBe(127);
    expect(init.stderr.text()).toMatch(
      /^warp-init: Cannot run \/no\/such\/program: No such file.*\n$/,
    );
  });

  test('the status is the app’s', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(launchOf(['/bin/sh', '-c', 'exit 42'], { exec: true }));
    expect(await init.ended).toBe(42);
  });
});

describeRoles('the outside sees', (role) => {
  test.each([
    ['exit 3', 0],
    ['kill -TERM $$', 17],
    ['exit 4', 4],
  ])('the status that the map has for %s: %i', async (script, status) => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const statusMap = new Map([
      [3, 0],
      [143, 17],
    ]);
    brain.send(launchOf(['/bin/sh', '-c', script], { statusMap }));
    expect(await init.ended).toBe(status);
  });
});

describeRoles('the app', (role) => {
  test('leads a session and a group of its own where there is no terminal', async () => {
    const init = startInit(['--plain', program('stay')], { role });
    await init.stdout.waitFor('ready');
    const app = await childRunning(await init.initPid(), 'stay');
    // Fields 5 and 6 of proc_pid_stat(5), behind the name: group and session.
    const [, , group, session] =
      readFileSync(`/proc/${app}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    expect([Number(group), Number(session)]).toEqual([app, app]);
  });

  test('gets argv and environment byte for byte', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    const odd = 'a\u{dcff}=\n"é'; // U+DCFF stands for the byte 0xff.
    brain.send(
      launchOf(['print-signals'], { argv: ['file', 'näme', ''], environment: [odd, 'E='] }),
    );
    await init.stdout.waitFor('näme ready');
    const app = await childRunning(await init.initPid(), 'print-signals');
    expect(readFileSync(`/proc/${app}/cmdline`, 'utf8')).toBe('file\0näme\0\0');
    expect(readFileSync(`/proc/${app}/environ`)).toEqual(
      Buffer.concat([Buffer.from('a'), Buffer.of(0xff), Buffer.from('=\n"é\0E=\0')]),
    );
  });
});

describe.skipIf(noPid1Because !== undefined)('the end of PID 1', () => {
  test('is the end of what left the group of the app', async () => {
    const init = startInit(
      ['--plain', '--', 'sh', '-c', `setsid ${program('stay')} & read -r _; exit 3`],
      {
        role: 'PID 1',
      },
    );
    await init.stdout.waitFor('ready');
    init.child.stdin?.write('\n');
    expect(await init.ended).toBe(3);
    await eventually(() => expect(init.child.stdout?.closed).toBe(true));
  });
});

/** A shell that starts `rest` and ends with status 7 as soon as it has read a line. */
function leaving(rest: string): ['/bin/sh', '-c', string] {
  return ['/bin/sh', '-c', `${rest} & read -r _; exit 7`];
}

/** What any program gets here: whoever runs the tests may have left more than 0, 1 and 2 open. */
async function inheritedDescriptors(): Promise<number[]> {
  const stay = startProcess(program('stay'), []);
  await stay.stdout.waitFor('ready');
  return [...descriptorsOf(stay.pid).keys()];
}

/** `stay`, started by a launch with these changes. */
async function startedApp(change: Parameters<typeof launchOf>[1], through: readonly string[] = []) {
  const role: Role = 'a child';
  const init = await startLed({ role, through });
  const brain = await init.nextBrain();
  brain.send(launchOf(['stay'], change));
  await init.stdout.waitFor('ready');
  return { app: await childRunning(init.pid, 'stay') };
}

/** Starts init as the user 1234. */
function setprivUser(...options: string[]): string[] {
  return ['setpriv', '--reuid=1234', '--regid=1234', '--clear-groups', ...options];
}

function textFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'launch-'));
  const file = join(directory, 'text');
  writeFileSync(file, 'exit 0\n');
  chmodSync(file, 0o755);
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return file;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
