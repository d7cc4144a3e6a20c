// A platform that is not there, refuses, or answers wrongly: the exit status and what the operator reads.
import { createServer } from 'node:http';
import { Buffer } from 'node:buffer';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { completePlatform } from '../../src/emulator/platform.ts';
import { checkPlatformFile } from '../../src/emulator/platform-file.ts';
import { createState, respond } from '../../src/emulator/respond.ts';
import { deadSocketPath, serveBytes, temporarySocketPath } from '../inputs/socket-server.ts';
import {
  describeContainer,
  refusalOf,
  refused,
  runContainer,
  startPlatform,
  temporaryDirectory,
} from '../helpers/container.ts';
import type { ContainerOptions, Ended } from '../helpers/container.ts';

const services = { web: '10.0.0.10', 'my-db': '10.0.0.20' };
const token = 'token-of-the-instance';
const soon = 'module.exports = { init: { platform: { deadline: "300ms" } } };';
/** The server of these tests gives no notifications. */
const withoutFollowing = 'module.exports = { init: { follow: false } };';

describeContainer('a start ends with 69 where', () => {
  test('there is a token and no socket', async () => {
    const ended = await runOn('/nowhere/api.sock');
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 69,
        code: 'E_PLATFORM_UNAVAILABLE',
        message:
          /^Cannot get \/v1\/container from the platform within \d{3,4} ms \(\d+ attempts?\): there is no socket file at \/nowhere\/api\.sock$/,
        where: 'GET /v1/container on /nowhere/api.sock',
        fix: 'Mount the socket of the internal API into the container, or set WARP_INIT_SOCKET to its path.',
      }),
    );
  });

  test('nobody listens on the socket', async () => {
    const path = await deadSocketPath();
    expect(refusalOf(await runOn(path))).toEqual(
      refused({
        status: 69,
        code: 'E_PLATFORM_UNAVAILABLE',
        message: /within \d{3,4} ms \(\d+ attempts?\): nobody listens on the socket \/.*api\.sock$/,
        where: `GET /v1/container on ${path}`,
        fix: 'Start what serves this socket, or mount the current socket instead of an old one.',
      }),
    );
  });

  test('a server accepts and never answers', async () => {
    const path = await serveBytes(() => {});
    expect(refusalOf(await runOn(path))).toEqual(
      refused({
        status: 69,
        code: 'E_PLATFORM_UNAVAILABLE',
        message: /within \d{3,4} ms \(1 attempt\): there was no complete answer$/,
        where: `GET /v1/container on ${path}`,
        fix: 'Look at what serves this socket: it accepts requests and does not answer them in time.',
      }),
    );
  });

  test('a server stops in the middle of its answers', async () => {
    const path = await serveBytes((socket) => {
      socket.once('data', () => {
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"data": {"id": "x');
      });
    });
    expect(refusalOf(await runOn(path))).toEqual(
      refused({
        status: 69,
        code: 'E_PLATFORM_UNAVAILABLE',
        message:
          /within \d{3,4} ms \(\d+ attempts?\): the answer cannot be used, the connection was closed in the middle of it, after 18 bytes of its body$/,
        where: `GET /v1/container on ${path}`,
        fix: 'it closes connections before it has answered',
      }),
    );
  });

  test('what listens does not speak HTTP', async () => {
    const path = await serveBytes((socket) => {
      socket.end('SSH-2.0-OpenSSH_9.2\r\n');
    });
    expect(refusalOf(await runOn(path))).toEqual(
      refused({
        status: 69,
        code: 'E_PLATFORM_UNAVAILABLE',
        message: /: the answer cannot be used, /,
        where: path,
        fix: 'it does not speak HTTP/1.1 as the internal API does',
      }),
    );
  });

  test.each([
    ['/v1/container', 'no JSON', '<html>', /: the answer, 6 bytes, is not JSON$/],
    ['/v1/container', 'null', 'null', /: the answer has the wrong shape, data: expected object, /],
    [
      '/v1/environment/containers',
      'an object for a list',
      '{"data": {}}',
      /: the answer has the wrong shape, data: expected array, received object$/,
    ],
    [
      '/v1/environment/instances',
      'a number for a state',
      '{"data": [{"id": "x", "container_id": "y", "server_id": "z", "hostname": "h", "ready_state": "active", "state": 7}]}',
      /: the answer has the wrong shape, data\[0\]\.state: expected object, received number$/,
    ],
  ])('%s is %s', async (path, _what, body, message) => {
    const socket = await servePlatform((asked) =>
      asked === path ? { status: 200, body } : undefined,
    );
    expect(refusalOf(await runOn(socket))).toEqual(
      refused({
        status: 69,
        code: 'E_PLATFORM_UNAVAILABLE',
        message,
        where: `GET ${path} on ${socket}`,
        fix: /^Check (?:what listens on this socket|that the socket is that of the internal API)/,
      }),
    );
  });

  test('an answer has 40 MiB', async () => {
    const body = Buffer.alloc(40 * 1024 * 1024, ' ');
    const socket = await servePlatform((path) =>
      path === '/v1/environment/instances' ? { status: 200, body } : undefined,
    );
    expect(refusalOf(await runOn(socket, { config: withoutFollowing }))).toEqual(
      refused({
        status: 69,
        code: 'E_PLATFORM_UNAVAILABLE',
        message: `the answer cannot be used, it is larger than ${32 * 1024 * 1024} bytes`,
        where: `GET /v1/environment/instances on ${socket}`,
        fix: 'or divide the environment into smaller ones',
      }),
    );
  });

  test('our own container is not in the environment', async () => {
    const socket = await servePlatform((path) =>
      path === '/v1/environment/containers' ? { status: 200, body: '{"data": []}' } : undefined,
    );
    expect(refusalOf(await runOn(socket))).toEqual(
      refused({
        status: 69,
        code: 'E_PLATFORM_UNAVAILABLE',
        message: /: our own container, [\da-f]{24}, is not among the 0 of the answer$/,
        where: `GET /v1/environment/containers on ${socket}`,
        fix: 'Check that the container still exists in its environment, then start it again.',
      }),
    );
  });

  test('the platform says 500 for as long as it is asked', async () => {
    const socket = await servePlatform(() => ({ status: 500, body: 'x' }));
    expect(refusalOf(await runOn(socket))).toEqual(
      refused({
        status: 69,
        code: 'E_PLATFORM_UNAVAILABLE',
        message: /within \d{3,4} ms \(\d+ attempts?\): the answer was 500$/,
        where: `GET /v1/container on ${socket}`,
        fix: 'Look at the status of the platform, or raise init.platform.deadline.',
      }),
    );
  });
});

