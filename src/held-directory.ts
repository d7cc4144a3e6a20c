// Directories held by descriptor. Init may be root where the app's user owns a directory on the way to a file: each system
// call looks a path up anew, and by then it may lead elsewhere.
//
// Node has no openat(2). `/proc/self/fd/N/NAME` is the same: proc_pid_fd(5) leads to the directory itself, whatever has become of its
// name. So a path is walked once, a component at a time, and no component but a link that we trust is followed.
import {
  type Stats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { errnoOf } from './errors.ts';

/** Somebody else could decide where a path leads. The message is the end of a sentence. */
export class UntrustedPathError extends Error {
  override readonly name = 'UntrustedPathError';
  /** So that it passes for an error of the system where nothing is known of it. */
  readonly code = 'ELOOP';
}

export type Walk = {
  /** `make`: with mode 0755, whatever the umask is. */
  readonly missing: 'make' | 'fail';
  /** `ours`: for root none but root may change a directory on the way, so that the path can be used later on. */
  readonly ancestors: 'any' | 'ours';
};

/** A path that leads to `name` in the directory of this descriptor. */
export function nameIn(directory: number, name: string): string {
  return `/proc/self/fd/${directory}/${name}`;
}

/** A directory that may be listed; no link. */
export function openDirectory(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

/**
 * Makes the missing directories above `path` and holds its parent.
 *
 * @param work - Gets a path whose parent no rename and no link can change.
 * @throws {UntrustedPathError} A link of somebody else is on the way. All else is the system's.
 */
export function withHeldParent<T>(path: string, work: (held: string) => T): T {
  const parent = holdDirectory(dirname(path), { missing: 'make', ancestors: 'any' });
  try {
    return work(nameIn(parent, basename(path)));
  } finally {
    closeSync(parent);
  }
}

/**
 * If we are root, a symbolic link on the way is followed only where root has made it, and nobody else can have put it there.
 *
 * @param path - Absolute.
 * @returns a descriptor for {@link nameIn} and fstat(2).
 * @throws {UntrustedPathError}
 */
export function holdDirectory(path: string, walk: Walk): number {
  const names = namesOf(path);
  let held = openSync('/', lookOnly);
  let links = 0;
  try {
    refuseAncestor(held, walk);
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      let next = openNext(nameIn(held, name), walk);
      if (fstatSync(next).isSymbolicLink()) {
        const target = readTrustedLink(held, name, next);
        links += 1;
        if (links > mostLinks) {
          throw new UntrustedPathError('there are too many symbolic links in it (ELOOP)');
        }

        names.unshift(...namesOf(target));
        next = openSync(target.startsWith('/') ? '/' : nameIn(held, '.'), lookOnly);
      }

      closeSync(held);
      held = next;
      refuseAncestor(held, walk);
    }

    return held;
  } catch (error) {
    closeSync(held);
    throw error;
  }
}

/** What a walk to the directory above `path` would end with, as far as it is there. Nothing is made. */
export function foreseeDistrust(
  path: string,
  ancestors: Walk['ancestors'],
): UntrustedPathError | undefined {
  try {
    closeSync(holdDirectory(dirname(path), { missing: 'fail', ancestors }));
  } catch (error) {
    if (error instanceof UntrustedPathError) {
      return error;
    }

    if (errnoOf(error) === undefined) {
      throw error;
    }
  }

  return undefined;
}

/** With just this mode: a chmod(2) later on could meet another directory. */
export function makeDirectory(path: string, mode: number): void {
  const umask = process.umask(0);
  try {
    mkdirSync(path, { mode });
  } finally {
    process.umask(umask);
  }
}

/** Whether nobody but root and us can replace what is in a directory of theirs or ours. */
export function isOnlyOurs({ uid, mode }: Pick<Stats, 'uid' | 'mode'>): boolean {
  return isTrusted(uid) && ((mode & othersMayWrite) === 0 || (mode & sticky) !== 0);
}

const othersMayWrite = 0o022;
const sticky = 0o1000;

/** O_PATH, which Node does not name, has this value wherever Node runs; it asks for no permission, and opens links themselves. */
const lookOnly = 0o10000000 | constants.O_NOFOLLOW;

/** MAXSYMLINKS, as for the kernel. */
const mostLinks = 40;

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function openNext(path: string, { missing }: Walk): number {
  try {
    return openSync(path, lookOnly);
  } catch (error) {
    if (missing === 'fail' || errnoOf(error) !== 'ENOENT') {
      throw error;
    }
  }

  try {
    makeDirectory(path, 0o755);
  } catch (error) {
    // Another init was quicker.
    if (errnoOf(error) !== 'EEXIST') {
      throw error;
    }
  }

  return openSync(path, lookOnly);
}

/** Closes the descriptor of the link. */
function readTrustedLink(directory: number, name: string, link: number): string {
  const { uid, dev } = fstatSync(link);
  closeSync(link);
  const path = join(pathOf(directory), name);
  // Without root we can do nothing that the app, which is the same user, could not do itself; and an image may be another's.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot && !isTrusted(uid)) {
    throw new UntrustedPathError(`${path} is a symbolic link that belongs to uid ${uid}`);
  }

  if (isRoot && !isOnlyOurs(fstatSync(directory))) {
    throw new UntrustedPathError(
      `${path} is a symbolic link in a directory that others may write to`,
    );
  }

  // Some of them lead where no path does: proc_pid_root(5).
  if (dev === lstatSync('/proc/self').dev) {
    throw new UntrustedPathError(`${path} is a link of /proc`);
  }

  return readlinkSync(nameIn(directory, name));
}

function refuseAncestor(directory: number, { ancestors }: Walk): void {
  // The app of an init without root is the same user for good.
  if (ancestors === 'any' || process.geteuid?.() !== 0) {
    return;
  }

  const { uid, mode } = fstatSync(directory);
  if (!isOnlyOurs({ uid, mode })) {
    throw new UntrustedPathError(
      `others may replace what is in ${pathOf(directory)} (uid ${uid}, mode 0${(mode & 0o7777).toString(8)})`,
    );
  }
}

function pathOf(directory: number): string {
  return readlinkSync(`/proc/self/fd/${directory}`);
}

function isTrusted(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.() || (uid === overflowUid && !isMapped(uid));
}

/** What an owner is shown as who has no id in this user namespace, and so no process: user_namespaces(7). */
const overflowUid = 65_534;

function isMapped(uid: number): boolean {
  const lines = readFileSync('/proc/self/uid_map', 'latin1').split('\n');
  return lines.some((line) => {
    const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
    return uid >= first && uid < first + count;
  });
}
