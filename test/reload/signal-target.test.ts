import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';

import { findSignalTarget } from '../../src/reload/signal-target.ts';
import { childrenOf, eventually, programOf, startProcess } from '../helpers/process.ts';
import type { Running } from '../helpers/process.ts';

const hangup = 1;
const usr2 = 12;

/** Says `ready` when it catches HUP, and `hup` for each one. */
const listener = "process.on('SIGHUP', () => console.log('hup')); console.log('ready');";
const stayAlive = 'setInterval(() => {}, 1000);';

function node(script: string): string {
  return `${process.execPath} -e "${script}"`;
}

function shell(script: string): Running {
  return startProcess('sh', ['-c', script]);
}

/** The process at the end of a chain of only children. */
function lastOf(pid: number): number {
  const [child, ...others] = childrenOf(pid);
  return child === undefined || others.length > 0 ? pid : lastOf(child);
}

describe('a signal goes to', () => {
  test('the app, if it catches it', async () => {
    const app = startProcess(process.execPath, ['-e', listener + stayAlive]);
    await app.stdout.waitFor('ready');

    expect(findSignalTarget(app.pid, hangup)).toBe(app.pid);
  });

  test('the app behind a shell that waits for it, and it takes it', async () => {
    const wrapper = shell(`${node(listener + stayAlive)}; true`);
    await wrapper.stdout.waitFor('ready');
    const target = findSignalTarget(wrapper.pid, hangup);

    expect(target).toBe(lastOf(wrapper.pid));
    expect(target).not.toBe(wrapper.pid);
    process.kill(target ?? Number.NaN, hangup);
    await wrapper.stdout.waitFor('hup');
  });

  test('the app behind several shells', async () => {
    const wrapper = startProcess('sh', ['-c', `sh -c 'sh -c "$APP"; true'; true`], {
      env: { APP: `${process.execPath} -e "$SCRIPT"; true`, SCRIPT: listener + stayAlive },
    });
    await wrapper.stdout.waitFor('ready');

    expect(findSignalTarget(wrapper.pid, hangup)).toBe(lastOf(wrapper.pid));
    expect(lastOf(wrapper.pid)).not.toBe(wrapper.pid);
  });

  test('the app behind `npm start`', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'signal-target-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const scripts = { start: 'node server.js' };
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'app', scripts }));
    writeFileSync(join(directory, 'server.js'), listener + stayAlive);
    const npm = startProcess('npm', ['start'], { cwd: directory, env: { HOME: directory } });
    await npm.stdout.waitFor('ready');

    expect(findSignalTarget(npm.pid, hangup)).toBe(lastOf(npm.pid));
    expect(programOf(lastOf(npm.pid))).toMatch(/node$/);
    expect(lastOf(npm.pid)).not.toBe(npm.pid);
  });

  test('the app and not to its workers', async () => {
    const fork = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(stayAlive)}]);`;
    const app = startProcess(process.execPath, ['-e', fork + listener + stayAlive]);
    await app.stdout.waitFor('ready');
    await eventually(() => expect(childrenOf(app.pid)).toHaveLength(1));

    expect(findSignalTarget(app.pid, hangup)).toBe(app.pid);
  });

  test('the child that another thread than the first one has forked', async () => {
    const script = `import subprocess, sys, threading, time
def run():
  subprocess.Popen([sys.argv[1], '-e', sys.argv[2]])
  time.sleep(60)