describeContainer('a start ends with 77 at once where', () => {
  test('the token is wrong, and the token is not shown', async () => {
    const emulator = await startPlatform({ token, services });
    const startMs = performance.now();
    const ended = await runContainer({
      emulator,
      env: { CYCLE_API_TOKEN: 'wrong-sesame' },
      secrets: ['sesame'],
    });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 77,
        code: 'E_PLATFORM_REFUSED',
        message:
          'Cannot get /v1/container from the platform: the answer was 401 401.auth-invalid «Invalid authentication», The token is not valid.',
        where: `GET /v1/container on ${emulator.socketPath}`,
        fix: 'Check CYCLE_API_TOKEN: it is missing, or not the one of this instance.',
      }),
    );
    expect(performance.now() - startMs).toBeLessThan(5000); // Of a deadline of 30 s.
  });

  test('there is a socket and no token', async () => {
    const { socketPath } = await startPlatform({ token, services });
    const ended = await runContainer({ env: { WARP_INIT_SOCKET: socketPath } });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 77,
        code: 'E_PLATFORM_REFUSED',
        message: 'The header X-CYCLE-TOKEN is missing.',
        where: `GET /v1/container on ${socketPath}`,
        fix: 'Check CYCLE_API_TOKEN',
      }),
    );
  });

  test('the secrets that are wanted have expired', async () => {
    const error = {
      status: 403,
      code: '403.expired',
      title: 'Expired',
      detail: 'No longer served.',
    };
    const socket = await servePlatform((path) =>
      path === '/v1/environment/scoped-variables'
        ? { status: 403, body: JSON.stringify({ error, data: null }) }
        : undefined,
    );
    const env = { KEY: 'warp-secret:payment-key' };
    expect(refusalOf(await runOn(socket, { env }))).toEqual(
      refused({
        status: 77,
        code: 'E_PLATFORM_REFUSED',
        message: 'the answer was 403 403.expired «Expired», No longer served.',
        where: `GET /v1/environment/scoped-variables on ${socket}`,
        fix: 'Start the instance again, or raise the duration for which the platform serves it.',
      }),
    );
  });
});

