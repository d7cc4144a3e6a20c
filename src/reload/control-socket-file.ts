// The control socket as a file: nobody else may ever connect, and what a predecessor has left is replaced as a whole.
//
// A socket has its mode only after bind(2), so it is bound in a directory that nobody else enters, and renamed. A rename
// replaces anything but a directory, so what is there is looked at first; only init writes to the state directory.
import type { Stats } from 'node:fs';
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { connect } from 'node:net';
import type { Server } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';

import { StartError, errnoOf, exitStatus } from '../errors.ts';

export type SocketFile = {
  /** Somebody has cleaned up: nobody finds us any more. */
  readonly isGone: () => boolean;
  /** Unless it is another's by now. */
  readonly remove: () => void;
};

/** sun_path of unix(7) has 108 bytes, one of them the final NUL. */
const pathLimitBytes = 107;

/** @throws an error that has an errno, or a StartError that says more. */
export async function listenPrivately(server: Server, path: string): Promise<SocketFile> {
  const sizeBytes = Buffer.byteLength(path);
  if (sizeBytes > pathLimitBytes) {
    throw cannotListen(
      path,
      `its path has ${sizeBytes} bytes, the limit is ${pathLimitBytes}`,
      'Give init.stateDirectory a shorter path.',
    );
  }

  await refuseOthers(path);
  removeLeftovers(dirname(path));
  const directory = mkdtempSync(join(dirname(path), temporaryPrefix));
  const temporary = join(directory, temporaryName);
  try {
    server.listen(temporary);
    await once(server, 'listening');
    chmodSync(temporary, 0o600);
    const { ino } = lstatSync(temporary);
    renameSync(temporary, path);
    return {
      isGone: () => isGone(path),
      remove: () => {
        removeIf(path, (found) => found.ino === ino);
      },
    };
  } finally {
    removeTemporary(directory);
  }
}

// Together as long as `control.sock`: where that fits, this fits.
const temporaryPrefix = '.ctl';
const temporaryName = 's';
const temporaryPattern = /^\.ctl\w{6}$/;

async function refuseOthers(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    return;
  }

  if (!found.isSocket()) {
    throw cannotListen(path, 'there is a file that is not a socket', 'Remove it.');
  }

  if (await isAnswered(path)) {
    throw cannotListen(
      path,
      'another process listens on it',
      'Give each init a state directory of its own (init.stateDirectory).',
    );
  }
}

/** Only a refusal means that nobody listens: connect(2). */
async function isAnswered(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    return errnoOf(error) !== 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

/** Of a predecessor that was killed between two lines. */
function removeLeftovers(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (temporaryPattern.test(name)) {
      removeTemporary(join(directory, name));
    }
  }
}

function removeTemporary(directory: string): void {
  quietly(() => {
    removeIf(join(directory, temporaryName), (found) => found.isSocket());
    rmdirSync(directory);
  });
}

function isGone(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    if (errnoOf(error) === undefined) {
      throw error;
    }

    return false;
  }
}

function removeIf(path: string, condition: (found: Stats) => boolean): void {
  quietly(() => {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found !== undefined && condition(found)) {
      unlinkSync(path);
    }
  });
}

/** What cannot be removed does no harm. */
function quietly(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (errnoOf(error) === undefined) {
      throw error;
    }
  }
}

function cannotListen(path: string, reason: string, fix: string): StartError {
  return new StartError('E_SOCKET', `Cannot listen on ${path}: ${reason}`, {
    exitCode: exitStatus.cannotWrite,
    remedy: { where: path, fix },
  });
}
