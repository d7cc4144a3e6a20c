// A shell with job control: as the app, and as the one who starts init.
import { describe, expect, onTestFinished, test } from 'vitest';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { launchOf, noPid1Because, program, startInit, startLed } from '../helpers/pid1.ts';
import { eventually, signalsIn, startProcess, statusField } from '../helpers/process.ts';
import {
  asContainer,
  descendantRunning,
  groupsOf,
  key,
  shell,
  startInTerminal,
} from '../helpers/terminal.ts';
import type { Terminal } from '../helpers/terminal.ts';

const binary = new URL('../../dist/warp-init', import.meta.url).pathname;
const sanitized = program('warp-init');
const plain = `${binary} --plain --`;
const [SIGCONT, SIGSTOP, SIGTSTP] = [18, 19, 20];

describe.each([
  ['of PID 1', asContainer, binary, noPid1Because !== undefined],
  ['of a child', ['sh', '-c', '"$@"; exit $?', 'sh'], binary, false],
  ['of a child, with sanitizers', ['sh', '-c', '"$@"; exit $?', 'sh'], sanitized, false],
] as const)('bash as the app %s', (_role, through, path, isSkipped) => {
  test.skipIf(isSkipped)(
    'has job control: Ctrl-Z, fg, bg, Ctrl-C, and its own status',
    async () => {
      const terminal = await startInTerminal([...through, path, '--plain', '--', ...shell], {
        session: through === asContainer ? 'none' : 'leader',
      });
      await terminal.shows('$ ');
      expect(terminal.stdout.text()).not.toContain('job control');
      terminal.type('cat\n');
      await descendantRunning(terminal.pid, 'cat');
      terminal.type('one\n');
      await terminal.shows(/one\r\none/);
      terminal.type(key.ctrlZ);
      await terminal.shows(/Stopped\s+cat/);
      terminal.type('fg\n');
      await terminal.shows(/fg\r\ncat/);
      terminal.type('two\n');
      await terminal.shows(/two\r\ntwo/);
      terminal.type(key.ctrlC);
      await terminal.shows('$ ');
      terminal.type(`${program('stay')} &\n`);
      await terminal.shows('ready');
      terminal.type('echo "[$-]"; kill %1; wait; exit 5\n');
      await terminal.shows(/\[\w*m\w*\]/);
      expect(await terminal.ended).toBe(5);
    },
  );
});

