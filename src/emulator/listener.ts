// The emulator's end of its socket: connections, and the socket that goes and comes back.
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { listenOnSocket } from './socket-file.ts';

export type Listener = {
  /** @throws {StartError} `E_SOCKET`, status 73. */
  readonly open: () => Promise<void>;
  readonly dropConnections: () => void;
  /**
   * Ends every connection, removes the socket, and is back after `goneMs`. During a restart the same one.
   *
   * @throws {StartError} `E_SOCKET`, status 73, where another program took the place.
   */
  readonly restart: (goneMs: number) => Promise<void>;
  /** Ends every connection and removes the socket, for good. May be called again. */
  readonly close: () => Promise<void>;
};

export function createListener(server: Server, socketPath: string): Listener {
  const sockets = new Set<Socket>();
  const ended = new AbortController();
  let restarting: Promise<void> | undefined;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined); // A peer that went away: `close` follows.
    socket.on('close', () => sockets.delete(socket));
  });

  const dropConnections = (): void => {
    // node:http knows nothing of the connections that became WebSockets.
    for (const socket of sockets) socket.destroy();
  };
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    dropConnections();
    await closed;
  };
  const restart = async (goneMs: number): Promise<void> => {
    await stop();
    await waitUnlessEnded(goneMs, ended.signal);
    if (ended.signal.aborted) return;
    await listenOnSocket(server, socketPath);
  };

  return {
    open: () => listenOnSocket(server, socketPath),
    dropConnections,
    restart: (goneMs) =>
      (restarting ??= restart(goneMs).finally(() => {
        restarting = undefined;
      })),
    close: async () => {
      ended.abort();
      await Promise.allSettled([restarting]);
      await stop();
    },
  };
}

async function waitUnlessEnded(delayMs: number, ended: AbortSignal): Promise<void> {
  try {
    await wait(delayMs, undefined, { signal: ended });
  } catch (cause) {
    if (!ended.aborted) throw cause;
  }
}
