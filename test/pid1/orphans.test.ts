// Orphans: adopted and reaped, whoever's they were, and never taken for the app.
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { describeRoles, launchOf, program, startInit, startLed } from '../helpers/pid1.ts';
import { childrenOf, eventually } from '../helpers/process.ts';

describeRoles('orphans', (role) => {
  test('200 that end at once leave no zombie', async () => {
    const init = startInit(['--plain', program('make-orphans'), '200', '0'], { role });
    await init.stdout.waitFor('ready');
    const pid = await init.initPid();
    expect(childrenOf(pid)).toHaveLength(201);
    init.child.stdin?.write('e');
    await eventually(() => expect(childrenOf(pid)).toHaveLength(1));
    expect(zombiesBelow(pid)).toEqual([]);
    init.child.stdin?.end();
    expect(await init.ended).toBe(0);
  });

  test('200 that end in the same moment as the app do not change its status', async () => {
    const init = startInit(['--plain', program('make-orphans'), '200', '42'], { role });
    await init.stdout.waitFor('ready');
    init.child.stdin?.end('e');
    expect(await init.ended).toBe(42);
  });

  test('are reaped beside a brain', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(launchOf(['make-orphans', '50', '7']));
    await init.stdout.waitFor('ready');
    const pid = await init.initPid();
    expect(childrenOf(pid)).toHaveLength(52);
    init.child.stdin?.write('e');
    // The app and the brain.
    await eventually(() => expect(childrenOf(pid)).toHaveLength(2));
    init.child.stdin?.end();
    expect(await init.ended).toBe(7);
  });
});

describe('with SIGCHLD ignored, so that the kernel would reap', () => {
  test('the app’s status is not lost', async () => {
    const init = startInit(['--plain', 'sh', '-c', 'exit 9'], {
      through: ['env', '--ignore-signal=CHLD'],
    });
    expect(await init.ended).toBe(9);
  });
});

describe('children that init was started with', () => {
  test('are reaped, and their ends are not taken for the app’s', async () => {
    // The shell becomes init and leaves it two children, one of which ends only then.
    const script = 'true & { read -r _; exit 5; } <&3 & exec "$@" 3<&-';
    const init = startInit(['--plain', '--', program('make-orphans'), '1', '6'], {
      through: ['sh', '-c', script, 'sh'],
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    await init.stdout.waitFor('ready');
    const [, , , released] = init.child.stdio;
    released?.destroy();
    await eventually(() => expect(childrenOf(init.pid)).toHaveLength(2)); // app, its orphan
    init.child.stdin?.end('e');
    expect(await init.ended).toBe(6);
  });
});

function zombiesBelow(parent: number): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // The name in parentheses may hold anything; state and parent are behind the last one.
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return state === 'Z' && Number(ppid) === parent ? [stat] : [];
      } catch {
        return []; // It has ended meanwhile.
      }
    });
}
