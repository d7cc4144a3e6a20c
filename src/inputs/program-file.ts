// A program's own file, before it is run: what it needs and is not there is said before anything is changed.
//
// Only what is certain is refused: a file that the kernel itself does not know may be one that binfmt_misc does.
import { closeSync, constants, openSync, readSync, statSync } from 'node:fs';

import { type ProgramHeader, headerBytes, parseProgramHeader } from '../core/program-header.ts';
import { StartError, errnoOf, exitStatus } from '../errors.ts';

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
 * @param shown - The path as an error may name it.
 * @throws {StartError} E_SPAWN (127): the interpreter of a script or the loader of a binary does not exist.
 */
export function checkProgramFile(file: string, shown: string): void {
  const header = readProgramHeader(file);
  const needed =
    header?.kind === 'script'
      ? header.interpreter
      : header?.kind === 'elf'
        ? header.loader
        : undefined;
  // A relative one counts from where the app starts.
  if (header === undefined || needed === undefined || !needed.startsWith('/') || exists(needed)) {
    return;
  }

  const { rule, fix } = explain(header.kind === 'script', needed);
  throw new StartError('E_SPAWN', `Cannot run ${JSON.stringify(shown)}: ${rule}`, {
    exitCode: exitStatus.notFound,
    remedy: { where: shown, fix },
  });
}

function explain(
  isScript: boolean,
  needed: string,
): { readonly rule: string; readonly fix: string } {
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
