// What exec(2) and chdir(2) would say to the app, found out without starting it.
//
// As another user than ours only modes can be looked at: access control lists are not.
import {
  type Stats,
  accessSync,
  constants,
  lstatSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { matchesBinfmt } from '../core/binfmt.ts';
import { mayExecute } from '../core/permissions.ts';
import type { Ids } from '../core/plan.ts';
import {
  deepestScript,
  isUnknownFormat,
  machineOf,
  parseProgramHeader,
} from '../core/program-header.ts';
import { errnoOf } from '../errors.ts';
import { readProgramHead } from './program-file.ts';

/** Who looks; undefined: we ourselves, and the kernel is asked. */
export type Visitor = Ids | undefined;

export type Obstacle = { readonly errno: string; readonly path: string };

export type ForeseenExec = {
  readonly visitor: Visitor;
  /** Where the app starts: a relative interpreter counts from there. */
  readonly directory: string;
};

/** Undefined: nothing is known that stands against it. */
export function foreseeExec(file: string, exec: ForeseenExec, depth = 0): Obstacle | undefined {
  const denied = foreseeAccess(file, exec.visitor);
  const head = denied === undefined ? readProgramHead(file) : undefined;
  if (head === undefined) {
    return denied;
  }

  const header = parseProgramHeader(head);
  if (isUnknownFormat(header, machineOf[process.arch] ?? process.arch)) {
    return isRegistered(file, head) ? undefined : { errno: 'ENOEXEC', path: file };
  }

  if (header.kind === 'script') {
    return depth === deepestScript
      ? { errno: 'ELOOP', path: file }
      : foreseeExec(absolute(header.interpreter, exec.directory), exec, depth + 1);
  }

  return header.kind === 'elf' && header.loader !== undefined
    ? foreseeAccess(absolute(header.loader, exec.directory), exec.visitor)
    : undefined;
}

export function foreseeChdir(path: string, visitor: Visitor): string | undefined {
  return errnoIn(() => {
    const found = visitor === undefined ? statSync(path) : walk(path, visitor).found;
    if (!found.isDirectory()) {
      throw systemError('ENOTDIR');
    }

    requireExecution(path, found, visitor);
  });
}

function foreseeAccess(path: string, visitor: Visitor): Obstacle | undefined {
  const errno = errnoIn(() => {
    accessSync(path, constants.X_OK); // Also where it is for somebody else: a file system may be mounted noexec.
    const found = visitor === undefined ? statSync(path) : walk(path, visitor).found;
    if (!found.isFile()) {
      throw systemError('EACCES');
    }

    requireExecution(path, found, visitor);
  });
  return errno === undefined ? undefined : { errno, path };
}

function requireExecution(path: string, found: Stats, visitor: Visitor): void {
  if (visitor === undefined) {
    accessSync(path, constants.X_OK);
  } else if (!mayExecute(visitor, found)) {
    throw systemError('EACCES');
  }
}

const mostLinks = 40; // MAXSYMLINKS

/** The way to a file, as path_resolution(7) goes it: through each directory, also those of links. */
function walk(path: string, visitor: Ids): { readonly found: Stats } {
  const waiting = path.split('/');
  let at = path.startsWith('/') ? '/' : process.cwd();
  let links = 0;
  for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
    if (part === '' || part === '.') {
      continue;
    }

    const directory = statSync(at);
    if (directory.isDirectory() && !mayExecute(visitor, directory)) {
      throw systemError('EACCES');
    }

    const next = part === '..' ? dirname(at) : join(at, part);
    if (!lstatSync(next).isSymbolicLink()) {
      at = next;
      continue;
    }

    links += 1;
    if (links > mostLinks) {
      throw systemError('ELOOP');
    }

    const target = readlinkSync(next);
    waiting.unshift(...target.split('/'));
    at = target.startsWith('/') ? '/' : at;
  }

  return { found: statSync(at) };
}

const binfmtDirectory = '/proc/sys/fs/binfmt_misc';

/** Where that file system is not mounted (in most containers) nothing is known, and nothing is taken to be registered. */
function isRegistered(file: string, head: Uint8Array): boolean {
  try {
    const read = (name: string) => readFileSync(join(binfmtDirectory, name), 'latin1');
    const entries = readdirSync(binfmtDirectory).filter((name) => name !== 'register');
    return (
      read('status').startsWith('enabled') &&
      entries.some((name) => matchesBinfmt(read(name), file, head))
    );
  } catch (error) {
    if (errnoOf(error) === undefined) {
      throw error;
    }

    return false;
  }
}

function errnoIn(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) {
      throw error;
    }

    return errno;
  }
}

function absolute(path: string, directory: string): string {
  return path.startsWith('/') ? path : join(directory, path);
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
