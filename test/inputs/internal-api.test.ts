import { inspect } from 'node:util';

import { describe, expect, onTestFinished, test } from 'vitest';

import type { StartError } from '../../src/errors.ts';
import { startInternalApi } from '../../src/inputs/internal-api.ts';
import type {
  Collected,
  CollectOptions,
  InternalApiOptions,
} from '../../src/inputs/internal-api.ts';
import { containerAnswer, errorAnswer, platformAnswers } from './answers.ts';
import {
  deadSocketPath,
  serveBytes,
  serveHttp,
  serveOnce,
  temporarySocketPath,
} from './socket-server.ts';
import type { Reply } from './socket-server.ts';

const wantedNothing: CollectOptions = {
  deadlineMs: 300,
  wantSecrets: false,
  wantCertificates: 'none',
  required: undefined,
};

function start(socketPath: string, more: Partial<InternalApiOptions> = {}) {
  const api = startInternalApi({
    socketPath,
    token: 'the-token',
    nowMs: () => performance.now(),
    random: () => 0.5,
    backoff: { initialMs: 10, factor: 2, limitMs: 40 },
    onWait: () => undefined,
    ...more,
  });
  onTestFinished(() => api.close());
  return api;
}

function collect(
  socketPath: string,
  wanted: Partial<CollectOptions> = {},
  more: Partial<InternalApiOptions> = {},
): Promise<Collected> {
  return start(socketPath, more).collect({ ...wantedNothing, ...wanted });
}

async function errorOf(promise: Promise<unknown>): Promise<StartError> {
  return promise.then(
    () => expect.fail('it was collected'),
    (error: StartError) => error,
  );
}

/** A platform; `override` may answer some requests in another way: it gets the path and which attempt it is. */
function servePlatform(
  override: (path: string, attempt: number) => Reply | 'silence' | undefined = () => undefined,
): Promise<string> {
  const answers = platformAnswers();
  const attempts = new Map<string, number>();
  return serveHttp((path, { headers }) => {
    const attempt = (attempts.get(path) ?? 0) + 1;
    attempts.set(path, attempt);
    const other = override(path, attempt);
    if (other === 'silence') {
      return undefined;
    }

    if (other !== undefined) {
      return other;
    }

    if (headers['x-cycle-token'] !== 'the-token') {
      return {
        status: 401,
        body: errorAnswer(
          401,
          '401.auth-invalid',
          'Invalid token',
          'The token the-tokem is not known.',
        ),
      };
    }

    return path in answers
      ? { body: { data: answers[path] } }
      : { status: 404, body: errorAnswer(404, '404.uri', 'No such path') };
  });
}

