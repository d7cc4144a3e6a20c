// The Unix socket of the emulator as a file: free for us, replaced where nobody listens, an error where somebody does.
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { connect } from 'node:net';
import type { Server } from 'node:net';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { errnoOf, exitStatus, StartError } from '../errors.ts';

/** sun_path of unix(7) has 108 bytes, one of them the final NUL. */
const pathLimitBytes = 107;

/**
 * Makes `server` listen on `socketPath`, which every user may connect to. Makes the directory, too.
 *
 * @throws {StartError} `E_SOCKET`, status 73.
 */
export async function listenOnSocket(server: Server, socketPath: string): Promise<void> {
  const sizeBytes = Buffer.byteLength(socketPath);
  if (sizeBytes > pathLimitBytes) {
    throw socketError(
      socketPath,
      `its path has ${sizeBytes} bytes, the limit is ${pathLimitBytes}`,
    );
  }
  try {
    mkdirSync(dirname(socketPath), { recursive: true });
    await removeStale(socketPath);
    server.listen(socketPath);
    await once(server, 'listening');
    // Containers run their apps as any user.
    chmodSync(socketPath, 0o666);
  } catch (cause) {
    server.close();
    throw cause instanceof StartError
      ? cause
      : socketError(socketPath, errnoOf(cause) ?? 'unknown reason', cause);
  }
}

async function removeStale(socketPath: string): Promise<void> {
  const stats = lstatIfAny(socketPath);
  if (stats === undefined) return;
  if (!stats.isSocket()) throw socketError(socketPath, 'there is a file that is not a socket');
  if (await isAnswered(socketPath)) throw socketError(socketPath, 'another program listens on it');
  unlinkSync(socketPath);
}

function lstatIfAny(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Only a refusal means that nobody listens: connect(2). */
async function isAnswered(socketPath: string): Promise<boolean> {
  const socket = connect(socketPath);
  try {
    await once(socket, 'connect');
    return true;
  } catch (cause) {
    if (errnoOf(cause) === 'ECONNREFUSED') return false;
    throw cause;
  } finally {
    socket.destroy();
  }
}

function socketError(socketPath: string, reason: string, cause?: unknown): StartError {
  return new StartError('E_SOCKET', `Cannot listen on ${socketPath}: ${reason}`, {
    exitCode: exitStatus.cannotWrite,
    remedy: {
      where: socketPath,
      fix: 'Give another path with --socket PATH, in a directory that you may write to.',
    },
    cause,
  });
}
