// Makes the state directory, or takes the one that an earlier start has left.
import type { Stats } from 'node:fs';
import { accessSync, closeSync, constants, lstatSync } from 'node:fs';
import { basename, dirname } from 'node:path';

import {
  type StateCandidate,
  type StateDirectory,
  distrustDirectory,
} from '../core/state-directory.ts';
import { errnoOf } from '../errors.ts';
import { UntrustedPathError, holdDirectory, makeDirectory, nameIn } from '../held-directory.ts';
import { describeErrno } from './describe-errno.ts';

/** The first that can be written, made if need be. Never throws for what the system refuses. */
export function openStateDirectory(
  candidates: readonly StateCandidate[],
  uid: number,
): StateDirectory {
  const tried: { path: string; reason: string }[] = [];
  for (const candidate of candidates) {
    const reason = open(candidate, uid);
    if (reason === undefined) {
      return { kind: 'usable', path: candidate.path };
    }

    tried.push({ path: candidate.path, reason });
  }

  return { kind: 'none', tried };
}

/** Why it cannot be used. */
function open({ path, mode }: StateCandidate, uid: number): string | undefined {
  try {
    const reason = distrustDirectory(findOrMake(path, mode), uid);
    if (reason === undefined) {
      accessSync(path, constants.W_OK | constants.X_OK);
    }

    return reason;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) {
      throw error;
    }

    return error instanceof UntrustedPathError ? error.message : describeErrno(errno);
  }
}

/**
 * One that is there keeps its mode: it may be the operator's. From then on it is used by its path, so the directories above must
 * be trusted, too.
 */
function findOrMake(path: string, mode: number): Stats {
  const parent = holdDirectory(dirname(path), { missing: 'make', ancestors: 'ours' });
  try {
    const held = nameIn(parent, basename(path));
    const found = lstatSync(held, { throwIfNoEntry: false });
    if (found === undefined) {
      makeDirectory(held, mode);
    }

    return found ?? lstatSync(held);
  } finally {
    closeSync(parent);
  }
}