describe('a platform that answers', () => {
  test('gives snapshot and identity, and secrets are not even asked for', async () => {
    const asked: string[] = [];
    const path = await servePlatform((url) => {
      asked.push(url);
      return undefined;
    });
    const collected = await collect(path);
    expect(collected).toMatchObject({
      kind: 'platform',
      secrets: undefined,
      warnings: [],
      snapshot: {
        self: { id: 'c-web' },
        containers: [{ name: 'web' }, { name: 'db' }],
        instances: [{ id: 'i-web' }, { id: 'i-db', ipv4: '172.20.0.3' }],
        environment: { name: 'production' },
        server: { hostname: 'server-1' },
        hub: { name: 'acme' },
      },
    });
    expect(asked.toSorted()).toEqual([
      '/v1/container',
      '/v1/environment',
      '/v1/environment/containers',
      '/v1/environment/instances',
      '/v1/hub',
      '/v1/server',
    ]);
  });

  test('is asked everything at once, before anyone collects', async () => {
    const asked = new Set<string>();
    let tell: (() => void) | undefined;
    const allAsked = new Promise<void>((resolve) => (tell = resolve));
    const path = await servePlatform((url) => {
      asked.add(url);
      if (asked.size === 6) {
        tell?.();
      }

      return 'silence';
    });
    start(path);
    await allAsked;
    expect(asked.size).toBe(6);
  });

  test('gives secrets and certificates where they are wanted, without private keys where only domains are', async () => {
    const collected = await collect(await servePlatform(), {
      wantSecrets: true,
      wantCertificates: 'domains',
    });
    expect(collected.kind === 'platform' && collected.secrets?.get('database-url')?.reveal()).toBe(
      'postgres://secret',
    );
    expect(collected).toMatchObject({
      snapshot: { certificates: [{ id: 'cert-1', domains: ['example.com'] }] },
    });
    expect(inspect(collected, { depth: 9, showHidden: true })).not.toContain('PRIVATE');
  });

  test('gives private keys where files are wanted, and shows them nowhere', async () => {
    const collected = await collect(await servePlatform(), { wantCertificates: 'files' });
    const [certificate] = (collected.kind === 'platform' && collected.certificates) || [];
    expect(certificate).toMatchObject({ id: 'cert-1', domains: ['example.com'], bundle: 'x' });
    expect(certificate?.privateKey.reveal()).toBe('PRIVATE');
    expect(JSON.stringify(collected) + inspect(collected, { depth: 9 })).not.toContain('PRIVATE');
  });

  test('is an error without certificates where files are wanted, a warning where domains are', async () => {
    const path = await servePlatform((url) =>
      url === '/v1/containers/certificates'
        ? { status: 403, body: errorAnswer(403, '403.permissions', 'No access') }
        : undefined,
    );
    await expect(collect(path, { wantCertificates: 'files' })).rejects.toMatchObject({
      code: 'E_PLATFORM_REFUSED',
      exitCode: 77,
      remedy: { where: expect.stringContaining('/v1/containers/certificates') },
    });
    expect(await collect(path, { wantCertificates: 'domains' })).toMatchObject({
      warnings: [expect.objectContaining({ code: 'W_PLATFORM_PARTIAL' })],
    });
  });

  test.each(['/v1/containers/certificates', '/v1/container/certificates'])(
    'is waited for until the deadline where it gives no certificates at %s',
    async (broken) => {
      const path = await servePlatform((url) =>
        url === broken
          ? { status: 503, body: errorAnswer(503, '503', 'Restarting') }
          : url === '/v1/containers/certificates'
            ? { status: 404, body: errorAnswer(404, '404.uri', 'No such path') }
            : undefined,
      );
      await expect(
        collect(path, { wantCertificates: 'files', deadlineMs: 300 }),
      ).rejects.toMatchObject({
        exitCode: 69,
        message: expect.stringContaining(`Cannot get ${broken} from the platform within`),
      });
    },
  );

  test('may be an older one, with certificates at another path', async () => {
    const path = await servePlatform((url) => {
      if (url === '/v1/containers/certificates') {
        return { status: 404, body: errorAnswer(404, '404.uri', 'No such path') };
      }

      return url === '/v1/container/certificates'
        ? { body: { data: [{ id: 'old', domains: [] }] } }
        : undefined;
    });
    expect(await collect(path, { wantCertificates: 'domains' })).toMatchObject({
      snapshot: { certificates: [{ id: 'old' }] },
    });
  });

  test('gives 500 twice, then what we need', async () => {
    const path = await servePlatform((_url, attempt) =>
      attempt <= 2 ? { status: 500, body: errorAnswer(500, '500.database', 'Oh') } : undefined,
    );
    expect(await collect(path)).toMatchObject({ kind: 'platform', warnings: [] });
  });

  test.each([
    ['429', { status: 429, body: 'slower' }],
    ['503', { status: 503, body: '' }],
    ['text that is not JSON', { body: '{"data": {' }],
  ] satisfies [string, Reply][])('gives %s once, then what we need', async (_what, reply) => {
    const path = await servePlatform((_url, attempt) => (attempt === 1 ? reply : undefined));
    expect(await collect(path)).toMatchObject({ kind: 'platform' });
  });

  test('says with Retry-After when to come back, and we do not come before', async () => {
    const askedAtMs: number[] = [];
    const path = await servePlatform((url, attempt) => {
      if (url !== '/v1/container') {
        return undefined;
      }

      askedAtMs.push(performance.now());
      return attempt === 1
        ? { status: 429, headers: { 'retry-after': '1' }, body: 'slower' }
        : undefined;
    });
    expect(await collect(path, { deadlineMs: 10_000 })).toMatchObject({ kind: 'platform' });
    expect((askedAtMs[1] ?? 0) - (askedAtMs[0] ?? 0)).toBeGreaterThanOrEqual(990);
  });

  test('lists the containers without our own at first, and is asked again', async () => {
    const path = await servePlatform((url, attempt) =>
      url === '/v1/environment/containers' && attempt <= 2
        ? { body: { data: [containerAnswer('db')] } }
        : undefined,
    );
    expect(await collect(path)).toMatchObject({
      snapshot: { containers: [{ name: 'web' }, { name: 'db' }] },
    });
  });

  test('begins to listen late', async () => {
    const path = temporarySocketPath();
    const collecting = collect(path, { deadlineMs: 10_000 });
    const { createServer } = await import('node:http');
    const answers = platformAnswers();
    const server = createServer((request, response) =>
      response.end(JSON.stringify({ data: answers[request.url ?? ''] })),
    );
    onTestFinished(() => {
      server.close();
    });
    server.listen(path);
    expect(await collecting).toMatchObject({ kind: 'platform' });
  });
});

