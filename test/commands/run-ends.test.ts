// How the whole program ends: which status, what becomes of what the app leaves behind, and how long that takes.
import { describe, expect, test } from 'vitest';

import {
  describeContainer,
  runContainer,
  startContainer,
  startPlatform,
} from '../helpers/container.ts';
import type { Container } from '../helpers/container.ts';
import { program } from '../helpers/pid1.ts';
import type { Role } from '../helpers/pid1.ts';
import { eventually } from '../helpers/process.ts';

const platform = { services: { web: '10.0.0.10' } };
const lingerMs = 100;

describeContainer('the end', () => {
  test.each([
    ['143', 'kill -TERM $$', 0],
    ['143:7', 'kill -TERM $$', 7],
    ['137:0', 'kill -KILL $$', 0],
    ['0:9', 'exit 0', 9],
    ['143', 'exit 2', 2],
  ])('with --exit-status %s: %s gives %i', async (option, script, status) => {
    const args = ['--exit-status', '3:4', '--exit-status', option, '--', 'sh', '-c', script];
    const ended = await runContainer({ emulator: await startPlatform(platform), args });
    expect(ended).toMatchObject({ status, stderr: '' });
  });

  test('of an app that ignores its own stop signal comes after the kill delay', async () => {
    const options = ['--stop-signal', 'INT', '--kill-delay', `${lingerMs}ms`];
    const container = await startReady({ args: [...options, '--', program('stay'), '2'] });
    const askedAt = performance.now();
    await container.signal('SIGTERM');
    expect(await container.ended).toBe(137);
    expect(performance.now() - askedAt).toBeGreaterThan(lingerMs - 2);
  });

  test('of an app that hears its stop signal comes at once, whatever the kill delay', async () => {
    const options = ['--stop-signal', 'INT', '--kill-delay', '60s'];
    const container = await startReady({ args: [...options, '--', program('stay'), '15'] });
    await container.signal('SIGTERM');
    expect(await container.ended).toBe(130);
  });

  describe.each(['PID 1', 'a child'] as const)('as %s', (role) => {
    test('gives what is left of the group TERM, the linger time, and KILL', async () => {
      const container = await startReady(leaving('15', ['--linger', `${lingerMs}ms`], role));
      const endedAt = performance.now();
      container.child.stdin?.end();
      expect(await container.ended).toBe(7);
      expect(performance.now() - endedAt).toBeGreaterThan(lingerMs - 2);
      await eventually(() => expect(container.child.stdout?.closed).toBe(true));
    });

    test('does not wait for the linger time where TERM has ended what was left', async () => {
      const container = await startReady(leaving('', ['--linger', '60s'], role));
      container.child.stdin?.end();
      expect(await container.ended).toBe(7);
    });

    test('does not wait for it either where somebody asks us once more to end', async () => {
      const container = await startReady(leaving('15', ['--linger', '60s'], role));
      container.child.stdin?.end();
      // The app is gone when its group has lost its leader.
      await eventually(() => expect(container.stdout.text()).toContain('over'));
      const again = setInterval(() => void container.signal('SIGTERM').catch(() => {}), 20);
      expect(await container.ended).toBe(7);
      clearInterval(again);
    });

    test('does not wait at all without a linger time', async () => {
      const container = await startReady(leaving('', [], role));
      container.child.stdin?.end();
      expect(await container.ended).toBe(7);
      await eventually(() => expect(container.child.stdout?.closed).toBe(true));
    });
  });
});

describeContainer('exec, after which nothing of ours could reload the app', () => {
  test.each([
    ['a signal', 'signal: "HUP"'],
    ['a restart', 'action: "restart"'],
    ['a command', 'action: "command", command: "true"'],
    ['a restart for secrets alone', 'on: { secrets: "restart" }'],
  ])('is refused beside %s', async (_what, reload) => {
    const ended = await runContainer({
      emulator: await startPlatform(platform),
      config: `module.exports = { init: { reload: { ${reload} } } };`,
      args: ['--exec', '--', 'echo', 'the app ran'],
    });
    expect(ended).toMatchObject({ status: 78, stdout: '' });
    expect(ended.log()).toMatchObject([
      {
        msg: expect.stringMatching(/^Cannot reload beside --exec/),
        where: 'init.reload',
        fix: expect.stringContaining('--exec'),
      },
    ]);
  });
});

/** An app that ends at the end of its stdin with 7, and leaves a process that ignores this signal. */
function leaving(ignored: string, options: readonly string[], role: Role) {
  const script = `${program('stay')} ${ignored} & read -r _; echo over; exit 7`;
  return { role, args: [...options, '--', 'sh', '-c', script] };
}

async function startReady(options: Parameters<typeof startContainer>[0]): Promise<Container> {
  const container = startContainer({ emulator: await startPlatform(platform), ...options });
  await container.stdout.waitFor('ready');
  return container;
}