describeContainer('a token that cannot be sent', () => {
  test('ends the start with 78 and is not shown', async () => {
    const ended = await runOn('/nowhere/api.sock', {
      env: { CYCLE_API_TOKEN: 'two\r\nsesame-lines' },
      secrets: ['sesame'],
    });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 78,
        code: 'E_TOKEN',
        message: 'Cannot send CYCLE_API_TOKEN: it contains a space, a line break',
        where: 'CYCLE_API_TOKEN',
        fix: 'Set CYCLE_API_TOKEN to the token alone, as the platform does.',
      }),
    );
  });
});

describeContainer('the app starts where', () => {
  test('each request gets 500 twice and then its answer', async () => {
    const asked = new Map<string, number>();
    const socket = await servePlatform((path) => {
      const count = (asked.get(path) ?? 0) + 1;
      asked.set(path, count);
      return count <= 2 ? { status: 500, body: 'x' } : undefined;
    });
    const ended = await runOn(socket, { config: withoutFollowing });
    expect(ended).toMatchObject({ status: 0, stdout: 'the app ran\n', stderr: '' });
    expect([...asked.values()]).toEqual([3, 3, 3, 3, 3, 3]);
  });

  test('our own container comes into the environment a moment later', async () => {
    let count = 0;
    const socket = await servePlatform((path) => {
      if (path !== '/v1/environment/containers') return undefined;
      count += 1;
      return count === 1 ? { status: 200, body: '{"data": []}' } : undefined;
    });
    const ended = await runOn(socket, { config: withoutFollowing });
    expect(ended).toMatchObject({ status: 0, stdout: 'the app ran\n', stderr: '' });
  });

  test('what can be left out is refused: a warning for each names what is left out', async () => {
    const socket = await servePlatform((path) =>
      ['/v1/hub', '/v1/server'].includes(path) ? { status: 403, body: '{}' } : undefined,
    );
    const ended = await runOn(socket, {
      config: withoutFollowing,
      args: ['--', 'sh', '-c', 'echo ${WARP_PROJECT-none} ${WARP_ENV-none} ${WARP_RUNNER-none}'],
    });
    expect(ended.status).toBe(0);
    expect(ended.stdout).toMatch(/^none (?!none)\S+ none\n$/);
    expect(ended.log().map(({ code, msg }) => [code, msg.replace(/.*; /, '')])).toEqual([
      ['W_PLATFORM_PARTIAL', 'WARP_RUNNER and WARP_RUNNER_ID are left out.'],
      ['W_PLATFORM_PARTIAL', 'WARP_PROJECT and WARP_PROJECT_ID are left out.'],
    ]);
  });

  test('the socket appears after init has been started', async () => {
    const socketPath = join(temporaryDirectory(), 'api.sock');
    const running = runOn(socketPath, { config: withoutFollowing });
    const emulator = await servePlatform(() => undefined, socketPath);
    expect(await running).toMatchObject({ status: 0, stdout: 'the app ran\n', stderr: '' });
    expect(emulator).toBe(socketPath);
  });
});

function runOn(socketPath: string, options: ContainerOptions = {}): Promise<Ended> {
  const env = {
    WARP_INIT_SOCKET: socketPath,
    CYCLE_API_TOKEN: token,
    CYCLE_INSTANCE_ID: 'e'.repeat(24),
    ...options.env,
  };
  return runContainer({ config: soon, secrets: [token], ...options, env });
}

type Answer = { readonly status: number; readonly body: string | Buffer };

/** The emulator's answers, but where `answer` has another one. */
async function servePlatform(
  answer: (path: string) => Answer | undefined,
  socketPath = temporarySocketPath(),
): Promise<string> {
  const file = { token, services, secrets: { 'payment-key': 'sk_test_1234' } };
  const state = createState(completePlatform(checkPlatformFile(file, 'test'), 'test'), 0);
  const server = createServer((request, response) => {
    const target = request.url ?? '';
    const [usual] = respond(state, { method: request.method ?? '', target, token }, 0);
    const { status, body } = answer(target) ?? usual;
    response.writeHead(status, { 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return socketPath;
}