describe('identity may be left out', () => {
  const identity = ['/v1/environment', '/v1/server', '/v1/hub'];

  test('a refusal is a warning that says which variables are missing', async () => {
    const path = await servePlatform((url) =>
      identity.includes(url)
        ? { status: 403, body: errorAnswer(403, '403.permissions', 'No') }
        : undefined,
    );
    const collected = await collect(path);
    expect(collected.warnings.map(({ message }) => message)).toEqual([
      'The platform did not give /v1/environment: the answer was 403 403.permissions «No»; WARP_ENV and WARP_ENV_ID are left out.',
      'The platform did not give /v1/server: the answer was 403 403.permissions «No»; WARP_RUNNER and WARP_RUNNER_ID are left out.',
      'The platform did not give /v1/hub: the answer was 403 403.permissions «No»; WARP_PROJECT and WARP_PROJECT_ID are left out.',
    ]);
    expect(collected).not.toHaveProperty('snapshot.hub');
  });

  test('silence holds the start up for a second, not until the deadline', async () => {
    const path = await servePlatform((url) => (url === '/v1/hub' ? 'silence' : undefined));
    const beganMs = performance.now();
    const collected = await collect(path, { deadlineMs: 20_000 });
    expect(performance.now() - beganMs).toBeLessThan(4000);
    expect(collected).toMatchObject({ warnings: [{ code: 'W_PLATFORM_PARTIAL' }] });
  });

  test('a server that fails all the time is reported with its last failure', async () => {
    const path = await servePlatform((url) =>
      url === '/v1/server' ? { status: 502, body: '<html>' } : undefined,
    );
    expect((await collect(path)).warnings[0]?.message).toMatch(
      /^The platform did not give \/v1\/server within \d+ ms \(\d+ attempts\): the answer was 502; /,
    );
  });
});

function answerOf(status: number, body: string): Promise<string> {
  return servePlatform(() => ({ status, body }));
}

describe('an unavailable platform ends the start with status 69 and says why', () => {
  const cut = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"data"';
  const big = `HTTP/1.1 200 OK\r\nContent-Length: ${40 * 1024 * 1024}\r\n\r\n`;
  test.each([
    [
      'no socket',
      () => Promise.resolve(temporarySocketPath()),
      /within \d+ ms \(\d+ attempts\): there is no socket file at .*api\.sock$/,
    ],
    [
      'a socket that nobody listens on',
      deadSocketPath,
      /nobody listens on the socket .*api\.sock$/,
    ],
    [
      'a directory in the place of the socket, as of a mount of nothing',
      () => Promise.resolve(import.meta.dirname),
      /\/test\/inputs is a directory, not a socket$/,
    ],
    [
      'accepting and never answering',
      () => serveBytes(() => undefined),
      /there was no complete answer/,
    ],
    [
      '500 all the time',
      () => answerOf(500, JSON.stringify(errorAnswer(500, '500.database', 'Oh', 'why'))),
      /the answer was 500 500\.database «Oh», why$/,
    ],
    ['429 all the time', () => answerOf(429, ''), /the answer was 429$/],
    [
      'a truncated answer',
      () => serveOnce(cut),
      /the connection was closed in the middle of it, after 7 bytes of its body$/,
    ],
    [
      'another protocol',
      () => serveOnce('SSH-2.0-OpenSSH\r\n'),
      /it does not begin with a status line of HTTP\/1\.1$/,
    ],
    ['no JSON', () => answerOf(200, '<html>'), /the answer, 6 bytes, is not JSON$/],
    ['a redirect', () => answerOf(302, ''), /: the answer was 302$/],
    [
      'JSON of the wrong shape',
      () => answerOf(200, '{"data":{"id":5}}'),
      /^Cannot get \/v1\/[a-z/]+ from the platform: the answer has the wrong shape, data/,
    ],
    [
      '40 MiB',
      () => serveOnce(big),
      /: the answer cannot be used, it is larger than 33554432 bytes$/,
    ],
  ])('%s', async (_what, serve, message) => {
    const error = await errorOf(collect(await serve()));
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^Cannot get \/v1\//);
    expect(error).toMatchObject({ code: 'E_PLATFORM_UNAVAILABLE', exitCode: 69 });
    expect(error.remedy.fix).toMatch(/^[A-Z].*\.$/);
  });

  test('an answer without our own container, until the deadline', async () => {
    const path = await servePlatform((url) =>
      url === '/v1/environment/containers'
        ? { body: { data: [containerAnswer('db')] } }
        : undefined,
    );
    const error = await errorOf(collect(path));
    expect(error.message).toMatch(/our own container, c-web, is not among the 1 of the answer$/);
    expect(error.exitCode).toBe(69);
  });

  test('a Retry-After beyond the deadline is waited for until the deadline, not longer', async () => {
    const path = await servePlatform(() => ({
      status: 429,
      headers: { 'retry-after': '60' },
      body: '',
    }));
    const beganMs = performance.now();
    await errorOf(collect(path));
    const tookMs = performance.now() - beganMs;
    expect(tookMs).toBeGreaterThanOrEqual(290);
    expect(tookMs).toBeLessThan(5000);
  });

  test('a wrong shape, a refusal and too much are not asked for again', async () => {
    let requests = 0;
    const path = await servePlatform((url) => {
      requests += url === '/v1/container' ? 1 : 0;
      return url === '/v1/container' ? { body: { data: { id: 'x' } } } : undefined;
    });
    await errorOf(collect(path, { deadlineMs: 10_000 }));
    expect(requests).toBe(1);
  });
});

