// What exec(2) and chdir(2) would say to the app, found out without starting it.
//
// As another user than ours only modes can be looked at: access control lists are not. What is not certain is told as such:
// `check` says it, a start leaves it to exec.
import { type Stats, accessSync, constants, lstatSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { kernelFormatOf } from '../core/kernel-formats.ts';
import { mayExecute } from '../core/permissions.ts';
import type { Ids } from '../core/plan.ts';
import { type ProgramHeader, deepestScript, parseProgramHeader } from '../core/program-header.ts';
import { errnoOf } from '../errors.ts';
import { readProgramHead } from './program-file.ts';
import { type Registration, registrationOf } from './registered-formats.ts';

/** Who looks; undefined: we ourselves, and the kernel is asked. */
export type Visitor = Ids | undefined;

export type Obstacle = {
  readonly errno: string;
  readonly path: string;
  /** No kernel would start the app, whatever rights and formats there are that we do not see. */
  readonly isCertain: boolean;
};

export type ForeseenExec = {
  readonly visitor: Visitor;
  /** Where the app starts: a relative interpreter counts from there. */
  readonly directory: string;
  /** We may do more than access(2) says, which asks for the real user: capabilities(7), CAP_DAC_OVERRIDE. */
  readonly hasMoreRights: boolean;
};

/** Undefined: nothing is known that stands against it. */
export function foreseeExec(file: string, exec: ForeseenExec, depth = 0): Obstacle | undefined {
  const denied = foreseeAccess(file, exec);
  const head = denied === undefined ? readProgramHead(file) : undefined;
  if (head === undefined) {
    return denied;
  }

  const header = parseProgramHeader(head);
  const obstacle = foreseeLoading({ file, head, header }, exec, depth);
  return obstacle === undefined
    ? undefined
    : weigh(obstacle, registrationOf(file, head), isOwnFormat({ file, head, header }));
}

type Program = { readonly file: string; readonly head: Uint8Array; readonly header: ProgramHeader };

/** As the kernel's own formats have it. */
function foreseeLoading(
  { file, head, header }: Program,
  exec: ForeseenExec,
  depth: number,
): Obstacle | undefined {
  if (header.kind === 'script') {
    const { interpreter } = header;
    return interpreter === undefined
      ? undefined
      : depth === deepestScript
        ? { errno: 'ELOOP', path: file, isCertain: true }
        : foreseeExec(absolute(interpreter, exec.directory), exec, depth + 1);
  }

  if (kernelFormatOf(head, process.arch) === 'none') {
    return { errno: 'ENOEXEC', path: file, isCertain: true };
  }

  return header.kind === 'elf' && header.loader !== undefined
    ? foreseeAccess(absolute(header.loader, exec.directory), exec)
    : undefined;
}

/** binfmt_misc is asked before the kernel's own formats. */
function weigh(
  obstacle: Obstacle,
  registration: Registration,
  isOwn: boolean,
): Obstacle | undefined {
  switch (registration) {
    case 'registered':
      return undefined;
    case 'not-registered':
      return obstacle;
    case 'unknown':
      return { ...obstacle, isCertain: obstacle.isCertain && isOwn };
  }
}

/** What nobody registers: what the kernel runs anyway, under a name that does not end as that of something else (.jar). */
function isOwnFormat({ file, head, header }: Program): boolean {
  const isKnown = header.kind === 'script' || kernelFormatOf(head, process.arch) === 'own';
  return isKnown && /^[^.]*(?:\.sh)?$/.test(basename(file));
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

function foreseeAccess(path: string, exec: ForeseenExec): Obstacle | undefined {
  const { visitor } = exec;
  const errno = errnoIn(() => {
    accessSync(path, constants.X_OK); // Also where it is for somebody else: a file system may be mounted noexec.
    const found = visitor === undefined ? statSync(path) : walk(path, visitor).found;
    if (!found.isFile()) {
      throw systemError('EACCES');
    }

    requireExecution(path, found, visitor);
  });
  return errno === undefined
    ? undefined
    : { errno, path, isCertain: isClosedToAll(path) || isClosedToUs(errno, exec) };
}

/** Whoever comes, with whatever rights: it is not there, no regular file, or nobody's to execute. */
function isClosedToAll(path: string): boolean {
  if (/^\/(?:proc|dev)\//.test(path)) {
    return false; // What is there may be another thing for each process.
  }

  let found: Stats | undefined;
  const errno = errnoIn(() => {
    found = statSync(path);
  });
  return found === undefined
    ? errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP'
    : !found.isFile() || (found.mode & 0o111) === 0;
}

function isClosedToUs(errno: string, { visitor, hasMoreRights }: ForeseenExec): boolean {
  return errno === 'EACCES' && visitor === undefined && !hasMoreRights;
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

/** As it is: `..` behind a link is not where the text says. */
function absolute(path: string, directory: string): string {
  return path.startsWith('/') ? path : `${directory}/${path}`;
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
