// A program's own file: what its first bytes say, and whether what it needs is there.
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';

import { kernelFormatOf } from '../core/kernel-formats.ts';
import { type ProgramHeader, headerBytes, parseProgramHeader } from '../core/program-header.ts';
import { errnoOf } from '../errors.ts';

/** Undefined if it cannot be read: a program need not be readable for whom it is executable. */
export function readProgramHeader(file: string): ProgramHeader | undefined {
  const head = readProgramHead(file);
  return head === undefined ? undefined : parseProgramHeader(head);
}

/** The first {@link headerBytes}; undefined likewise. */
export function readProgramHead(file: string): Uint8Array | undefined {
  let fd;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const bytes = new Uint8Array(headerBytes);
    return bytes.subarray(0, readSync(fd, bytes));
  } catch {
    return undefined; // Whatever it was, exec will say it.
  } finally {
    if (fd !== undefined) {
      closeSync(fd);
    }
  }
}

/**
 * Whether at the first look nothing stands against it: for this machine, or a script whose interpreter is. All else takes a
 * closer one (foresee-exec.ts), which a start would have to load.
 */
export function isOrdinaryProgram(file: string): boolean {
  const head = readProgramHead(file);
  const header = head === undefined ? undefined : parseProgramHeader(head);
  return header?.kind === 'script'
    ? isOrdinaryInterpreter(header.interpreter)
    : isOwn(head, header);
}

function isOrdinaryInterpreter(path: string | undefined): boolean {
  if (path === undefined || !isRunnable(path)) {
    return false;
  }

  const head = readProgramHead(path);
  return head !== undefined && isOwn(head, parseProgramHeader(head));
}

function isOwn(head: Uint8Array | undefined, header: ProgramHeader | undefined): boolean {
  return (
    head !== undefined &&
    header?.kind === 'elf' &&
    kernelFormatOf(head, process.arch) === 'own' &&
    (header.loader === undefined || isRunnable(header.loader))
  );
}

/** A relative path counts from where the app starts. */
function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return path.startsWith('/');
  } catch {
    return false;
  }
}

export type Lack = { readonly rule: string; readonly fix: string };

/** Undefined: the interpreter of the script or the loader of the binary is there, or it is not known which one that is. */
export function findLack(file: string): Lack | undefined {
  const header = readProgramHeader(file);
  const needed =
    header?.kind === 'script'
      ? header.interpreter
      : header?.kind === 'elf'
        ? header.loader
        : undefined;
  // A relative one counts from where the app starts.
  return header === undefined || needed === undefined || !needed.startsWith('/') || exists(needed)
    ? undefined
    : explain(header.kind === 'script', needed);
}

function explain(isScript: boolean, needed: string): Lack {
  if (!isScript) {
    return {
      rule: `its loader ${needed} does not exist`,
      fix: 'Take a binary that was built for this image (Alpine has musl, Debian glibc), or install that loader.',
    };
  }

  return needed.endsWith('\r')
    ? {
        rule: `its interpreter ${JSON.stringify(needed)} does not exist: the first line ends with a carriage return`,
        fix: 'Save the file with the line endings of Unix (LF).',
      }
    : {
        rule: `its interpreter ${needed} does not exist`,
        fix: 'Correct its first line (#!), or install that interpreter.',
      };
}

function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    return errno !== 'ENOENT' && errno !== 'ENOTDIR';
  }
}
