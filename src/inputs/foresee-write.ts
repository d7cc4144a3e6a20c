// What the system would say to a start that writes a file or a directory, found out without writing anything.
//
// The same questions in the same order as apply/ meets them: what is at the path, whether a rename can replace it, what
// is above it, and whose it is to become.
import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readFileSync,
  readdirSync,
} from 'node:fs';
import { dirname } from 'node:path';

import { type ProcessFacts, isMapped } from '../core/check-process.ts';
import type { Ownership } from '../core/ownership.ts';
import { errnoOf } from '../errors.ts';
import { foreseeDistrust } from '../held-directory.ts';

export type PlannedWrite = {
  readonly path: string;
  /** `directory`: a link to a generation, as for certificates and unpacked secrets. */
  readonly kind: 'file' | 'directory';
  readonly owner: Ownership;
};

/** Undefined: nothing stands against it. Else an error as that of node:fs. */
export function foreseeWrite(planned: PlannedWrite, facts: ProcessFacts): Error | undefined {
  const { path, kind, owner } = planned;
  const distrust = foreseeDistrust(path, 'any');
  if (distrust !== undefined) {
    return distrust;
  }

  const errno = foreseen(() => {
    const occupied = kind === 'file' ? occupiedForFile(path) : occupiedForDirectory(path);
    if (occupied === undefined) {
      checkAbove(path);
    }

    return occupied;
  });
  return errno === undefined ? foreseeOwner(owner, facts) : systemError(errno, 'open');
}

/** For a file that is changed in place, as /etc/hosts. */
export function foreseeEdit(path: string): Error | undefined {
  const errno = foreseen(() => {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
      checkAbove(path);
    } else {
      closeSync(openSync(path, constants.O_RDWR));
    }

    return undefined;
  });
  return errno === undefined ? undefined : systemError(errno, 'open');
}

/** The errno that the work gives, or ends with. */
function foreseen(work: () => string | undefined): string | undefined {
  try {
    return work();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) {
      throw error;
    }

    return errno;
  }
}

function occupiedForFile(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    return undefined;
  }

  return isMountPoint(path) ? 'EBUSY' : found.isDirectory() ? 'EISDIR' : undefined;
}

function occupiedForDirectory(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isSymbolicLink()) {
    return undefined;
  }

  if (!found.isDirectory()) {
    return 'EEXIST';
  }

  return readdirSync(path).length > 0 ? 'ENOTEMPTY' : isMountPoint(path) ? 'EBUSY' : undefined;
}

/** The nearest directory that is there must take new entries; those between are made. */
function checkAbove(path: string): void {
  const above = dirname(path);
  const found = lstatSync(above, { throwIfNoEntry: false });
  if (found === undefined && above !== path) {
    checkAbove(above);
  } else {
    accessSync(`${above}/.`, constants.W_OK | constants.X_OK);
  }
}

const capChown = 0;

/** A file has the ids of who makes it, until it is given away. */
function foreseeOwner({ uid, gid }: Ownership, facts: ProcessFacts): Error | undefined {
  const isOwn = uid === facts.uid && (gid === facts.gid || facts.groups.includes(gid));
  if (!isMapped(uid, facts.uidMap) || !isMapped(gid, facts.gidMap)) {
    return systemError('EINVAL', 'fchown');
  }

  return isOwn || facts.capabilities.has(capChown) ? undefined : systemError('EPERM', 'fchown');
}

function isMountPoint(path: string): boolean {
  return readFileSync('/proc/self/mountinfo', 'latin1')
    .split('\n')
    .some((line) => unescapePath(line.split(' ')[4] ?? '') === path);
}

/** proc_pid_mountinfo(5): space, tab, line feed and backslash are octal. */
function unescapePath(text: string): string {
  return text.replaceAll(/\\(\d{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(code), { code, syscall });
}
