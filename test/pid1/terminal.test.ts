// A controlling terminal on stdin, made by script(1): the app has its foreground.
import { describe, expect, test } from 'vitest';

import { noPid1Because, program } from '../helpers/pid1.ts';
import { childrenOf, eventually, programOf, startProcess } from '../helpers/process.ts';
import { readFileSync } from 'node:fs';

const binary = new URL('../../dist/warp-init', import.meta.url).pathname;
const asPid1 = `unshare ${process.getuid?.() === 0 ? '' : '--map-root-user'} --pid --fork --mount-proc --kill-child `;

describe.each([
  ['as a child', '', false],
  ['as PID 1', asPid1, noPid1Because !== undefined],
])('a terminal, %s', (_role, through, isSkipped) => {
  const start = (command: string) =>
    startProcess('script', ['-qec', `exec ${through}${binary} --plain -- ${command}`, '/dev/null']);

  test.skipIf(isSkipped)('sends Ctrl-C to the app, once', async () => {
    const script = start(`${program('print-signals')} app 3`);
    await script.stdout.waitFor('app ready');
    script.child.stdin?.write('\u0003'); // Ctrl-C
    await script.stdout.waitFor('app got 2');
    script.child.stdin?.write('\u001C'); // Ctrl-\ comes behind what Ctrl-C has done.
    expect(await script.ended).toBe(0);
    expect(script.stdout.text().match(/got \d+/g)).toEqual(['got 2', 'got 3']);
  });

  test.skipIf(isSkipped)(
    'has the app’s group in its foreground, and the app is in its session',
    async () => {
      const script = start(program('stay'));
      await script.stdout.waitFor('ready');
      const app = await eventually(() => descendantRunning(script.pid, 'stay'));
      const [group, session, , foreground] = statOf(app);
      expect(group).toBe(app);
      expect(foreground).toBe(app);
      expect(session).not.toBe(app);
    },
  );

  test.skipIf(isSkipped)('is readable for the app', async () => {
    const script = start(`sh -c 'echo ready; read -r line; echo "it was $line"; exit 4'`);
    await script.stdout.waitFor('ready');
    script.child.stdin?.write('typed\n');
    await script.stdout.waitFor('it was typed');
    expect(await script.ended).toBe(4);
  });
});

describe('the terminal of a shell', () => {
  test('is the shell’s again when init has ended', async () => {
    // A shell in the background group of its terminal would be stopped at `read`.
    const command = `${binary} --plain -- true; read -r line; echo "it was $line"`;
    const script = startProcess('script', ['-qec', `sh -c '${command}'`, '/dev/null']);
    script.child.stdin?.write('typed\n');
    await script.stdout.waitFor('it was typed');
    expect(await script.ended).toBe(0);
  });
});

/** Process group, session, terminal and the terminal's foreground group: proc_pid_stat(5), 5 to 8. */
function statOf(pid: number): number[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(2, 6)
    .map(Number);
}

function descendantRunning(pid: number, name: string): number {
  const all = [pid];
  for (const parent of all) {
    all.push(...childrenOf(parent));
  }

  const found = all.find((each) => programOf(each).endsWith(`/${name}`));
  if (found === undefined) {
    throw new Error(`nothing below ${pid} runs ${name}`);
  }

  return found;
}