describe('a job of bash', () => {
  test.each([
    ['', binary],
    [' (with sanitizers)', sanitized],
  ])('is stopped by Ctrl-Z and goes on after fg, again and again%s', async (_binary, path) => {
    const terminal = await startShell(`${path} --plain -- cat`);
    const { init, app } = await processesOf(terminal, 'cat');
    const modes = terminal.modes();
    for (const word of ['one', 'two', 'three']) {
      terminal.type(`${word}\n`);
      await terminal.shows(`${word}\r\n${word}\r\n`);
      terminal.type(key.ctrlZ);
      await terminal.shows(/Stopped .*warp-init/);
      await Promise.all([isStopped(init), isStopped(app)]);
      terminal.type('echo "the shell reads"\n');
      await terminal.shows(/^the shell reads/);
      expect(terminal.modes()).toBe(modes);
      terminal.type('fg\n');
      await terminal.shows(/^.*warp-init.* cat\r\n/);
      await Promise.all([isRunning(init), isRunning(app)]);
      await eventually(() => expect(groupsOf(app).foreground).toBe(app));
      expect(signalsIn(init, 'SigBlk')).toContain(SIGTSTP);
    }

    terminal.type(key.ctrlC);
    await terminal.shows('$ '); // `cat` might read what is typed before it ends.
    terminal.type('echo "status $?"\n');
    await terminal.shows('status 130');
  });

  test('goes on in the background after bg, stops when it reads, and reads after fg', async () => {
    const terminal = await startShell(`${plain} cat`);
    const { init, app } = await processesOf(terminal, 'cat');
    terminal.type(key.ctrlZ);
    await terminal.shows(/Stopped/);
    terminal.type('bg\n');
    await terminal.shows(/ cat &\r\n/);
    // `cat` reads at once; bash says it with its next prompt.
    await eventually(() => Promise.all([isStopped(init), isStopped(app)]));
    terminal.type('fg\n');
    await terminal.shows(/fg\r\n[^]*warp-init.* cat\r\n/);
    terminal.type('typed\n');
    await terminal.shows('typed\r\ntyped\r\n');
    terminal.type(`${key.ctrlD}echo "status $?"\n`);
    await terminal.shows('status 0');
  });

  test('gets the terminal after the fg of a job that runs, which is silent, when it asks for it', async () => {
    const go = flagFile();
    const app = `sh -c 'while [ ! -e ${go} ]; do sleep 0.01; done; read -r line; echo "it was $line"'`;
    const terminal = await startShell(`${plain} ${app}`);
    const { init } = await processesOf(terminal, 'sleep');
    terminal.type(key.ctrlZ);
    await terminal.shows('Stopped');
    terminal.type('bg\n');
    await isRunning(init);
    terminal.type('fg\n');
    await eventually(() => expect(groupsOf(init).foreground).toBe(groupsOf(init).group));
    writeFileSync(go, '');
    terminal.type('typed\n');
    await terminal.shows('it was typed');
  });

  test('that ends in the background leaves the terminal to bash', async () => {
    const go = flagFile();
    const app = `sh -c 'while [ ! -e ${go} ]; do sleep 0.01; done; exit 3'`;
    const terminal = await startShell(`${plain} ${app}`);
    const { init } = await processesOf(terminal, 'sleep');
    terminal.type(key.ctrlZ);
    await terminal.shows('Stopped');
    terminal.type('bg\n');
    await isRunning(init);
    writeFileSync(go, '');
    await eventually(() => expect(existsSync(`/proc/${init}`)).toBe(false));
    terminal.type('echo "still here"; exit 6\n');
    await terminal.shows(/^still here/);
    expect(await terminal.ended).toBe(6);
  });

  test('that is started in the background reads only after fg', async () => {
    const terminal = await startShell(`${plain} cat &`);
    const { init, app } = await processesOf(terminal, 'cat');
    await Promise.all([isStopped(init), isStopped(app)]);
    terminal.type('fg\n');
    await terminal.shows(/^.*warp-init.* cat\r\n/);
    terminal.type('typed\n');
    await terminal.shows('typed\r\ntyped\r\n');
    terminal.type(key.ctrlC);
    await terminal.shows('$ '); // `cat` might read what is typed before it ends.
    terminal.type('echo "status $?"\n');
    await terminal.shows('status 130');
  });

  test('that somebody else has stopped and bash continues in the background leaves the terminal to it', async () => {
    const terminal = await startShell(`${plain} ${program('stay')}`);
    const { init, app } = await processesOf(terminal, 'stay');
    process.kill(init, 'SIGSTOP');
    await terminal.shows('Stopped');
    terminal.type('bg\n');
    await isRunning(init);
    await eventually(() => expect(signalsIn(init, 'ShdPnd')).toEqual([]));
    process.kill(app, 'SIGTERM');
    await eventually(() => expect(existsSync(`/proc/${init}`)).toBe(false));
    terminal.type('echo "still here"; exit 6\n');
    await terminal.shows(/^still here/);
    expect(await terminal.ended).toBe(6);
  });

  test('has the foreground again after fg, though it does not ask for it', async () => {
    const terminal = await startShell(`${plain} ${program('stay')}`);
    const { app } = await processesOf(terminal, 'stay');
    terminal.type(key.ctrlZ);
    await terminal.shows('Stopped');
    terminal.type('fg\n');
    await eventually(() => expect(groupsOf(app).foreground).toBe(app));
    await isRunning(app);
  });

  test('leaves the modes that it has found while it is stopped, also to a shell that sets none', async () => {
    const terminal = await startInTerminal(['env', 'PS1=$ ', 'sh', '-i']);
    await terminal.shows('$ ');
    const modes = terminal.modes();
    terminal.type(`${plain} sh -c 'stty -echo -icanon; kill -TSTP $$; echo "goes on"'\n`);
    await terminal.shows('Stopped');
    expect(terminal.modes()).toBe(modes);
    terminal.type('fg\n');
    await terminal.shows(/^goes on/);
  });

  test.each(['TSTP', 'STOP'])(
    'has its own modes again after the fg of a shell that sets none (%s)',
    async (signal) => {
      const terminal = await startInTerminal(['env', 'PS1=$ ', 'sh', '-i']);
      await terminal.shows('$ ');
      const modes = terminal.modes();
      // The shell shows the command itself, too.
      const app = `stty -echo -icanon; had=$(stty -g); kill -${signal} $$; [ "$had" = "$(stty -g)" ]; echo "changed: $?"; read -r _`;
      terminal.type(`${plain} sh -c '${app}'\n`);
      await terminal.shows('Stopped');
      expect(terminal.modes()).toBe(modes);
      terminal.type('fg\n');
      await terminal.shows('changed: 0');
      terminal.type('\n');
      await terminal.shows('$ ');
      expect(terminal.modes()).toBe(modes);
    },
  );

  test('that does not read from the terminal is not stopped with an app that somebody stops by its pid', async () => {
    const terminal = await startShell(`${plain} ${program('stay')} </dev/null`);
    const { init, app } = await processesOf(terminal, 'stay');
    process.kill(app, 'SIGSTOP');
    await isStopped(app);
    await eventually(() => expect(signalsIn(init, 'ShdPnd')).toEqual([]));
    await isRunning(init);
    process.kill(app, 'SIGCONT');
    terminal.type(key.ctrlC);
    terminal.type('echo "status $?"\n');
    await terminal.shows('status 130');
  });

  test('may stop itself with STOP, as `suspend` does', async () => {
    const terminal = await startShell(`${plain} sh -c 'kill -STOP $$; echo "goes on"'`);
    await terminal.shows('Stopped');
    terminal.type('fg\n');
    await terminal.shows(/^goes on/);
  });

  test('stops with the script that started it', async () => {
    const terminal = await startShell(`sh -c '${plain} cat; echo over'`);
    const { init, app } = await processesOf(terminal, 'cat');
    terminal.type(key.ctrlZ);
    await terminal.shows('Stopped');
    await Promise.all([isStopped(init), isStopped(app)]);
    terminal.type('fg\n');
    await isRunning(app);
    terminal.type(key.ctrlD);
    await terminal.shows(/^over/);
  });

  test('may stand in a pipeline whose end reads from the terminal; Ctrl-C ends both', async () => {
    const reader = `sh -c 'read -r line; read -r typed </dev/tty; echo "$line, $typed"; exec cat'`;
    const terminal = await startShell(`${plain} ${program('stay')} | ${reader}`);
    const { init } = await processesOf(terminal, 'stay');
    terminal.type('typed\n');
    await terminal.shows(/^ready, typed/);
    terminal.type(key.ctrlC);
    await eventually(() => expect(existsSync(`/proc/${init}`)).toBe(false));
    terminal.type('echo "${PIPESTATUS[@]}"\n');
    await terminal.shows('130 130\r');
  });

  test('in a pipeline may read from the terminal itself', async () => {
    const terminal = await startShell(`${plain} cat | cat`);
    await processesOf(terminal, 'cat');
    terminal.type('typed\n');
    await terminal.shows('typed\r\ntyped\r\n');
    terminal.type(key.ctrlZ);
    await terminal.shows('Stopped');
    terminal.type('fg\n');
    await terminal.shows(/^.*warp-init.*\r\n/);
    terminal.type('again\n');
    await terminal.shows('again\r\nagain\r\n');
    terminal.type(`${key.ctrlD}echo "status $?"\n`);
    await terminal.shows('status 0');
  });
});

