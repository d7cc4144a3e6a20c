// The control socket: HTTP on `control.sock` in the state directory, for init's own user alone. `curl --unix-socket` works.
//
// No failure of ours and nothing that a client does ends this process or keeps it from ending: everything is bounded, a
// connection carries one request, and nobody is waited for. node:http is not imported: its ES module would load undici.
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

import type { Warning } from '../core/warning.ts';
import type { Operations } from './control-answers.ts';
import { type ControlLimits, exchange, usualLimits } from './control-exchange.ts';
import { type SocketFile, listenPrivately } from './control-socket-file.ts';
import { cannotAccept, cannotListen, defect } from './control-warnings.ts';
import { limitRequests, withoutDeadlines } from './request-deadline.ts';

export type { Operations } from './control-answers.ts';

export type ControlSocketOptions = {
  /** `control.sock` in the state directory. */
  readonly path: string;
  readonly operations: Operations;
  readonly onProblem: (warning: Warning) => void;
  readonly limits?: Partial<ControlLimits>;
};

export type ControlSocket = {
  /** Ends every connection and removes the socket. May be called again. */
  readonly close: () => void;
};

/** Never rejects. Where it cannot listen it says so once, and tries again for ever. */
export async function startControlSocket(options: ControlSocketOptions): Promise<ControlSocket> {
  const listener: Listener = {
    options,
    limits: { ...usualLimits, ...options.limits },
    told: new Set(),
    isClosed: false,
    open: undefined,
    left: undefined,
    timer: undefined,
  };
  await listen(listener);
  return {
    close: () => {
      listener.isClosed = true;
      clearTimeout(listener.timer);
      close(listener);
    },
  };
}

type Listener = {
  readonly options: ControlSocketOptions;
  readonly limits: ControlLimits;
  readonly told: Set<string>;
  isClosed: boolean;
  open: { readonly server: Server; readonly file: SocketFile } | undefined;
  /** The one before, whose socket is gone: somebody may still wait for its answer. */
  left: Server | undefined;
  timer: NodeJS.Timeout | undefined;
};

async function listen(listener: Listener): Promise<void> {
  const { path } = listener.options;
  const server = createServer(listener);
  try {
    listener.open = { server, file: await listenPrivately(server, path) };
    watchLater(listener);
  } catch (error) {
    server.close();
    tellOnce(listener, cannotListen(path, error));
    listenLater(listener);
  }

  if (listener.isClosed) {
    close(listener);
  }
}

function listenLater(listener: Listener): void {
  later(listener, () => void listen(listener));
}

/** An app that empties /run when it starts takes our socket, too, and `health` with it. */
function watchLater(listener: Listener): void {
  later(listener, () => {
    if (listener.open?.file.isGone() === true) {
      leave(listener, listener.open.server);
      void listen(listener);
    } else {
      watchLater(listener);
    }
  });
}

function later(listener: Listener, work: () => void): void {
  clearTimeout(listener.timer);
  if (!listener.isClosed) {
    listener.timer = setTimeout(work, listener.limits.retryMs).unref();
  }
}

/** A reload takes as long as it takes: who has asked for it still gets the answer. */
function leave(listener: Listener, server: Server): void {
  listener.left?.closeAllConnections();
  listener.left = server;
  listener.open = undefined;
  server.close();
}

function close(listener: Listener): void {
  const { open, left } = listener;
  listener.open = undefined;
  // While it is open nobody else's socket has its inode.
  open?.file.remove();
  open?.server.close();
  open?.server.closeAllConnections();
  left?.closeAllConnections();
}

function tellOnce({ options, told }: Listener, warning: Warning): void {
  if (!told.has(warning.message)) {
    told.add(warning.message);
    options.onProblem(warning);
  }
}

function createServer(listener: Listener): Server {
  const { limits, options } = listener;
  const { path, operations } = options;
  const http = process.getBuiltinModule('node:http');
  const server = http.createServer(
    { maxHeaderSize: limits.headerBytes, ...withoutDeadlines },
    (request, response) => {
      void exchange({ request, response, operations, limits }).catch((error: unknown) => {
        tellOnce(listener, defect(path, error));
        if (!response.writableEnded) {
          response.destroy();
        }
      });
    },
  );
  limitRequests(server, limits);
  server.maxConnections = limits.connections;
  server.maxRequestsPerSocket = 1;
  server.unref();
  server.on('connection', (socket: Socket) => socket.unref());
  server.on('error', (error) => {
    if (server.listening) {
      // ENOMEM and the like; for a missing descriptor libuv refuses the connection by itself. It would call us again at
      // once, for ever, as long as this is open.
      close(listener);
      tellOnce(listener, cannotAccept(path, error));
      listenLater(listener);
    }
  });
  return server;
}
