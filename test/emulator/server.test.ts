import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startEmulator } from '../../src/emulator/server.ts';
import { ask, askSocket, createSocketPath, startForTest } from './rig.ts';

const platform = {
  token: 'right',
  services: {
    web: [{ ipv4: '10.0.0.1' }],
    db: [{ ipv4: '10.0.0.2', healthy: false, ready: null, draining: true, server: 'far away' }],
    lb: { platform_service: 'loadbalancer', instances: ['10.0.0.3'] },
  },
  certificates: [{ domains: ['shop.example.com'] }],
};

describe('the API', () => {
  test.each([
    ['wrong', { 'X-CYCLE-TOKEN': 'wrong' }],
    ['missing', {}],
    ['almost right', { 'X-CYCLE-TOKEN': 'right2' }],
    ['empty', { 'X-CYCLE-TOKEN': '' }],
  ])('refuses a token that is %s as the platform does', async (_what, headers) => {
    const { socketPath } = await startForTest(platform);
    const reply = await askSocket(socketPath, '/v1/container', { headers });

    expect(reply).toMatchObject({
      status: 401,
      body: { data: null, error: { status: 401, code: '401.auth-invalid' } },
    });
    expect(JSON.stringify(reply.body)).not.toContain('right');
  });

  test.each([
    ['GET', '/v1/nothing', '404.uri'],
    ['GET', '/', '404.uri'],
    ['GET', '/v1/container/', '404.uri'],
    ['POST', '/v1/container', '404.uri'],
    ['DELETE', '/v1/environment/scoped-variables', '404.uri'],
    ['GET', '/v1/container?container-id=000000000000000000000000', '404.container'],
  ])('answers %s %s with %s', async (method, path, code) => {
    const reply = await ask(await startForTest(platform), path, { method });

    expect(reply).toMatchObject({
      status: 404,
      body: { data: null, error: { status: 404, code } },
    });
  });

  test('answers HEAD without a body and with a status that says no', async () => {
    const reply = await ask(await startForTest(platform), '/v1/container', { method: 'HEAD' });

    expect(reply).toMatchObject({ status: 404, body: undefined });
  });

  test('gives the fields of an instance that decide who is chosen', async () => {
    const { body } = await ask(await startForTest(platform), '/v1/environment/instances');

    expect(body).toMatchObject({
      data: [
        {
          ready_state: 'active',
          state: { current: 'running', health: null, readiness: null },
          traffic_drain: null,
          environment: { ipv6: null, legacy: { ipv4: { ip: '10.0.0.1' } } },
        },
        {
          state: { health: { healthy: false }, readiness: { ready: null } },
          traffic_drain: { started: expect.any(String) },
        },
        { service: 'loadbalancer' },
      ],
    });
  });

  test('gives another container and its instances by `container-id`', async () => {
    const emulator = await startForTest(platform);
    const { id } = emulator.platform.services[1] ?? { id: '' };

    expect((await ask(emulator, `/v1/container?container-id=${id}`)).body).toMatchObject({
      data: { id, name: 'db' },
    });
    expect((await ask(emulator, `/v1/container/instances?container-id=${id}`)).body).toMatchObject({
      data: [{ container_id: id }],
    });
    expect((await ask(emulator, `/v1/containers/certificates?container-id=${id}`)).body).toEqual({
      data: [],
    });
  });

  test('gives the instances of our own server alone as those of the server', async () => {
    const { body } = await ask(await startForTest(platform), '/v1/server/instances');

    expect(body).toMatchObject({
      data: [{ container_id: expect.any(String) }, { service: 'loadbalancer' }],
    });
  });

  test('records every request with its status', async () => {
    const emulator = await startForTest(platform);
    await ask(emulator, '/v1/hub?x=1');
    await askSocket(emulator.socketPath, '/v1/hub');

    expect(emulator.requests).toEqual([
      { method: 'GET', path: '/v1/hub?x=1', status: 200 },
      { method: 'GET', path: '/v1/hub', status: 401 },
    ]);
  });

  test('answers for the new platform from setPlatform on, to the old token', async () => {
    const emulator = await startForTest(platform);
    emulator.setPlatform({ token: 'another', services: { shop: {} } });

    expect(emulator.environment).toMatchObject({
      CYCLE_API_TOKEN: 'right',
      CYCLE_INSTANCE_ID: emulator.platform.self.instances[0]?.id,
    });
    expect((await ask(emulator, '/v1/container')).body).toMatchObject({ data: { name: 'shop' } });
  });

  test('keeps the old platform where setPlatform gets a bad one', async () => {
    const emulator = await startForTest(platform);

    expect(() => emulator.setPlatform({ services: {} })).toThrow('Cannot use the platform file');
    expect((await ask(emulator, '/v1/container')).body).toMatchObject({ data: { name: 'web' } });
  });
});

