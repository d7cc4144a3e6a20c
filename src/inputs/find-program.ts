// The program of the app, found as execvp(3) finds it, before anything is changed.
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';

import { Secret } from '../core/secret.ts';
import { StartError, errnoOf, exitStatus } from '../errors.ts';

// Of execvp(3) where there is no PATH; musl and glibc differ, so this is the one of Docker.
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The path of the program `name`.
 *
 * @param path - `PATH` of the app's environment.
 * @throws {StartError} E_NOT_FOUND (127) or E_NOT_EXECUTABLE (126).
 */
export function findProgram(name: string, path: string | Secret | undefined): string {
  const directories = path instanceof Secret ? path.reveal() : (path ?? defaultPath);
  const candidates = name.includes('/')
    ? [name]
    : directories.split(':').map((directory) => (directory === '' ? name : `${directory}/${name}`));
  let blocked: { file: string; reason: string } | undefined;
  for (const file of name === '' ? [] : candidates) {
    const reason = whyNotExecutable(file);
    if (reason === undefined) {
      return file;
    }

    if (reason !== 'missing') {
      blocked ??= { file, reason };
    }
  }

  if (blocked === undefined) {
    throw notFound(name, path);
  }

  // Where PATH is a secret, so is the directory in which the program was found.
  throw notExecutable(path instanceof Secret ? { ...blocked, file: name } : blocked);
}

function whyNotExecutable(file: string): string | undefined {
  try {
    const status = statSync(file);
    if (status.isDirectory()) {
      return 'it is a directory';
    }

    accessSync(file, constants.X_OK);
    return undefined;
  } catch (error) {
    const errno = errnoOf(error);
    return errno === 'ENOENT' || errno === 'ENOTDIR' ? 'missing' : 'it is not executable for us';
  }
}

function notFound(name: string, path: string | Secret | undefined): StartError {
  const place = name.includes('/')
    ? resolve(name)
    : `PATH=${path === undefined ? defaultPath : String(path)}`;
  return new StartError('E_NOT_FOUND', `Cannot run ${JSON.stringify(name)}: no such program`, {
    exitCode: exitStatus.notFound,
    remedy: {
      where: place,
      fix: 'Check CMD in the Dockerfile, and PATH in the resolved environment (see `warp-init debug`).',
    },
  });
}

function notExecutable({ file, reason }: { file: string; reason: string }): StartError {
  return new StartError('E_NOT_EXECUTABLE', `Cannot run ${JSON.stringify(file)}: ${reason}`, {
    exitCode: exitStatus.notExecutable,
    remedy: { where: file, fix: 'Name a program in CMD, or make the file executable (chmod +x).' },
  });
}
