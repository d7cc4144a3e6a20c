// A terminal, as `docker run -it` gives it. Made by script(1); what is typed is written to its stdin.
import { describe, expect, test } from 'vitest';

import { noPid1Because, program } from '../helpers/pid1.ts';
import { startProcess } from '../helpers/process.ts';
import { ways } from './rig.ts';

const binary = new URL('../../dist/warp-init', import.meta.url).pathname;
const asPid1 = `unshare ${process.getuid?.() === 0 ? '' : '--map-root-user'} --pid --fork --mount-proc --kill-child `;
const [ctrlC, ctrlD, ctrlZ] = ['\u0003', '\u0004', '\u001A'];

describe.each([
  ['as a child', '', false],
  ['as PID 1', asPid1, noPid1Because !== undefined],
])('%s', (_role, through, isSkipped) => {
  describe.skipIf(isSkipped).each(ways)('%s', (_way, options) => {
    const start = (command: string) =>
      startProcess('script', [
        '-qec',
        `exec ${through}${binary} ${options.join(' ')} -- ${command}`,
        '/dev/null',
      ]);

    test('a shell has job control, and its end is init’s', async () => {
      const script = start('bash --norc -m');
      script.child.stdin?.write('echo "flags [$-]"\n');
      const [, flags] = await script.stdout.waitFor(/flags \[(\w+)\]/);
      expect(flags).toContain('m');
      script.child.stdin?.write('exit 5\n');
      expect(await script.ended).toBe(5);
    });

    test('a filter reads to the end of what is typed, and writes', async () => {
      const script = start(`sh -c 'stty -echo; echo ready; exec tac'`);
      await script.stdout.waitFor('ready');
      script.child.stdin?.write(`1\n2\n3\n${ctrlD}`);
      expect(await script.ended).toBe(0);
      expect(script.stdout.text()).toBe('ready\r\n3\r\n2\r\n1\r\n');
    });

    test('Ctrl-C ends an app that does not catch it, with 130', async () => {
      const script = start(`dash -c 'while true; do echo "#"; sleep 0.05; done'`);
      await script.stdout.waitFor('#');
      script.child.stdin?.write(ctrlC);
      expect(await script.ended).toBe(130);
    });
  });
});

describe('a job of a shell', () => {
  test.each(ways)('%s: is suspended by Ctrl-Z and goes on after fg', async (_way, options) => {
    const script = startProcess('script', ['-qec', 'PS1="$ " bash --norc -i', '/dev/null']);
    await script.stdout.waitFor('$ ');
    script.child.stdin?.write(`${binary} ${options.join(' ')} -- ${program('stay')}\n`);
    await script.stdout.waitFor(/^ready\r$/m);
    script.child.stdin?.write(ctrlZ);
    await script.stdout.waitFor('Stopped');
    script.child.stdin?.write('fg\n');
    await script.stdout.waitFor(/fg\r\n.*warp-init/);
    // In the foreground again: Ctrl-C is the app's, and the shell sees its status.
    script.child.stdin?.write(ctrlC);
    script.child.stdin?.write('echo "status [$?]"\n');
    await script.stdout.waitFor('status [130]');
    script.child.stdin?.write('exit 3\n');
    expect(await script.ended).toBe(3);
  });
});