describe('the socket', () => {
  test('is open to every user, in a directory that is made for it', async () => {
    const socketPath = join(createSocketPath(), 'deep', 'down', 'api.sock');
    await startForTest(platform, socketPath);

    expect(statSync(socketPath).mode & 0o777).toBe(0o666);
  });

  test('is removed at the end, even while a client keeps its connection', async () => {
    const emulator = await startEmulator({ platform, socketPath: createSocketPath() });
    await ask(emulator, '/v1/hub', { headers: { connection: 'keep-alive' } });
    await Promise.all([emulator.close(), emulator.close()]);
    await emulator.close();

    expect(existsSync(emulator.socketPath)).toBe(false);
  });

  test('replaces one that a killed process has left', async () => {
    const socketPath = createSocketPath();
    const script = `require('net').createServer().listen(process.argv[1], () => console.log('listening'))`;
    const child = spawn(process.execPath, ['-e', script, socketPath]);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(socketPath)).toBe(true);

    expect((await ask(await startForTest(platform, socketPath), '/v1/hub')).status).toBe(200);
  });

  test('is an error with status 73 where another program listens, which goes on', async () => {
    const first = await startForTest(platform);

    await expect(startEmulator({ platform, socketPath: first.socketPath })).rejects.toMatchObject({
      exitCode: 73,
      message: `Cannot listen on ${first.socketPath}: another program listens on it`,
    });
    expect((await ask(first, '/v1/hub')).status).toBe(200);
  });

  test('never replaces a file that is not a socket', async () => {
    const socketPath = createSocketPath();
    writeFileSync(socketPath, 'precious');

    await expect(startEmulator({ platform, socketPath })).rejects.toMatchObject({
      exitCode: 73,
      message: `Cannot listen on ${socketPath}: there is a file that is not a socket`,
    });
    expect(readFileSync(socketPath, 'utf8')).toBe('precious');
  });

  test('may have a path of 107 bytes, and not of 108', async () => {
    const directory = mkdtempSync('/tmp/emulator-');
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const longest = join(directory, 'x'.repeat(107 - directory.length - 1));

    expect((await ask(await startForTest(platform, longest), '/v1/hub')).status).toBe(200);
    await expect(startEmulator({ platform, socketPath: `${longest}x` })).rejects.toMatchObject({
      exitCode: 73,
      message: `Cannot listen on ${longest}x: its path has 108 bytes, the limit is 107`,
    });
  });

  test('is an error with status 73 where its directory cannot be made', async () => {
    const file = createSocketPath();
    writeFileSync(file, '');

    await expect(
      startEmulator({ platform, socketPath: `${file}/deep/api.sock` }),
    ).rejects.toMatchObject({
      exitCode: 73,
      message: `Cannot listen on ${file}/deep/api.sock: ENOTDIR`,
    });
  });

  test('is found listening although it accepts only slowly', async () => {
    const socketPath = createSocketPath();
    const other = createServer({ pauseOnConnect: true }).listen(socketPath);
    onTestFinished(() => void other.close());
    await once(other, 'listening');

    await expect(startEmulator({ platform, socketPath })).rejects.toMatchObject({ exitCode: 73 });
  });
});
