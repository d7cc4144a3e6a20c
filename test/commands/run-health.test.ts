// `status` and `health` inside of a container whose brain has ended on purpose, and the way of a command through pid1.
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { describeContainer, runContainer, startPlatform } from '../helpers/container.ts';

const warpInit = new URL('../../dist/warp-init', import.meta.url).pathname;
const shop = { self: 'web', services: { web: '10.0.0.10' } };

/** An app that asks how it is as soon as somebody can know. */
function asking(directory: string, command: string): string[] {
  const marker = join(directory, 'init.json');
  return ['sh', '-c', `until [ -f ${marker} ]; do :; done; ${warpInit} ${command}; exit $?`];
}

describeContainer('health, where nothing is followed, is good', () => {
  const healthy = /^healthy: the app runs \(pid \d+\), nothing is followed\n$/;

  test('without a platform', async () => {
    const ended = await runContainer({ args: ['--', ...asking('/run/warp-init', 'health')] });
    expect(ended).toMatchObject({ status: 0, stdout: expect.stringMatching(healthy) });
  });

  test('with init.follow: false', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      config: 'module.exports = { init: { follow: false } };',
      args: ['--', ...asking('/run/warp-init', 'health')],
    });
    expect(ended).toMatchObject({ status: 0, stdout: expect.stringMatching(healthy), stderr: '' });
  });

  test('with --exec, where the app is PID 1', async () => {
    const ended = await runContainer({
      emulator: await startPlatform(shop),
      args: ['--exec', '--', ...asking('/run/warp-init', 'health')],
    });
    expect(ended).toMatchObject({
      status: 0,
      stdout: 'healthy: the app runs (pid 1), nothing is followed\n',
      stderr: '',
    });
  });

  test('still, after another init has run beside it as by `docker exec`', async () => {
    const another = `${warpInit} --log-level error --exec -- true; ${warpInit}`;
    const marker = '/run/warp-init/init.json';
    const ended = await runContainer({
      args: ['--', 'sh', '-c', `until [ -f ${marker} ]; do :; done; ${another} health; exit $?`],
    });
    expect(ended).toMatchObject({ status: 0, stdout: expect.stringMatching(healthy) });
  });

  test('of this start, where an earlier one of the container has left its marker', async () => {
    const stale = { pid: 1, startTicks: '1', startedAtMs: 1 };
    const text = { version: 1, initVersion: '0.0.9', isPid1: true, init: stale, app: stale };
    const marker = '/run/warp-init/init.json';
    const ended = await runContainer({
      before: `mkdir -m 700 /run/warp-init; echo '${JSON.stringify(text)}' > ${marker}`,
      args: ['--', 'sh', '-c', `until ${warpInit} health; do :; done`],
    });
    expect(ended).toMatchObject({ status: 0, stdout: expect.stringMatching(/healthy: the app/) });
  });

  test('where init is no PID 1', async () => {
    const ended = await runContainer({
      role: 'a child',
      args: ['--', ...asking('/run/warp-init', 'health')],
    });
    expect(ended).toMatchObject({ status: 0, stdout: expect.stringMatching(healthy) });
  });

  test('in the state directory that WARP_INIT_STATE_DIRECTORY names, for init and for those who ask', async () => {
    const directory = '/run/elsewhere';
    const ended = await runContainer({
      env: { WARP_INIT_STATE_DIRECTORY: directory },
      // The variable does not reach the app: `docker exec` has it from the image.
      args: ['--', ...asking(directory, `health --state-directory ${directory}`)],
    });
    expect(ended).toMatchObject({ status: 0, stdout: expect.stringMatching(healthy) });
  });
});

describeContainer('status, where nothing is followed', () => {
  test('knows which init runs, and since when', async () => {
    const ended = await runContainer({
      args: ['--', ...asking('/run/warp-init', 'status --json')],
    });
    const status = JSON.parse(ended.stdout);
    expect(status).toMatchObject({
      version: 1,
      init: { version: expect.stringMatching(/^\d+\.\d+\.\d+$/), isPid1: true },
      app: { starts: 1 },
      pipeline: { isNeeded: false },
      reload: { phase: 'off' },
    });
    expect(status.init.uptimeMs).toBeGreaterThanOrEqual(status.app.uptimeMs);
    expect(status.init.uptimeMs).toBeLessThan(10_000);
  });
});

describeContainer('--help', () => {
  test.each(['status', 'reload', 'health'])(
    'of %s has its options, and none of run',
    async (command) => {
      const { status, stdout } = await runContainer({ args: [command, '--help'] });
      expect(status).toBe(0);
      expect(stdout).toMatch(
        new RegExp(String.raw`^warp-init ${command} .*\[--state-directory DIR\]`),
      );
      expect(stdout).toContain('--state-directory');
      expect(stdout).not.toContain('--kill-delay');
      expect(stdout.includes('--json')).toBe(command === 'status');
    },
  );
});
