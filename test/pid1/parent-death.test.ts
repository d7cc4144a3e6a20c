// `--parent-death`: the end of the process that has started init, whenever it comes.
import { describe, expect, test } from 'vitest';

import { endWithTest, launchOf, startLed } from '../helpers/pid1.ts';
import type { Brain, LedInit } from '../helpers/pid1.ts';
import { eventually, programOf } from '../helpers/process.ts';

const [SIGUSR1, SIGKILL, SIGTERM] = [10, 9, 15];
/** The parent of init. */
const through = ['sh', '-c', '"$@" & echo "pid $!"; read -r _', 'sh'];

describe.each(['release', 'sanitizers'] as const)('the parent of init (%s)', (binary) => {
  describe('that has ended while the app was prepared', () => {
    test.each([
      ['TERM', { parentDeathSignal: SIGTERM }],
      ['USR1, though init would not end of it', { parentDeathSignal: SIGUSR1 }],
      ['KILL', { parentDeathSignal: SIGKILL }],
      ['TERM, with --exec', { parentDeathSignal: SIGTERM, exec: true }],
    ])('leaves no app behind, and no init (%s)', async (_what, change) => {
      const { init, brain, pid } = await startBelow();
      await endParent(init);
      brain.send(launchOf(['/bin/echo', 'the app ran'], change));
      await brain.gone;
      await eventually(() => expect(programOf(pid)).toBe(''));
      expect(init.stdout.text()).not.toContain('the app ran');
    });

    test('is no matter where nobody asked for its end', async () => {
      const { init, brain } = await startBelow();
      await endParent(init);
      brain.send(launchOf(['/bin/echo', 'the app ran']));
      await eventually(() => expect(init.stdout.text()).toContain('the app ran'));
    });
  });

  test('takes the app with it by KILL, of which init cannot tell it', async () => {
    const { init, brain } = await startBelow();
    brain.send(launchOf(['stay'], { parentDeathSignal: SIGKILL }));
    const spawned = await brain.receive();
    await init.stdout.waitFor('ready');
    await endParent(init);
    const app = spawned.type === 'spawned' ? spawned.pid : 0;
    await eventually(() => expect(programOf(app)).toBe(''));
  });

  async function startBelow(): Promise<{ init: LedInit; brain: Brain; pid: number }> {
    const init = await startLed({ binary, through });
    await endWithTest(init);
    const [, pid] = await init.stdout.waitFor(/^pid (\d+)$/m);
    return { init, brain: await init.nextBrain(), pid: Number(pid) };
  }
});

async function endParent(init: LedInit): Promise<void> {
  init.child.kill('SIGKILL');
  await init.ended;
}
