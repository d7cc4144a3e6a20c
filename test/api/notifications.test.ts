// notifications() as an async iterable: what it says, when it ends, and that it holds a process only while somebody waits.
import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';

import { notifications } from '../../src/api/client.ts';
import type { NotificationOptions } from '../../src/api/client.ts';
import { eventually } from '../helpers/process.ts';
import { errorOf } from './error-of.ts';
import { temporarySocketPath } from '../inputs/socket-server.ts';
import { notificationText, servePipeline } from '../reload/pipeline-rig.ts';
import type { PipelineServer } from '../reload/pipeline-rig.ts';

async function follow(options: Partial<NotificationOptions> = {}) {
  const socketPath = temporarySocketPath();
  const server = await servePipeline(socketPath, createServer());
  const events = notifications({ socketPath, token: 'the-token', ...options });
  return { server, events };
}

const kinds = (...all: string[]) => ({
  done: false,
  value: { type: 'changed', kinds: new Set(all) },
});
const connected = { done: false, value: { type: 'connected' } };

describe('the notifications', () => {
  test('connect when they are first asked, with the token, and begin with that', async () => {
    const { server, events } = await follow();
    expect(server.requests).toEqual([]);

    expect(await events.next()).toEqual(connected);
    expect(server.requests[0]?.headers['x-cycle-token']).toBe('the-token');
    expect(server.requests[0]?.url).toBe('/v1/notifications');
    await events.return();
  });

  test('say what has changed, as it happens', async () => {
    const { server, events } = await follow();
    await events.next();
    const next = events.next();
    server.send(notificationText());
    expect(await next).toEqual(kinds('ist'));

    const secrets = events.next();
    server.send(notificationText('environment.scoped-variable.updated', []));
    expect(await secrets).toEqual(kinds('secrets'));
    await events.return();
  });

  test('are one event for all that came while nobody asked', async () => {
    const { server, events } = await follow();
    await events.next();
    for (let count = 0; count < 500; count += 1) {
      server.send(notificationText(), notificationText('dns.certificate.state.changed', []));
    }

    await wasRead(server);
    expect(await events.next()).toEqual(kinds('ist', 'certificates'));
    await events.return();
  });

  test('go on after one of 5 MiB, which is left out', async () => {
    const { server, events } = await follow();
    await events.next();
    const next = events.next();
    server.send('x'.repeat(5 * 2 ** 20), notificationText());

    expect(await next).toEqual(kinds('ist'));
    expect(server.requests).toHaveLength(1);
    await events.return();
  });

  test('tell of a loss with its reason, and of the connection after it', async () => {
    const { server, events } = await follow();
    await events.next();
    server.clients()[0]?.terminate();

    expect(await events.next()).toMatchObject({ value: { type: 'lost', reason: 'ended' } });
    expect(await events.next()).toEqual(connected);
    await events.return();
  });

  test('leave out what a snapshot shows to be elsewhere, if they are given one', async () => {
    const self = { id: 'me', name: 'web', identifier: 'web', deployment: 'v2' };
    const other = { id: 'old', name: 'web', identifier: 'web', deployment: 'v1' };
    const snapshot = {
      self,
      containers: [self, other],
      instances: [],
      environment: { id: 'ours', name: 'shop' },
    };
    const { server, events } = await follow({ snapshot: () => snapshot });
    await events.next();
    const next = events.next();
    server.send(
      notificationText('container.state.changed', ['old']),
      notificationText('dns.certificate.state.changed', []),
    );

    expect(await next).toEqual(kinds('certificates'));
    await events.return();
  });
});

describe('the iteration', () => {
  test('ends with the loop over it, and the connection with it', async () => {
    const { server, events } = await follow();
    for await (const event of events) {
      expect(event.type).toBe('connected');
      break;
    }

    await eventually(() => expect(server.clients()).toEqual([]));
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  test('ends when its signal aborts, also while it waits', async () => {
    const stop = new AbortController();
    const { server, events } = await follow({ signal: stop.signal });
    await events.next();
    const next = events.next();
    stop.abort();

    expect(await next).toEqual({ done: true, value: undefined });
    await eventually(() => expect(server.clients()).toEqual([]));
  });

  test('does not begin when its signal has aborted before', async () => {
    const { server, events } = await follow({ signal: AbortSignal.abort() });

    expect(await events.next()).toEqual({ done: true, value: undefined });
    expect(server.requests).toEqual([]);
  });

  test('fails at once with a token that cannot be sent', async () => {
    const { events } = await follow({ token: 'two words' });
    const error = await errorOf(events.next());

    expect(error).toMatchObject({ code: 'E_TOKEN' });
    expect(error.message).not.toContain('two words');
  });
});

/** Resolves when the client has read all that was sent to it before. */
async function wasRead(server: PipelineServer): Promise<void> {
  const [client] = server.clients();
  const answered = new Promise((resolve) => client?.once('pong', resolve));
  client?.ping();
  await answered;
}