describe('where nobody could continue init', () => {
  test.each([
    ['PID 1', asContainer],
    ['the leader of a session', []],
  ])('Ctrl-Z stops the app of %s alone, and CONT continues it', async (_role, through) => {
    if (through.length > 0 && noPid1Because !== undefined) {
      return;
    }

    const terminal = await startInTerminal([...through, binary, '--plain', program('stay')], {
      session: through.length > 0 ? 'none' : 'leader',
    });
    await terminal.shows('ready');
    const { init, app } = await processesOf(terminal, 'stay');
    terminal.type(key.ctrlZ);
    await isStopped(app);
    await eventually(() => expect(signalsIn(init, 'ShdPnd')).toEqual([]));
    await isRunning(init);
    process.kill(init, 'SIGCONT');
    await isRunning(app);
    terminal.type(key.ctrlC);
    expect(await terminal.ended).toBe(130);
  });
});

describe('a job of bash whose app is still prepared', () => {
  const jobs = `"$@"; echo "left with $?"; read -r _; fg; echo "ended with $?"`;
  const through = [program('in-terminal'), 'leader', 'ttt', 'bash', '--norc', '-ic', jobs, 'bash'];

  test.each(['release', 'sanitizers'] as const)(
    'is stopped by Ctrl-Z, and its app starts after fg (%s)',
    async (build) => {
      const init = await startLed({ through, binary: build });
      const brain = await init.nextBrain();
      init.child.stdin?.write(key.ctrlZ);
      await init.stdout.waitFor(`left with ${128 + SIGTSTP}`);
      brain.send(launchOf(['/bin/sh', '-c', 'echo "the app runs"; exit 5']));
      init.child.stdin?.write('\n');
      await init.stdout.waitFor('the app runs');
      await init.stdout.waitFor('ended with 5');
      expect(init.stdout.text()).not.toContain('dropped');
    },
  );

  test('has as much time after fg as it had before', { timeout: 20_000 }, async () => {
    const init = await startLed({ through });
    const brain = await init.nextBrain();
    const delayMs = 2000;
    brain.send({ type: 'deadline', delayMs, status: 69, text: Buffer.from('too late\n') });
    brain.send({ type: 'count' });
    await brain.receive(); // It has read both by then.
    init.child.stdin?.write(key.ctrlZ);
    await init.stdout.waitFor(`left with ${128 + SIGTSTP}`);
    await wait(delayMs + 100); // It is the time itself that must not count.
    init.child.stdin?.write('\n');
    await init.stdout.waitFor(/left with \d+[^]*"\$@"/);
    brain.send(launchOf(['/bin/sh', '-c', 'echo "the app runs"; exit 5']));
    const [said] = await init.stdout.waitFor(/ended with \d+/);
    expect(said).toBe('ended with 5');
  });
});