threading.Thread(target=run, daemon=True).start()
time.sleep(60)`;
    const app = startProcess('python3', ['-c', script, process.execPath, listener + stayAlive]);
    await app.stdout.waitFor('ready');
    const target = findSignalTarget(app.pid, hangup);

    expect(childrenOf(app.pid)).toEqual([]);
    process.kill(target ?? Number.NaN, hangup);
    await app.stdout.waitFor('hup');
  });

  test('a trap of a shell', async () => {
    const app = shell("trap 'echo hup' HUP; echo ready; while true; do sleep 0.05; done");
    await app.stdout.waitFor('ready');

    expect(findSignalTarget(app.pid, hangup)).toBe(app.pid);
  });
});

describe('a signal goes to nobody', () => {
  test('while the app has no handler, and to the app as soon as it has one', async () => {
    const script = `process.stdin.once('data', () => { ${listener} }); console.log('booting');`;
    const app = startProcess(process.execPath, ['-e', script]);
    await app.stdout.waitFor('booting');
    expect(findSignalTarget(app.pid, hangup)).toBeUndefined();

    app.child.stdin?.write('go');
    await app.stdout.waitFor('ready');
    expect(findSignalTarget(app.pid, hangup)).toBe(app.pid);
    expect(findSignalTarget(app.pid, usr2)).toBeUndefined();
  });

  test('where a wrapper has several children, of which one catches it', async () => {
    const app = node(listener + stayAlive);
    for (const script of [`sleep 60 & ${app}; true`, `${app} & sleep 60; true`]) {
      const wrapper = shell(script);
      await wrapper.stdout.waitFor('ready');

      expect(childrenOf(wrapper.pid)).toHaveLength(2);
      expect(findSignalTarget(wrapper.pid, hangup)).toBeUndefined();
    }
  });

  test('that ignores it, as under nohup', async () => {
    const app = shell("trap '' HUP; echo ready; exec sleep 60");
    await app.stdout.waitFor('ready');
    await eventually(() => expect(programOf(app.pid)).toMatch(/sleep|busybox|coreutils/));

    expect(findSignalTarget(app.pid, hangup)).toBeUndefined();
  });

  test('where the app has ended', async () => {
    const app = shell('exit 0');
    await app.ended;
    await wait(0);

    expect(findSignalTarget(app.pid, hangup)).toBeUndefined();
  });
});

describe('by a /proc of files', () => {
  type Entry = {
    readonly pid: number;
    readonly parent: number;
    readonly caught?: readonly number[];
    readonly state?: string;
  };

  /** A directory that looks like /proc; without lists of children as where the kernel has none. */
  function writeProc(entries: readonly Entry[], { hasChildren = true } = {}): string {
    const root = mkdtempSync(join(tmpdir(), 'proc-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    for (const { pid, parent, caught = [], state = 'S (sleeping)' } of entries) {
      const task = join(root, `${pid}/task/${pid}`);
      mkdirSync(task, { recursive: true });
      const mask = caught.reduce((sum, signal) => sum | (1n << BigInt(signal - 1)), 0n);
      const digits = mask.toString(16).padStart(16, '0');
      writeFileSync(
        join(root, `${pid}/status`),
        `Name:\tx\nState:\t${state}\nPPid:\t${parent}\nSigIgn:\tffffffffffffffff\nSigCgt:\t${digits}\n`,
      );
      if (hasChildren) {
        const children = entries.filter((it) => it.parent === pid).map((it) => `${it.pid} `);
        writeFileSync(join(task, 'children'), children.join(''));
      }
    }

    return root;
  }

  const chain = [
    { pid: 10, parent: 1 },
    { pid: 11, parent: 10 },
    { pid: 12, parent: 11, caught: [hangup, 64] },
    { pid: 13, parent: 12, caught: [usr2] },
  ];

  test.each([true, false])('with lists of children: %s', (hasChildren) => {
    const root = writeProc(chain, { hasChildren });

    expect(findSignalTarget(10, hangup, root)).toBe(12);
    expect(findSignalTarget(10, 64, root)).toBe(12);
    expect(findSignalTarget(10, usr2, root)).toBe(13);
    expect(findSignalTarget(10, 63, root)).toBeUndefined();
  });

  test('a zombie is no child', () => {
    const zombie = { pid: 20, parent: 10, state: 'Z (zombie)' };

    expect(findSignalTarget(10, hangup, writeProc([...chain, zombie]))).toBe(12);
  });

  test('a circle, which only a race can show, ends', () => {
    const root = writeProc([
      { pid: 10, parent: 11 },
      { pid: 11, parent: 10 },
    ]);

    expect(findSignalTarget(10, hangup, root)).toBeUndefined();
  });
});
