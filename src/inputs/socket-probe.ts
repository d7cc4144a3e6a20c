// Whether somebody listens on the platform's socket, and lets us in: one connection, nothing is sent.
import { connect } from 'node:net';

import { StartError } from '../errors.ts';
import { type HttpFailure, failureOf } from './http-result.ts';
import { describeFailure, platformError } from './platform-failure.ts';

const deadlineMs = 2000;

/** Undefined: yes. */
export async function probeSocket(socketPath: string): Promise<StartError | undefined> {
  const failure = await tryConnect(socketPath);
  if (failure === undefined) {
    return undefined;
  }

  const transport = { ...failure, kind: 'transport' } as const;
  const { exitCode, remedy } = platformError({
    path: '/',
    failure: transport,
    attempts: 1,
    socketPath,
    waitedMs: 0,
  });
  const why = describeFailure(transport, socketPath);
  return new StartError('E_PLATFORM_UNAVAILABLE', `Cannot reach the platform: ${why}`, {
    exitCode,
    remedy: { where: socketPath, fix: remedy.fix },
  });
}

function tryConnect(socketPath: string): Promise<HttpFailure | undefined> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const end = (failure: HttpFailure | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(failure);
    };
    // connect(2) waits where the server's queue of connections is full.
    const timer = setTimeout(() => {
      const detail = `it accepted no connection within ${deadlineMs} ms`;
      end({ kind: 'failed', reason: 'silent', detail });
    }, deadlineMs);
    socket.once('connect', () => end(undefined));
    socket.once('error', (error) => end(failureOf(error, false)));
  });
}
