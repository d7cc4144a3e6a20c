import { once } from 'node:events';
import { createConnection } from 'node:net';
import { existsSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Emulator } from '../../src/emulator/server.ts';
import { eventually } from '../helpers/process.ts';
import { ask, listenTo, startForTest } from './rig.ts';

const platform = {
  services: { web: {}, db: '10.0.0.2' },
  secrets: { key: { value: 'one', once: true } },
};
const moved = { ...platform, services: { web: {}, db: '10.0.0.3' } };
const secrets = '/v1/environment/scoped-variables';

describe('on demand', () => {
  test('latency keeps every answer back for so long, and the handshake of the pipeline', async () => {
    const emulator = await startForTest(platform);
    emulator.setFault('latency=150ms');
    const startedMs = performance.now();
    await Promise.all([ask(emulator, '/v1/hub'), listenTo(emulator)]);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(149);

    emulator.setFault('latency=1m');
    emulator.setFault();
    expect((await ask(emulator, '/v1/hub')).status).toBe(200);
  });

  test('who goes away while latency keeps the answer back has used no secret up', async () => {
    const emulator = await startForTest(platform);
    emulator.setFault('latency=100ms');
    const socket = startRequest(emulator, secrets);
    await once(socket, 'ready');
    socket.destroy();
    await eventually(() => expect(emulator.requests).toMatchObject([{ status: 0 }]));

    emulator.setFault();
    expect((await ask(emulator, secrets)).body).toEqual({ data: { key: 'one' } });
  });

  test('an error rate makes so many answers a 500, the same ones with the same seed', async () => {
    const emulator = await startForTest(platform);
    const statuses = async () => {
      emulator.setFault('error-rate=0.5,seed=7');
      const replies = [];
      for (let count = 0; count < 20; count += 1) replies.push(await ask(emulator, '/v1/hub'));
      return replies.map(({ status }) => status);
    };
    const first = await statuses();

    expect(new Set(first)).toEqual(new Set([200, 500]));
    expect(await statuses()).toEqual(first);
  });

  test('an error uses no secret up that is served once', async () => {
    const emulator = await startForTest(platform);
    emulator.setFault('error-rate=1');
    expect((await ask(emulator, secrets)).body).toEqual({
      data: null,
      error: expect.objectContaining({ status: 500, code: '500.unknown' }),
    });

    emulator.setFault();
    expect((await ask(emulator, secrets)).body).toEqual({ data: { key: 'one' } });
  });

  test('the right token is refused, by the pipeline too', async () => {
    const emulator = await startForTest(platform);
    emulator.setFault('unauthorized');

    expect(await ask(emulator, secrets)).toMatchObject({
      status: 401,
      body: { error: { code: '401.auth-invalid' } },
    });
    await expect(listenTo(emulator)).rejects.toThrow('Unexpected server response: 401');
  });

  test('refused ends every connection, and each new one at once', async () => {
    const emulator = await startForTest(platform);
    const { closed } = await listenTo(emulator);
    emulator.setFault('refused');

    expect(await closed).toBe(1006);
    await expect(ask(emulator, '/v1/hub')).rejects.toThrow(/socket hang up|ECONNRESET|EPIPE/);
    await expect(listenTo(emulator)).rejects.toThrow(/socket hang up|ECONNRESET|EPIPE/);

    // Who says nothing is not waited for either.
    await once(createConnection(emulator.socketPath), 'close');

    emulator.setFault();
    expect((await ask(emulator, '/v1/hub')).status).toBe(200);
  });

  test('half-open reads and never answers: no request, no ping, no close, no handshake', async () => {
    const emulator = await startForTest(platform);
    const { socket, heard } = await listenTo(emulator);
    emulator.setFault('half-open');
    let hasAnswered = false;
    const silent = () => (hasAnswered = true);
    socket.on('pong', silent).on('close', silent);
    socket.ping();
    socket.close();
    const open = [startRequest(emulator, '/v1/hub'), startRequest(emulator, '/v1/notifications')];
    for (const one of open) one.on('data', silent).on('close', silent);
    await emulator.update(moved);
    await eventually(() => expect(emulator.countRequests('/v1/notifications')).toBe(2));

    // Answered after all of the above, on a connection that is well.
    emulator.setFault();
    await ask(emulator, '/v1/hub');
    expect(hasAnswered).toBe(false);
    expect(heard).toEqual([]);
    expect(emulator.requests.map(({ status }) => status)).toEqual([101, 0, 0, 200]);
  });

  test('cut ends an answer in its middle, with the length of all of it', async () => {
    const emulator = await startForTest(platform);
    const whole = JSON.stringify((await ask(emulator, '/v1/hub')).body).length;
    emulator.setFault('cut');
    const socket = startRequest(emulator, '/v1/hub');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += String(chunk)));
    await once(socket, 'close');
    const [head = '', body = ''] = text.split('\r\n\r\n');

    expect(head).toContain(`Content-Length: ${whole}`);
    expect(body).toHaveLength(Math.floor(whole / 2));
  });

  test('cut ends the pipeline in the middle of a frame', async () => {
    const emulator = await startForTest(platform);
    const { socket, heard, closed } = await listenTo(emulator);
    let sizeBytes = 0;
    emulator.setFault('cut');
    const [stream] = [streamBelow(socket)];
    stream.on('data', (chunk: Buffer) => (sizeBytes += chunk.length));
    const [told] = await emulator.update(moved);

    expect(await closed).toBe(1006);
    expect(heard).toEqual([]);
    // RFC 6455: a header of 4 bytes stands before a text of 126 to 65,535.
    expect(sizeBytes).toBe(Math.ceil((JSON.stringify(told).length + 4) / 2));
  });

  test('garbage comes instead of an answer, each time with another kind', async () => {
    const emulator = await startForTest(platform);
    emulator.setFault('garbage');
    const outcomes = new Set<string>();
    for (let count = 0; count < 40; count += 1) {
      outcomes.add(await ask(emulator, '/v1/hub').then((reply) => String(reply.status), String));
    }

    expect([...outcomes].filter((text) => text.includes('SyntaxError')).length).toBeGreaterThan(0);
    expect([...outcomes].filter((text) => text.includes('Parse Error')).length).toBeGreaterThan(0);
    expect(outcomes).toContain('200');
  });

  test('garbage comes before a notification, which comes still if the listener can go on', async () => {
    const emulator = await startForTest(platform);
    emulator.setFault('garbage,seed=3');
    let told = 0;
    let fatal = 0;
    let nonsense = 0;
    for (let round = 0; round < 30; round += 1) {
      const { socket, heard, closed } = await listenTo(emulator);
      const [notification] = await emulator.update(round % 2 === 0 ? moved : platform);
      socket.ping();
      const ponged = new Promise((resolve) => void socket.on('pong', () => resolve('pong')));
      const end = await Promise.race([ponged, closed]);
      if (end !== 'pong') fatal += 1;
      else if (heard.some((one) => JSON.stringify(one) === JSON.stringify(notification))) told += 1;
      nonsense += heard.length > 1 ? 1 : 0;
      socket.terminate();
    }

    expect(told + fatal).toBe(30);
    expect(fatal).toBeGreaterThan(0);
    expect(nonsense).toBe(told);
  });

  test('a restart takes the socket away for so long, with every connection', async () => {
    const emulator = await startForTest(platform);
    const { closed } = await listenTo(emulator);
    const startedMs = performance.now();
    const back = emulator.restart(200);
    expect(await closed).toBe(1006);
    expect(existsSync(emulator.socketPath)).toBe(false);
    await expect(ask(emulator, '/v1/hub')).rejects.toThrow('ENOENT');
    await back;

    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(199);
    expect((await ask(emulator, secrets)).body).toEqual({ data: { key: 'one' } });
    await listenTo(emulator);
  });

  test('restarts come again and again until they are called off', async () => {
    const emulator = await startForTest(platform);
    emulator.setFault('restart=20ms/20ms');
    for (let round = 0; round < 3; round += 1) {
      const { closed } = await eventually(() => listenTo(emulator));
      expect(await closed).toBe(1006);
    }
    emulator.setFault();

    const { heard } = await eventually(() => listenTo(emulator));
    await eventually(() => expect(existsSync(emulator.socketPath)).toBe(true));
    const calledOffMs = performance.now();
    while (performance.now() - calledOffMs < 100) await ask(emulator, '/v1/hub');
    await emulator.sendFrame('1');
    await eventually(() => expect(heard).toEqual([1]));
  });

  test('close during a restart leaves no socket, and nobody who waits', async () => {
    const emulator = await startForTest(platform);
    const back = emulator.restart(3_600_000);
    await emulator.close();
    await back;

    expect(existsSync(emulator.socketPath)).toBe(false);
  });

  test('a path answers what the test wants, whatever the platform has', async () => {
    const emulator = await startForTest(platform);
    emulator.setAnswer('/v1/environment/containers', []);
    const path = '/v1/environment/containers';
    expect((await ask(emulator, path)).body).toEqual({ data: [] });
    expect((await ask(emulator, path, { headers: { 'X-CYCLE-TOKEN': 'wrong' } })).status).toBe(401);

    emulator.setAnswer(path, undefined);
    expect((await ask(emulator, path)).body).toMatchObject({ data: [{ name: 'web' }, {}] });
  });

  test('a wrong word changes nothing', async () => {
    const emulator = await startForTest(platform);
    emulator.setFault('unauthorized');

    expect(() => emulator.setFault('latncy=1s')).toThrow('Cannot understand the fault "latncy"');
    expect((await ask(emulator, '/v1/hub')).status).toBe(401);
  });
});

/** Below the WebSocket: where bytes can be counted that never became a frame. */
function streamBelow(socket: object): NodeJS.ReadableStream {
  const stream: unknown = Reflect.get(socket, '_socket');
  if (!isStream(stream)) throw new TypeError('ws has its stream elsewhere');
  return stream;
}

function isStream(value: unknown): value is NodeJS.ReadableStream {
  return typeof value === 'object' && value !== null && 'pipe' in value;
}

function startRequest(emulator: Emulator, path: string) {
  const socket = createConnection(emulator.socketPath);
  onTestFinished(() => void socket.destroy());
  const upgrade = path.endsWith('notifications')
    ? 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'
    : '';
  const token = emulator.environment.CYCLE_API_TOKEN;
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nX-CYCLE-TOKEN: ${token}\r\n${upgrade}\r\n`,
  );
  return socket;
}
