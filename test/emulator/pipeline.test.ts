import { once } from 'node:events';
import { createConnection } from 'node:net';
import { onTestFinished, describe, expect, test } from 'vitest';
import type { Notification } from '../../src/emulator/notification.ts';
import { eventually } from '../helpers/process.ts';
import { ask, listenTo, startForTest } from './rig.ts';

const platform = { token: 'right', services: { web: {}, db: '10.0.0.2' } };

describe('the pipeline', () => {
  test('tells each listener of an edit, in order, and nobody of one that changes nothing', async () => {
    const emulator = await startForTest(platform);
    const listeners = [await listenTo(emulator), await listenTo(emulator)];
    expect(emulator.listenerCount).toBe(2);

    await emulator.update(platform);
    const told = [
      ...(await emulator.update({ services: { web: {}, db: '10.0.0.3' } })),
      ...(await emulator.update({ services: { web: {} } })),
    ];

    expect(told.length).toBeGreaterThan(2);
    for (const { heard } of listeners) await eventually(() => expect(heard).toEqual(told));
  });

  test('tells of an edit only when the answers are those after it', async () => {
    const emulator = await startForTest(platform);
    const done = emulator.update({ services: { web: {} } });
    expect(emulator.platform.services).toHaveLength(1);

    await done;
  });

  test('says nothing of setPlatform', async () => {
    const emulator = await startForTest(platform);
    const { heard } = await listenTo(emulator);
    emulator.setPlatform({ services: { web: {} } });
    await emulator.sendFrame('"last"');

    await eventually(() => expect(heard).toEqual(['last']));
  });

  test.each([
    ['a wrong token', { 'X-CYCLE-TOKEN': 'wrong' }, '/v1/notifications', 401, '401.auth-invalid'],
    ['no token', {}, '/v1/notifications', 401, '401.auth-invalid'],
    ['another path', { 'X-CYCLE-TOKEN': 'right' }, '/v2/notifications', 404, '404.uri'],
    ['the path of the published document', { 'X-CYCLE-TOKEN': 'right' }, '/', 404, '404.uri'],
  ])('refuses %s with the envelope of the platform', async (_what, headers, path, status, code) => {
    const emulator = await startForTest(platform);
    const text = await handshake(emulator.socketPath, path, headers);

    expect(text).toMatch(new RegExp(String.raw`^HTTP/1\.1 ${status} [^\n]+\r\n`));
    expect(JSON.parse(text.slice(text.indexOf('{')))).toMatchObject({
      data: null,
      error: { status, code },
    });
    expect(emulator.listenerCount).toBe(0);
    expect(emulator.requests).toEqual([{ method: 'GET', path, status }]);
  });

  test('refuses a handshake without a key', async () => {
    const emulator = await startForTest(platform);
    const headers = { 'X-CYCLE-TOKEN': 'right', 'Sec-WebSocket-Key': '' };

    expect(await handshake(emulator.socketPath, '/v1/notifications', headers)).toMatch(
      /^HTTP\/1\.1 400 /,
    );
  });

  test('answers a ping, and forgets a listener that has gone', async () => {
    const emulator = await startForTest(platform);
    const { socket } = await listenTo(emulator);
    socket.ping('there?');
    const [content] = await once(socket, 'pong');
    expect(String(content)).toBe('there?');
    socket.terminate();

    await eventually(() => expect(emulator.listenerCount).toBe(0));
    await emulator.sendFrame('nobody hears this');
  });

  test('records who listens as status 101, and counts each path without its query', async () => {
    const emulator = await startForTest(platform);
    await listenTo(emulator);

    expect(emulator.requests).toEqual([{ method: 'GET', path: '/v1/notifications', status: 101 }]);
    await ask(emulator, '/v1/hub?x=1');
    expect(emulator.countRequests('/v1/notifications')).toBe(1);
    expect(emulator.countRequests('/v1/hub')).toBe(1);
    expect(emulator.countRequests('/v1/server')).toBe(0);
  });

  test('ends with the emulator', async () => {
    const emulator = await startForTest(platform);
    const { closed } = await listenTo(emulator);
    await emulator.close();

    expect(await closed).toBe(1006);
  });

  test('dropConnections ends every listener and takes new ones', async () => {
    const emulator = await startForTest(platform);
    const first = await listenTo(emulator);
    emulator.dropConnections();
    expect(await first.closed).toBe(1006);

    const second = await listenTo(emulator);
    await emulator.sendFrame('1');
    await eventually(() => expect(second.heard).toEqual([1]));
  });
});

describe('100,000 notifications at full speed', () => {
  const count = 100_000;
  // The length alone: a failed expectation would print all of it, each time.
  const hearAll = (heard: readonly unknown[]) =>
    eventually(() => expect(heard.length === count).toBe(true));

  test('all arrive, once and in order', async () => {
    const emulator = await startForTest(platform);
    const { heard } = await listenTo(emulator);
    const all = numbered(count);
    await emulator.notify(all);
    await hearAll(heard);

    expect(heard).toEqual(all);
  });

  test('wait for a listener that does not read, and hinder no other one', async () => {
    const emulator = await startForTest(platform);
    const slow = await listenTo(emulator);
    const quick = await listenTo(emulator);
    slow.socket.pause();
    let isHanded = false;
    const handed = emulator.notify(numbered(count)).then(() => (isHanded = true));
    await hearAll(quick.heard);
    expect(isHanded).toBe(false);
    expect(slow.heard).toHaveLength(0);

    slow.socket.resume();
    await handed;
    await hearAll(slow.heard);
  });

  test('end for a listener that goes away in the middle', async () => {
    const emulator = await startForTest(platform);
    const { socket } = await listenTo(emulator);
    socket.pause();
    const handed = emulator.notify(numbered(count));
    socket.terminate();

    await handed;
    expect(emulator.listenerCount).toBe(0);
  });
});

function numbered(count: number): Notification[] {
  const context = {
    label: null,
    hub_id: null,
    account_id: null,
    environments: ['1bb8d36aa0495839d3f8ea48'],
    dns_zones: null,
    containers: null,
    clusters: null,
  };
  return Array.from({ length: count }, (_, index) => ({
    topic: 'container.reconfigured',
    object: { id: String(index) },
    context,
  }));
}

/** What the server says to a request for a WebSocket, whole. */
async function handshake(
  socketPath: string,
  path: string,
  headers: Record<string, string>,
): Promise<string> {
  const socket = createConnection(socketPath);
  onTestFinished(() => void socket.destroy());
  const lines = Object.entries({
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(socket, 'end');
  return text;
}
