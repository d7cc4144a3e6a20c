// Orphans: adopted and reaped, whoever's they were, and never taken for the app.
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { describeRoles, launchOf, program, startInit, startLed } from '../helpers/pid1.ts';
import type { Role } from '../helpers/pid1.ts';
import { childRunning, childrenOf, eventually, statusField } from '../helpers/process.ts';

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

describeRoles('more orphans than are reaped in one turn', (role) => {
  test('do not keep init from hearing others meanwhile, and are all reaped', async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(launchOf(['make-orphans', '500', '7']));
    expect((await brain.receive()).type).toBe('spawned');
    await init.stdout.waitFor('ready');
    const pid = await init.initPid();
    await init.signal('SIGSTOP');
    init.child.stdin?.write('e');
    await eventually(() => expect(zombiesBelow(pid)).toHaveLength(500));
    await sendAhead(await childRunning(pid, 'relay-brain'), () => brain.send({ type: 'count' }));
    await init.signal('SIGCONT');
    const answer = await brain.receive();
    expect(answer.type === 'counters' && answer.counters.orphansReaped).toBeLessThan(500);
    await eventually(() => expect(zombiesBelow(pid)).toEqual([]));
    init.child.stdin?.end();
    expect(await init.ended).toBe(7);
  });
});

describeRoles('2,000 orphans a second', (role) => {
  const count = role === 'PID 1' ? 10_000 : 2000;

  test(`leave no zombie older than a second, and no memory: ${count} of them`, async () => {
    const init = await startLed({ role });
    const brain = await init.nextBrain();
    brain.send(launchOf(['stream-orphans', String(count), '2000', '7']));
    expect((await brain.receive()).type).toBe('spawned');
    const pid = await init.initPid();
    const before = ownMemoryKb(pid);
    const firstSeen = new Map<string, number>();
    while (!init.stdout.text().includes('done')) {
      for (const zombie of zombiesBelow(pid)) {
        const since = firstSeen.get(zombie) ?? performance.now();
        firstSeen.set(zombie, since);
        expect(performance.now() - since).toBeLessThan(1000);
      }

      await pause(100);
    }

    await eventually(async () => {
      brain.send({ type: 'count' });
      expect(await brain.receive()).toMatchObject({ counters: { orphansReaped: count } });
    });
    expect(ownMemoryKb(pid) - before).toBeLessThan(32);
    init.child.stdin?.end();
    expect(await init.ended).toBe(7);
  });
});

describeRoles('the ends of app, brain and orphans in the same instant', (role) => {
  test('never cost the status of the app', async () => {
    const statuses = Array.from({ length: 48 }, (_, round) => round + 1);
    const ends: Race[] = [];
    for (let first = 0; first < statuses.length; first += 6) {
      const some = statuses.slice(first, first + 6);
      ends.push(...(await Promise.all(some.map((status) => race(role, status)))));
    }

    expect(ends.filter(({ wanted, got }) => got !== wanted)).toEqual([]);
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

type Race = { readonly wanted: number; readonly got: number | NodeJS.Signals };

/** Ends an app, its 20 orphans and the brain; who of them is told first takes turns. */
async function race(role: Role, wanted: number): Promise<Race> {
  const init = await startLed({ role });
  const brain = await init.nextBrain();
  brain.send(launchOf(['make-orphans', '20', String(wanted)]));
  await init.stdout.waitFor('ready');
  const acts = [
    () => init.child.stdin?.write('e'),
    () => brain.end(),
    () => init.child.stdin?.end(),
  ] as const;
  for (let index = 0; index < acts.length; index += 1) {
    acts[(index + wanted) % acts.length]?.();
  }

  return { wanted, got: await init.ended };
}

/** Returns when the brain has passed on what was sent, and sleeps again: it lies in the socket of init. */
async function sendAhead(brain: number, send: () => void): Promise<void> {
  const sleeps = () => Number(statusField(brain, 'voluntary_ctxt_switches'));
  const before = sleeps();
  send();
  await eventually(() => {
    expect(sleeps()).toBeGreaterThan(before);
    expect(statusField(brain, 'State')).toMatch(/^S/);
  });
}

/** What a process has for itself alone, in kB. */
function ownMemoryKb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Private_Dirty:\s+(\d+) kB$/m.exec(text)?.[1]);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

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
