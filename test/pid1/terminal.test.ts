// A controlling terminal on stdin, as `docker run -it` gives it: the app has its foreground, and it is left as it was found.
import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';

import { launchOf, noPid1Because, program, startLed } from '../helpers/pid1.ts';
import { childrenOf, eventually, signalsIn, startProcess } from '../helpers/process.ts';
import {
  asContainer,
  descendantRunning,
  groupsOf,
  key,
  startInTerminal,
} from '../helpers/terminal.ts';
import { nodeInstallation } from './node-installation.ts';

const binary = new URL('../../dist/warp-init', import.meta.url).pathname;
const [SIGUSR2, SIGTERM] = [12, 15];
const inScript = ['sh', '-c', '"$@"; exit $?', 'sh'];
/** In the session of whoever starts it. */
const asPid1 = asContainer.slice(0, asContainer.indexOf('setsid'));

/** They say `ready`, count their signals, and end at SIGUSR2. */
const counters: readonly (readonly [what: string, command: readonly string[]])[] = [
  ['a program in C', [program('print-signals'), 'app', String(SIGUSR2)]],
  [
    'node',
    [
      process.execPath,
      '-e',
      `process.on('SIGINT', () => console.log('app got 2'));
       process.on('SIGUSR2', () => { console.log('app got 12'); process.exit(); });
       setInterval(() => {}, 1e6);
       console.log('app ready');`,
    ],
  ],
  [
    'python3',
    [
      'python3',
      '-c',
      `import os, signal, sys
def got(number, _):
  os.write(1, b'app got %d\\n' % number)
  if number == 12: sys.exit()
signal.signal(2, got)
signal.signal(12, got)
os.write(1, b'app ready\\n')
while True: signal.pause()`,
    ],
  ],
];

/** A machine without Python leaves it out; where the runtimes are required, the test says what is missing. */
const installed = counters.filter(
  ([, [name = '']]) =>
    process.env['WARP_INIT_REQUIRE_RUNTIMES'] === '1' || spawnSync('which', [name]).status === 0,
);

describe.each([
  ['as a child', inScript, false],
  ['as PID 1', asContainer, noPid1Because !== undefined],
] as const)('a terminal, %s', (_role, through, isSkipped) => {
  const start = (...command: readonly string[]) =>
    startInTerminal([...through, binary, '--plain', '--', ...command], {
      session: through === inScript ? 'leader' : 'none',
    });

  const startWithBrain = (...command: readonly string[]) =>
    startInTerminal([...through, nodeInstallation(), '--', ...command], {
      session: through === inScript ? 'leader' : 'none',
      env: { WARP_INIT_NODE: process.execPath },
    });
  const [inC] = counters;

  describe.skipIf(isSkipped)('of the app', () => {
    test.each([
      ...installed.map(([what, command]) => [what, command, start] as const),
      ...(inC === undefined ? [] : [[`${inC[0]} beside a brain`, inC[1], startWithBrain] as const]),
    ])('sends Ctrl-C to %s once, and so does kill', async (_what, command, begin) => {
      const terminal = await begin(...command);
      await terminal.shows('app ready');
      const init = await descendantRunning(terminal.pid, 'warp-init');
      terminal.type(key.ctrlC);
      await terminal.shows('app got 2');
      process.kill(init, 'SIGINT');
      await terminal.shows('app got 2');
      // What init had of Ctrl-C it would have forwarded before that.
      process.kill(init, SIGUSR2);
      await terminal.shows('app got 12');
      expect(await terminal.ended).toBe(0);
      expect(terminal.stdout.text().match(/got \d+/g)).toEqual(['got 2', 'got 2', 'got 12']);
    });

    test('sends Ctrl-C to cat, which ends of it', async () => {
      const terminal = await start('cat');
      await descendantRunning(terminal.pid, 'cat');
      terminal.type('typed\n');
      await terminal.shows(/typed\r\ntyped\r\n/);
      terminal.type(key.ctrlC);
      expect(await terminal.ended).toBe(130);
    });

    test('tells the app of a change of its size, once', async () => {
      const terminal = await start(program('print-signals'), 'app', String(SIGUSR2));
      await terminal.shows('app ready');
      terminal.resize(100);
      await terminal.shows('app got 28');
      process.kill(await descendantRunning(terminal.pid, 'warp-init'), SIGUSR2);
      await terminal.shows('app got 12');
      expect(terminal.stdout.text().match(/got \d+/g)).toEqual(['got 28', 'got 12']);
    });

    test('has its group in the foreground; the app is in the session of the terminal', async () => {
      const terminal = await start(program('stay'));
      await terminal.shows('ready');
      const { session } = groupsOf(await descendantRunning(terminal.pid, 'warp-init'));
      const app = await descendantRunning(terminal.pid, 'stay');
      expect(groupsOf(app)).toEqual({ group: app, session, foreground: app });
    });

    test('is readable and writable for the app, and its end is init’s', async () => {
      const terminal = await start('sh', '-c', `read -r line; echo "it was $line"; exit 4`);
      terminal.type('typed\n');
      await terminal.shows('it was typed');
      expect(await terminal.ended).toBe(4);
    });
  });
});

