import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually, startProcess } from '../helpers/process.ts';
import { askSocket, createSocketPath, fixturePath } from './rig.ts';

const program = new URL('run-emulator.ts', import.meta.url).pathname;

describe('warp-init emulator', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    'prints how to use it, answers, and ends on %s with status 0 and without its socket',
    async (signal) => {
      const socketPath = createSocketPath();
      const child = startCommand(fixturePath, socketPath);
      const [line] = await once(child.stdout.setEncoding('utf8'), 'data');

      expect(line).toBe(
        `Serving 8 services as "web": WARP_INIT_SOCKET=${socketPath} ` +
          'CYCLE_API_TOKEN=shop-on-a-laptop CYCLE_INSTANCE_ID=5dcf22dd782939a8bb1f4b79 warp-init debug\n',
      );
      const headers = { 'X-CYCLE-TOKEN': 'shop-on-a-laptop' };
      expect(await askSocket(socketPath, '/v1/container', { headers })).toMatchObject({
        body: { data: { name: 'web' } },
      });

      child.kill(signal);
      expect(await once(child, 'exit')).toEqual([0, null]);
      expect(existsSync(socketPath)).toBe(false);
    },
  );

  test('tells of each edit on stdout, and why one is refused on stderr, and serves on', async () => {
    const socketPath = createSocketPath();
    const path = `${socketPath}.json`;
    writeFileSync(path, '{"services": {"web": {}, "db": "10.0.0.2"}}');
    const { stdout, stderr } = startProcess(process.execPath, argumentsOf(path, socketPath));
    await stdout.waitFor('Serving 2 services');

    writeFileSync(path, '{"services": {"web": {}, "db": ["10.0.0.3", "10.0.0.4"]}}');
    await stdout.waitFor(
      'Changed: 2 notifications to 0 listeners: ' +
        'container.instances.reconfigured, container.instance.state.changed\n',
    );
    writeFileSync(path, '{"services": {"web": {}, "db": 7}}');
    await stderr.waitFor(/^warp-init emulator: Cannot use the platform file .*: 1 problem\n/);
    await stderr.waitFor('The earlier platform stays.');
    const reply = await askSocket(socketPath, '/v1/environment/instances', {
      headers: { 'X-CYCLE-TOKEN': 'emulator' },
    });
    expect(JSON.stringify(reply.body)).toContain('10.0.0.4');
  });

  test('lets go wrong what --fault says', async () => {
    const socketPath = createSocketPath();
    const { stdout } = startProcess(
      process.execPath,
      argumentsOf(fixturePath, socketPath, 'error-rate=1'),
    );
    await stdout.waitFor('Serving');

    expect((await askSocket(socketPath, '/v1/hub')).status).toBe(500);
  });

  test('serves on when nobody reads its output any more', async () => {
    const socketPath = createSocketPath();
    const path = `${socketPath}.json`;
    writeFileSync(path, '{"services": {"web": {}}}');
    const { child, stdout } = startProcess(process.execPath, argumentsOf(path, socketPath));
    await stdout.waitFor('Serving');
    child.stdout?.destroy();
    writeFileSync(path, '{"services": {"web": "10.0.0.7"}}');

    const headers = { 'X-CYCLE-TOKEN': 'emulator' };
    await eventually(async () =>
      expect(
        JSON.stringify(await askSocket(socketPath, '/v1/container/instances', { headers })),
      ).toContain('10.0.0.7'),
    );
    expect((await askSocket(socketPath, '/v1/hub', { headers })).status).toBe(200);
  });
});

function argumentsOf(...words: string[]): string[] {
  return ['--import', 'tsx', program, ...words];
}

function startCommand(platformPath: string, socketPath: string) {
  const args = argumentsOf(platformPath, socketPath);
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}
