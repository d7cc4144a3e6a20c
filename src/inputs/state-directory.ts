// Where the state directory is, or would be: for those who only look (`debug`, and the commands that ask a running init).
import { accessSync, constants, lstatSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';

import {
  type StateCandidate,
  type StateDirectory,
  distrustDirectory,
  fallbackOwner,
  stateCandidates,
} from '../core/state-directory.ts';
import { errnoOf } from '../errors.ts';
import { foreseeDistrust } from '../held-directory.ts';

/** The one that a start would use now; makes none. */
export function findStateDirectory(
  candidates: readonly StateCandidate[],
  uid: number,
): StateDirectory {
  const tried: { path: string; reason: string }[] = [];
  for (const { path } of candidates) {
    const reason = whyNot(path, uid);
    if (reason === undefined) {
      return { kind: 'usable', path };
    }

    tried.push({ path, reason });
  }

  return { kind: 'none', tried };
}

/**
 * Directories in which an init may have its control socket, the likeliest first. Only those that belong to `uid`, or to
 * anyone where that is root: in a directory of another user, somebody else could answer.
 */
export function stateDirectoriesOf(configured: string | undefined, uid: number): readonly string[] {
  const candidates = stateCandidates(configured, uid).map(({ path }) => path);
  const others = configured === undefined && uid === 0 ? fallbacksOfAll() : [];
  const ownersOf = new Map(others.map(({ path, owner }) => [path, owner]));
  return [...new Set([...candidates, ...ownersOf.keys()])].filter(
    (path) => reasonAgainst(path, ownersOf.get(path) ?? uid) === undefined,
  );
}

const sharedMemory = '/dev/shm';

/** Init without root has its directory there, and `docker exec --user root` looks for it. */
function fallbacksOfAll(): { readonly path: string; readonly owner: number }[] {
  try {
    return readdirSync(sharedMemory).flatMap((name) => {
      const path = `${sharedMemory}/${name}`;
      const owner = fallbackOwner(path);
      return owner === undefined ? [] : [{ path, owner }];
    });
  } catch (error) {
    if (errnoOf(error) === undefined) {
      throw error;
    }

    return [];
  }
}

/** Why it could not be used, or made. */
function whyNot(path: string, uid: number): string | undefined {
  const reason = foreseeDistrust(path, 'ours')?.message ?? reasonAgainst(path, uid);
  try {
    if (reason === undefined) {
      accessSync(path, constants.W_OK | constants.X_OK);
    } else if (reason === missing) {
      accessSync(existingAbove(path), constants.W_OK | constants.X_OK);
      return undefined;
    }

    return reason;
  } catch (error) {
    return errnoOf(error) ?? 'unknown error';
  }
}

const missing = 'it does not exist';

function reasonAgainst(path: string, uid: number): string | undefined {
  try {
    return distrustDirectory(lstatSync(path), uid);
  } catch (error) {
    const errno = errnoOf(error);
    return errno === 'ENOENT' ? missing : (errno ?? 'unknown error');
  }
}

function existingAbove(path: string): string {
  const above = dirname(path);
  return lstatSync(above, { throwIfNoEntry: false }) === undefined && above !== path
    ? existingAbove(above)
    : above;
}