describe('the terminal of a script is the script’s again', () => {
  test.each([
    ['exits', 'exit 3', 3],
    ['is ended by a signal', 'kill -KILL $$', 137],
    ['leaves it without lines and echo', 'stty raw -echo; exit 4', 4],
    ['is killed while it has neither', 'stty raw -echo; kill -KILL $$', 137],
    ['leaves a job in its foreground', 'set -m; sh -c "kill -KILL $$; exec sleep 1"', 137],
  ])('when the app %s', async (_how, script, status) => {
    const terminal = await startInTerminal(around(`${binary} --plain -- sh -c '${script}'`));
    await terminal.shows('before');
    const modes = terminal.modes();
    terminal.type('\n');
    await terminal.shows(`status ${status}`);
    // A script in the background of its terminal could not read from it.
    terminal.type('typed\n');
    await terminal.shows('it was typed');
    expect(terminal.modes()).toBe(modes);
    const [leader = 0] = childrenOf(terminal.pid);
    expect(groupsOf(leader)).toEqual({ group: leader, session: leader, foreground: leader });
  });

  // Its group cannot be named from inside the namespace; a shell takes its terminal back by itself.
  test.skipIf(noPid1Because !== undefined)('in the modes that it had, after PID 1', async () => {
    const app = `sh -c 'stty raw -echo; kill -KILL $$'`;
    const script = `stty -g; ${asPid1.join(' ')} ${binary} --plain -- ${app}; stty -g`;
    const terminal = await startInTerminal(['sh', '-c', script]);
    expect(await terminal.ended).toBe(0);
    const [before, after] = terminal.stdout.text().split('\r\n');
    expect(before).toMatch(/^[\da-f]+:/);
    expect(after).toBe(before);
  });
});

describe('the terminal of an app that is replaced', () => {
  test('is the next one’s, in the modes that the first one found', async () => {
    const init = await startLed({ through: [program('in-terminal'), 'leader', 'ttt'] });
    const brain = await init.nextBrain();
    brain.send(launchOf(['/bin/sh', '-c', 'stty raw -echo; echo first; exec sleep 60']));
    await init.stdout.waitFor('first');
    brain.send({ type: 'stop', signal: SIGTERM, killDelayMs: 60_000 });
    expect((await brain.receive()).type).toBe('spawned');
    expect((await brain.receive()).type).toBe('exited');
    brain.send(launchOf(['/bin/sh', '-c', 'stty -a; read -r line; echo "it was $line"; exit 5']));
    const [, echo, lines] = await init.stdout.waitFor(/(-?)icanon[^]*?(-?)echo /);
    expect([echo, lines]).toEqual(['', '']);
    init.child.stdin?.write('typed\n');
    await init.stdout.waitFor('it was typed');
    expect(await init.ended).toBe(5);
  });
});

describe('the end of a brain on Node, which would give its terminal the modes that it has found', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)('by %s leaves it those of the app', async (signal) => {
    const app = ['/bin/sh', '-c', 'stty raw -echo; echo "app ready"; exec sleep 60'];
    const terminal = await startInTerminal([nodeInstallation(), '--', ...app], {
      env: { WARP_INIT_NODE: process.execPath },
    });
    await terminal.shows('app ready');
    const modes = terminal.modes();
    const brain = await descendantRunning(terminal.pid, basename(process.execPath));
    process.kill(brain, signal);
    await terminal.shows(/The brain ended; another one starts/);
    expect(terminal.modes()).toBe(modes);
  });
});

describe('a terminal that is hung up', () => {
  test.each([
    ['PID 1', asContainer],
    ['a child that leads its session', []],
  ])('is told to the app of %s by HUP, once', async (_role, through) => {
    if (through.length > 0 && noPid1Because !== undefined) {
      return;
    }

    const output = startProcess('cat', []);
    const terminal = await startInTerminal(
      [...through, binary, '--plain', program('print-signals'), 'app', String(SIGUSR2)],
      {
        session: through.length === 0 ? 'leader' : 'none',
        descriptors: 't33',
        stdio: ['pipe', 'pipe', 'pipe', output.child.stdin],
      },
    );
    await output.stdout.waitFor('app ready');
    const init = await descendantRunning(terminal.pid, 'warp-init');
    terminal.child.kill('SIGKILL');
    await output.stdout.waitFor('app got 1\n');
    await eventually(() => expect(signalsIn(init, 'ShdPnd')).toEqual([]));
    process.kill(init, SIGUSR2);
    await output.stdout.waitFor('app got 12\n');
    // The kernel sends CONT as well.
    expect(output.stdout.text().match(/got (?!18)\d+/g)).toEqual(['got 1', 'got 12']);
  });

  test('while preparing ends the start', async () => {
    const init = await startLed({ through: [program('in-terminal'), 'leader', 'ttt'] });
    const brain = await init.nextBrain();
    init.child.kill('SIGKILL');
    await expect(brain.gone).resolves.toBeUndefined();
  });

  test('while preparing, where HUP is ignored, does not keep the app from its start', async () => {
    const output = startProcess('cat', []);
    const init = await startLed({
      through: ['env', '--ignore-signal=HUP', program('in-terminal'), 'leader', 't33'],
      stdio: ['pipe', 'pipe', 'pipe', output.child.stdin],
    });
    const brain = await init.nextBrain();
    init.child.kill('SIGKILL');
    await init.ended;
    brain.send(launchOf(['/bin/sh', '-c', 'echo "the app runs"']));
    await output.stdout.waitFor('the app runs');
    expect(output.stdout.text()).toContain('the app runs');
  });
});

/** A script that waits for a line, runs the command, and reads from its terminal then. */
function around(command: string): string[] {
  const script = [
    'echo before; read -r _',
    command,
    'echo "status $?"; read -r line; echo "it was $line"; read -r _',
  ];
  return ['sh', '-c', script.join('\n')];
}