describe('init in an orphaned group, where nobody could continue it', () => {
  test('is not stopped by Ctrl-Z while the app is prepared', async () => {
    const init = await startLed({ through: [program('in-terminal'), 'leader', 'ttt'] });
    const brain = await init.nextBrain();
    init.child.stdin?.write(key.ctrlZ);
    init.child.stdin?.write('typed\n');
    await init.stdout.waitFor('typed'); // Its echo: the terminal has sent the signal by then.
    brain.send(launchOf(['/bin/sh', '-c', 'echo "the app runs"; exit 5']));
    expect(await init.ended).toBe(5);
  });
});

describe('without a terminal', () => {
  test('a CONT that comes while init stops the app is not lost', async () => {
    const init = startInit(['--plain', program('print-signals'), 'app', '15']);
    await init.stdout.waitFor('app ready');
    const tracer = startProcess(program('hold-kill'), [String(init.pid), String(SIGSTOP)]);
    await tracer.stdout.waitFor('ready');
    process.kill(init.pid, SIGTSTP);
    await tracer.stdout.waitFor('held');
    process.kill(init.pid, SIGCONT);
    tracer.child.stdin?.end();
    expect(await tracer.ended).toBe(0);
    await init.stdout.waitFor(`app got ${SIGCONT}`);
    await init.signal('SIGTERM');
    expect(await init.ended).toBe(0);
  });
});

/** An interactive shell that has been given a command. */
async function startShell(command: string): Promise<Terminal> {
  const terminal = await startInTerminal(shell);
  await terminal.shows('$ ');
  terminal.type(`${command}\n`);
  await terminal.shows(`${command}\r\n`);
  return terminal;
}

async function processesOf(terminal: Terminal, app: string) {
  return {
    init: await descendantRunning(terminal.pid, 'warp-init'),
    app: await descendantRunning(terminal.pid, app),
  };
}

function isStopped(pid: number): Promise<void> {
  return eventually(() => expect(statusField(pid, 'State')).toMatch(/^T/));
}

function isRunning(pid: number): Promise<void> {
  return eventually(() => expect(statusField(pid, 'State')).toMatch(/^[RS]/));
}

/** A path at which nothing is yet. */
function flagFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'job-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'go');
}
