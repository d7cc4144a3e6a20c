import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
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
});

function startCommand(platformPath: string, socketPath: string) {
  const args = ['--import', 'tsx', program, platformPath, socketPath];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}
