// The program of the app, found as execvp(3) finds it, before anything is changed.
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';

import { commandNames } from '../core/command-names.ts';
import { Secret } from '../core/secret.ts';
import { StartError, errnoOf, exitStatus } from '../errors.ts';

// Of execvp(3) where there is no PATH; musl and glibc differ, so this is the one of Docker.
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export type ProgramSearch = {
  readonly name: string;
  /** `PATH` of the app's environment. */
  readonly path: string | Secret | undefined;
  /** Where the app starts, and relative paths with it; undefined: where we are. */
  readonly from?: string | undefined;
  /** Whether the app may have rights that access(2) does not see in us: asked where it denies us a file. */
  readonly hasOtherRights?: () => boolean;
};

/**
 * The path of the program.
 *
 * @throws {StartError} E_NOT_FOUND (127) or E_NOT_EXECUTABLE (126).
 */
export function findProgram(search: ProgramSearch): string {
  const { name, path, from, hasOtherRights = () => false } = search;
  const directories = path instanceof Secret ? path.reveal() : (path ?? defaultPath);
  const written = name.includes('/')
    ? [name]
    : directories.split(':').map((directory) => (directory === '' ? name : `${directory}/${name}`));
  const candidates = written.map((file) =>
    from === undefined || file.startsWith('/') ? file : `${from}/${file}`,
  );
  let blocked: { file: string; reason: string } | undefined;
  let denied: string | undefined;
  for (const file of name === '' ? [] : candidates) {
    const reason = whyNotExecutable(file);
    if (reason === undefined) {
      return file;
    }

    if (reason === 'denied') {
      denied ??= file;
    }

    if (reason !== 'missing') {
      blocked ??= { file, reason: reason === 'denied' ? notExecutableForUs : reason };
    }
  }

  if (denied !== undefined && hasOtherRights()) {
    return denied; // What the app may do, exec says.
  }

  if (blocked === undefined) {
    throw notFound(name, path, from);
  }

  // Where PATH is a secret, so is the directory in which the program was found.
  throw notExecutable(path instanceof Secret ? { ...blocked, file: name } : blocked);
}

const notExecutableForUs = 'it is not executable for us';

/** `denied`: to us; another user may be allowed to run it. */
function whyNotExecutable(file: string): string | undefined {
  try {
    const status = statSync(file, { throwIfNoEntry: false });
    if (status === undefined) {
      return 'missing';
    }

    if (status.isDirectory()) {
      return 'it is a directory';
    }

    if (!status.isFile()) {
      return 'it is no regular file';
    }

    if ((status.mode & 0o111) === 0) {
      return notExecutableForUs;
    }

    accessSync(file, constants.X_OK);
    return undefined;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') {
      return 'missing';
    }

    return errno === 'EACCES' ? 'denied' : notExecutableForUs;
  }
}

function notFound(
  name: string,
  path: string | Secret | undefined,
  from: string | undefined,
): StartError {
  const place = name.includes('/')
    ? resolve(from ?? '', name)
    : `PATH=${path === undefined ? defaultPath : String(path)}`;
  return new StartError('E_NOT_FOUND', `Cannot run ${JSON.stringify(name)}: no such program`, {
    exitCode: exitStatus.notFound,
    remedy: { where: place, fix: fixFor(name) },
  });
}

// Of cli.ts, but for `run`.
/** What people write there that is no program. */
function fixFor(name: string): string {
  if (name === '--') {
    return 'Write -- once: ENTRYPOINT ["warp-init", "--"], and CMD is the command alone.';
  }

  if (name.startsWith('-')) {
    return 'Name the program before its options: what stands behind the image replaces all of CMD. Options of warp-init come before --.';
  }

  if (commandNames.includes(name)) {
    return `Leave out the -- before it for the command of warp-init: docker run --entrypoint warp-init IMAGE ${name}, or docker exec CONTAINER warp-init ${name}.`;
  }

  return /\s/.test(name)
    ? 'Write each word by itself, as in CMD ["node", "server.js"]: the blank is part of the name.'
    : 'Check CMD in the Dockerfile, and PATH in the resolved environment (see `warp-init debug`).';
}

function notExecutable({ file, reason }: { file: string; reason: string }): StartError {
  return new StartError('E_NOT_EXECUTABLE', `Cannot run ${JSON.stringify(file)}: ${reason}`, {
    exitCode: exitStatus.notExecutable,
    remedy: { where: file, fix: 'Name a program in CMD, or make the file executable (chmod +x).' },
  });
}