function startWithBadToken() {
  return start('/nowhere', { token: 'secret\r\nX-Evil: 1' });
}

describe('a refusal ends the wait at once with status 77', () => {
  test('a wrong token: code, title, detail and what to do', async () => {
    const beganMs = performance.now();
    const error = await errorOf(
      collect(await servePlatform(), { deadlineMs: 20_000 }, { token: 'the-tokem' }),
    );
    expect(performance.now() - beganMs).toBeLessThan(4000);
    expect(error.message).toMatch(
      /^Cannot get \/v1\/[a-z/]+ from the platform: the answer was 401 401\.auth-invalid «Invalid token», The token \[secret\] is not known\.$/,
    );
    expect(error).toMatchObject({ code: 'E_PLATFORM_REFUSED', exitCode: 77 });
    expect(error.remedy.fix).toContain('CYCLE_API_TOKEN');
  });

  test('a token that could add a header is refused before it is sent, and not shown', () => {
    expect(startWithBadToken).toThrow(/^Cannot send CYCLE_API_TOKEN/);
    expect(startWithBadToken).not.toThrow(/Evil/);
  });

  test('secrets that are expired', async () => {
    const path = await servePlatform((url) =>
      url.endsWith('scoped-variables')
        ? { status: 403, body: errorAnswer(403, '403.expired', 'Expired') }
        : undefined,
    );
    const error = await errorOf(collect(path, { wantSecrets: true }));
    expect(error).toMatchObject({ exitCode: 77 });
    expect(error.message).toContain('scoped-variables');
    expect(error.remedy.fix).toContain('duration');
  });

  test('terminal codes in the words of the platform are taken out, and long ones cut', async () => {
    const path = await servePlatform(() => ({
      status: 400,
      body: errorAnswer(
        400,
        '400.invalid-syntax',
        '\u001b[31mred\u001b[0m\nline',
        'x'.repeat(5000),
      ),
    }));
    const { message } = await errorOf(collect(path));
    expect(message).not.toMatch(/\p{Cc}/u);
    expect(message.length).toBeLessThan(600);
  });
});

describe('a platform that is not required', () => {
  test('and does not answer: standalone, with one warning', async () => {
    const collected = await collect(await deadSocketPath(), { required: false });
    expect(collected).toMatchObject({
      kind: 'standalone',
      warnings: [
        { code: 'W_STANDALONE', message: expect.stringMatching(/nobody listens .*config alone/) },
      ],
    });
  });

  test('and refuses: still an error', async () => {
    const error = await errorOf(
      collect(await servePlatform(), { required: false }, { token: 'wrong' }),
    );
    expect(error.exitCode).toBe(77);
  });
});

describe('a long wait', () => {
  test('is announced once, with its reason', async () => {
    const reasons: string[] = [];
    await errorOf(
      collect(
        await deadSocketPath(),
        {},
        { noticeMs: 50, onWait: (reason) => reasons.push(reason) },
      ),
    );
    expect(reasons).toEqual([expect.stringMatching(/^GET \/v1\/container: nobody listens on /)]);
  });

  test('is not announced when everything is there', async () => {
    const reasons: string[] = [];
    const path = await servePlatform((url) => (url === '/v1/hub' ? 'silence' : undefined));
    await collect(path, {}, { noticeMs: 200, onWait: (reason) => reasons.push(reason) });
    expect(reasons).toEqual([]);
  });
});

test.each([
  ['after an error', {}, 'wrong'],
  ['after everything was collected', {}, 'the-token'],
])('nothing is left open %s', async (_when, wanted, token) => {
  const open = new Set<unknown>();
  const path = await serveHttp((url, request) => {
    open.add(request.socket);
    request.socket.once('close', () => {
      open.delete(request.socket);
      if (open.size === 0) {
        tell?.();
      }
    });
    const { headers } = request;
    return headers['x-cycle-token'] === 'the-token'
      ? { body: { data: platformAnswers()[url] } }
      : { status: 401, body: '' };
  });
  let tell: (() => void) | undefined;
  const allClosed = new Promise<void>((resolve) => (tell = resolve));
  await collect(path, wanted, { token }).catch(() => undefined);
  await allClosed;
  expect(open.size).toBe(0);
});
