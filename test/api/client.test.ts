// createClient against the emulator, and against servers that do what no platform should.
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, test, vi } from 'vitest';

import { createClient } from '../../src/api/client.ts';
import type { Emulator } from '../../src/emulator/server.ts';
import { fixturePath, startForTest } from '../emulator/rig.ts';
import { eventually } from '../helpers/process.ts';
import { errorOf } from './error-of.ts';
import { errorAnswer } from '../inputs/answers.ts';
import {
  deadSocketPath,
  serveBytes,
  serveHttp,
  temporarySocketPath,
} from '../inputs/socket-server.ts';

const platform = JSON.parse(readFileSync(fixturePath, 'utf8'));

function placeOf({ socketPath, environment }: Emulator) {
  return { socketPath, token: environment.CYCLE_API_TOKEN };
}

function clientOf(emulator: Emulator) {
  return createClient(placeOf(emulator));
}

describe('a client', () => {
  test('has each answer as checked data', async () => {
    const client = clientOf(await startForTest(platform));
    const [self, containers, instances] = await Promise.all([
      client.container(),
      client.containers(),
      client.instances(),
    ]);

    expect(self).toMatchObject({ name: 'web', deployment: 'v2.0.0', state: 'running' });
    expect(containers.map(({ name }) => name)).toContain('mes-données');
    expect(instances.filter((it) => it.containerId === self.id).map(({ ipv4 }) => ipv4)).toEqual([
      '10.0.0.10',
      '10.0.0.11',
    ]);
    expect(await client.hub()).toMatchObject({ name: 'acme' });
    expect(await client.environment()).toMatchObject({ name: 'shop' });
    expect(await client.server()).toMatchObject({ hostname: 'laptop-1' });
  });

  test('has them together as a snapshot', async () => {
    const { warnings, self, containers, hub } = await clientOf(
      await startForTest(platform),
    ).snapshot();

    expect([self.name, containers.length, hub?.name, warnings]).toEqual(['web', 8, 'acme', []]);
  });

  test('says in a snapshot what is missing of it', async () => {
    const emulator = await startForTest(platform);
    emulator.setAnswer('/v1/hub', { id: 1 });
    const { hub, warnings } = await clientOf(emulator).snapshot();

    expect(hub).toBeUndefined();
    expect(warnings).toMatchObject([{ code: 'W_PLATFORM_PARTIAL' }]);
  });

  test('shows a secret only to who asks for its text', async () => {
    const client = clientOf(await startForTest(platform));
    const secrets = await client.secrets();
    const [certificate] = await client.certificates();
    const shown = [
      inspect({ secrets, certificate }),
      JSON.stringify([...secrets, certificate]),
    ].join();

    expect(secrets.get('payment-key')?.reveal()).toBe('sk_test_1234');
    expect(certificate?.privateKey.reveal()).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(certificate?.bundle).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
    expect(shown).toContain('[secret]');
    expect(shown).not.toMatch(/sk_test_1234|PRIVATE KEY/);
  });

  test('takes the place from the environment at each call, but what it is given counts more', async () => {
    const { environment } = await startForTest(platform);
    const client = createClient({ deadlineMs: 1000 });
    try {
      vi.stubEnv('WARP_INIT_SOCKET', environment.WARP_INIT_SOCKET);
      vi.stubEnv('CYCLE_API_TOKEN', environment.CYCLE_API_TOKEN);
      expect(await client.container()).toMatchObject({ name: 'web' });
      expect(await errorOf(createClient({ token: 'another' }).container())).toMatchObject({
        code: 'E_PLATFORM_REFUSED',
      });
      vi.stubEnv('CYCLE_API_TOKEN', '');
      expect(await errorOf(client.container())).toMatchObject({ code: 'E_PLATFORM_REFUSED' });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('asks again until the platform can answer', async () => {
    let attempts = 0;
    const socketPath = await serveHttp(() => {
      attempts += 1;
      return attempts < 3
        ? { status: 503, body: errorAnswer(503, '503', 'later') }
        : { body: { data: { id: 'h', name: 'acme' } } };
    });

    expect(await createClient({ socketPath }).hub()).toEqual({ id: 'h', name: 'acme' });
    expect(attempts).toBe(3);
  });
});

describe('a call that fails', () => {
  test.each(['container', 'snapshot', 'certificates'] as const)(
    'is an error with code and remedy at its deadline: %s',
    async (name) => {
      const socketPath = await serveBytes(() => undefined);
      const client = createClient({ socketPath });
      const error = await errorOf(client[name]({ deadlineMs: 60 }));

      expect(error).toMatchObject({ code: 'E_PLATFORM_UNAVAILABLE', name: 'StartError' });
      expect(error.message).toMatch(
        /^Cannot get \/v1\/\S+ from the platform within \d+ ms \(1 attempt\): there was no complete answer/,
      );
      expect(error.remedy.where).toContain(socketPath);
    },
  );

  test('says at its deadline why the last attempt failed', async () => {
    const missing = createClient({ socketPath: temporarySocketPath(), deadlineMs: 60 });
    const dead = createClient({ socketPath: await deadSocketPath(), deadlineMs: 60 });

    expect((await errorOf(missing.hub())).message).toContain('there is no socket file at');
    expect((await errorOf(dead.hub())).message).toContain('nobody listens on the socket');
    expect((await errorOf(dead.snapshot())).message).toContain('nobody listens on the socket');
  });

  test('names its own option where the remedy is a longer deadline', async () => {
    const body = errorAnswer(503, '503', 'later');
    const socketPath = await serveHttp(() => ({ status: 503, body }));
    const client = createClient({ socketPath, deadlineMs: 60 });

    expect((await errorOf(client.hub())).remedy.fix).toContain('or raise deadlineMs.');
    expect((await errorOf(client.snapshot())).remedy.fix).toContain('or raise deadlineMs.');
  });

  test('is over at once where another attempt would not help', async () => {
    const emulator = await startForTest(platform);
    const client = createClient({ socketPath: emulator.socketPath, token: 'wrong' });

    expect(await errorOf(client.hub())).toMatchObject({ code: 'E_PLATFORM_REFUSED' });
    expect(emulator.countRequests('/v1/hub')).toBe(1);
    expect(await errorOf(createClient({ token: 'line\nbreak' }).hub())).toMatchObject({
      code: 'E_TOKEN',
    });
  });

  test.each(['hub', 'snapshot'] as const)(
    'rejects with the reason of its signal, and its connections are gone: %s',
    async (name) => {
      let connections = 0;
      const socketPath = await serveBytes((socket) => {
        connections += 1;
        socket.on('close', () => (connections -= 1));
        socket.resume();
      });
      const reason = new Error('enough');
      const stop = new AbortController();
      const call = errorOf(createClient({ socketPath })[name]({ signal: stop.signal }));
      await eventually(() => expect(connections).toBeGreaterThan(0));
      stop.abort(reason);

      expect(await call).toBe(reason);
      await eventually(() => expect(connections).toBe(0));
      expect(await errorOf(createClient({ socketPath })[name]({ signal: stop.signal }))).toBe(
        reason,
      );
    },
  );

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])(
    'is one at once with a deadline that no timer can keep: %s ms',
    async (deadlineMs) => {
      const client = createClient({ socketPath: temporarySocketPath() });
      const { message } = await errorOf(client.hub({ deadlineMs }));

      expect(message).toBe(
        `Cannot wait for ${deadlineMs} ms: deadlineMs is a number from 0 to 2147483647`,
      );
      expect((await errorOf(client.snapshot({ deadlineMs }))).message).toBe(message);
    },
  );

  test('waits the longest time that a timer can keep', async () => {
    const client = createClient(await startForTest(platform).then(placeOf));

    expect(await client.hub({ deadlineMs: 2 ** 31 - 1 })).toMatchObject({ name: 'acme' });
  });
});
