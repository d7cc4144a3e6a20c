// Makes the state directory, or takes the one that an earlier start has left.
import { accessSync, chmodSync, constants, lstatSync, mkdirSync } from 'node:fs';

import {
  type StateCandidate,
  type StateDirectory,
  distrustDirectory,
} from '../core/state-directory.ts';
import { errnoOf } from '../errors.ts';
import { describeErrno } from './describe-errno.ts';
import { makeParents } from './new-file.ts';

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
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) {
      make(path, mode);
    }

    const reason = distrustDirectory(found ?? lstatSync(path), uid);
    if (reason === undefined) {
      accessSync(path, constants.W_OK | constants.X_OK);
    }

    return reason;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) {
      throw error;
    }

    return describeErrno(errno);
  }
}

/** One that is there keeps its mode: it may be the operator's. */
function make(path: string, mode: number): void {
  makeParents(path);
  mkdirSync(path, { mode });
  // The umask has taken bits away. Only we can have put anything there in the meantime.
  chmodSync(path, mode);
}
