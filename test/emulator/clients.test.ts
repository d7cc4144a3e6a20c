// Clients that know nothing of this project, sending what clients of the platform send.
//
// The platform's own client (cycleplatform/internal-api-client-typescript, src/index.ts) is no package of a registry
// that we may use. It builds a Request for http://localhost and the path with openapi-fetch, then calls undici's fetch
// with the method, the headers and the body of it, and an Agent that connects to the socket. Node carries that undici.
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Emulator } from '../../src/emulator/server.ts';
import { ask, fixturePath, startForTest } from './rig.ts';

const platform = JSON.parse(readFileSync(fixturePath, 'utf8'));
const paths = [
  '/v1/container',
  '/v1/container/instances',
  '/v1/containers/certificates',
  '/v1/environment',
  '/v1/environment/containers',
  '/v1/environment/instances',
  '/v1/environment/scoped-variables',
  '/v1/server',
  '/v1/server/instances',
  '/v1/hub',
];

describe("the platform's own client, by its requests", () => {
  test.each(paths)('gets the data of %s', async (path) => {
    const emulator = await startForTest(platform);
    const { data, error } = await callAsPlatformClient(emulator, path, 'shop-on-a-laptop');

    expect(error).toBeUndefined();
    expect(data).toEqual((await ask(emulator, path)).body);
    expect(data).toHaveProperty('data');
  });

  test('gets a query parameter through', async () => {
    const emulator = await startForTest(platform);
    const { id } = emulator.platform.services[1] ?? { id: '' };
    const path = `/v1/container?container-id=${encodeURIComponent(id)}`;
    const { data } = await callAsPlatformClient(emulator, path, 'shop-on-a-laptop');

    expect(data).toMatchObject({ data: { id, name: 'my-db' } });
  });

  test('gets the error envelope as its error, and no data', async () => {
    const emulator = await startForTest(platform);
    const { data, error } = await callAsPlatformClient(emulator, '/v1/environment', 'wrong');

    expect(data).toBeUndefined();
    expect(error).toMatchObject({ data: null, error: { status: 401, code: '401.auth-invalid' } });
  });

  test('gets an answer to each of fifty requests at once', async () => {
    const emulator = await startForTest(platform);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        callAsPlatformClient(emulator, '/v1/hub', 'shop-on-a-laptop'),
      ),
    );

    expect(answers.filter(({ error }) => error === undefined)).toHaveLength(50);
  });
});

const hasCurl = spawnSync('curl', ['--version']).error === undefined;

describe.skipIf(!hasCurl)('curl (skipped where there is none)', () => {
  test.each(paths)('gets the data of %s', async (path) => {
    const emulator = await startForTest(platform);
    const { head, body } = await curl(emulator, path);

    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head).toMatch(/\r\ncontent-type: application\/json\r\n/i);
    expect(body).toEqual((await ask(emulator, path)).body);
  });

  test('gets a large answer whole', async () => {
    const services = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`s${n}`, {}]));
    const emulator = await startForTest({ token: 'shop-on-a-laptop', services });
    const { body } = await curl(emulator, '/v1/environment/instances');

    expect(body).toMatchObject({ data: { length: 3000 } });
  });

  test.each([
    ['with another path', '/v1/hub', 'websocket', 200],
    ['for another protocol, which may be ignored', '/v1/hub', 'h2c', 200],
    ['for another protocol on the path of the pipeline', '/v1/notifications', 'h2c', 404],
  ])('asks for an upgrade %s and gets an answer', async (_how, path, protocol, status) => {
    const { head } = await curl(await startForTest(platform), path, [
      '--header',
      'Connection: Upgrade',
      '--header',
      `Upgrade: ${protocol}`,
    ]);

    expect(head).toMatch(new RegExp(String.raw`^HTTP/1\.1 ${status} `));
  });
});

describe('a minimal client on the bare socket', () => {
  test('gets two answers over one connection, each with its length', async () => {
    const { socketPath } = await startForTest(platform);
    const text = await exchange(
      socketPath,
      formatRequest('/v1/hub', 'keep-alive') + formatRequest('/v1/environment', 'close'),
    );
    const [first = '', second = ''] = text.split(/(?<=\})(?=HTTP\/1\.1 )/);

    expect([first, second].map(lengthInHead)).toEqual([first, second].map(lengthOfBody));
    expect(second).toContain('"name":"shop"');
  });

  test('may send the absolute form of the target', async () => {
    const { socketPath } = await startForTest(platform);
    const text = await exchange(socketPath, formatRequest('http://localhost/v1/hub', 'close'));

    expect(text).toContain('"name":"acme"');
  });
});

/** What openapi-fetch gives: the body of a 2xx as `data`, every other one as `error`. */
type Outcome = { readonly data?: unknown; readonly error?: unknown };

async function callAsPlatformClient(
  emulator: Emulator,
  path: string,
  token: string,
): Promise<Outcome> {
  const request = new Request(`http://localhost${path}`, {
    method: 'GET',
    redirect: 'follow',
    headers: { 'X-CYCLE-TOKEN': token },
  });
  const agent = createAgent(emulator.socketPath);
  const response = await fetch(request.url, {
    method: request.method,
    headers: Object.fromEntries(request.headers.entries()),
    body: request.body,
    duplex: 'half',
    dispatcher: agent,
  });
  const body: unknown = await response.json();
  await agent.close();
  return response.ok ? { data: body } : { error: body };
}

type Agent = NonNullable<RequestInit['dispatcher']>;

/** undici's Agent class, from the instance that Node's fetch uses by default; its place has a number from undici 8 on. */
function createAgent(socketPath: string): Agent {
  const [dispatcher] = [2, 1].flatMap(
    (version) => Reflect.get(globalThis, Symbol.for(`undici.globalDispatcher.${version}`)) ?? [],
  );
  return Reflect.construct(dispatcher.constructor, [{ connect: { socketPath } }]);
}

async function curl(emulator: Emulator, path: string, more: readonly string[] = []) {
  const { stdout } = await promisify(execFile)(
    'curl',
    [
      '--silent',
      '--show-error',
      '--include',
      '--max-time',
      '10',
      '--unix-socket',
      emulator.socketPath,
      '--header',
      `X-CYCLE-TOKEN: ${emulator.environment.CYCLE_API_TOKEN}`,
      ...more,
      `http://localhost${path}`,
    ],
    { maxBuffer: 2 ** 26 },
  );
  const end = stdout.indexOf('\r\n\r\n');
  const body: unknown = JSON.parse(stdout.slice(end + 4));
  return { head: stdout.slice(0, end + 2), body };
}

function formatRequest(target: string, connection: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: localhost\r\nX-Cycle-Token: shop-on-a-laptop\r\nConnection: ${connection}\r\n\r\n`;
}

/** Everything that comes back until the server ends the connection. */
async function exchange(socketPath: string, sent: string): Promise<string> {
  const socket = connect(socketPath);
  socket.write(sent);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function lengthInHead(answer: string): number {
  return Number(/\r\ncontent-length: (\d+)\r\n/i.exec(answer)?.[1]);
}

function lengthOfBody(answer: string): number {
  return Buffer.byteLength(answer.slice(answer.indexOf('\r\n\r\n') + 4));
}
