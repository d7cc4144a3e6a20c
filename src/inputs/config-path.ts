// Where warp.config.js is: one look at the file system, so that a start without one loads nothing more.
import { accessSync, constants, lstatSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { resolve } from 'node:path';
import type { Warning } from '../core/warning.ts';
import { StartError, errnoOf, exitStatus } from '../errors.ts';

export type ConfigPlace = {
  /** `--config`, relative to `directory`. Undefined: the default names are tried, and none of them is fine. */
  readonly path: string | undefined;
  readonly directory: string;
};

const defaultNames = ['warp.config.js', 'warp.config.cjs', 'warp.config.mjs'];

/**
 * @returns An absolute path; undefined where there is no config file and none was asked for.
 * @throws {StartError} E_CONFIG: the one that was asked for is not there, or something of its name is no file.
 */
export function findConfigFile({ path, directory }: ConfigPlace): string | undefined {
  if (path === undefined) {
    return findDefault(directory);
  }

  const file = resolve(directory, path);
  const status = statOf(file);

  // A pipe (`--config <(...)`) is neither: it can be read once, by a module loader that may read twice.
  if (!status?.isFile()) {
    const reason = status === undefined ? 'there is no such file' : notRegular;
    throw unreadable(file, reason, 'Correct --config (WARP_INIT_CONFIG), or leave it out.');
  }

  return file;
}

/** The first that is there. What is there and no file was meant to be one: without it the app would lack its config. */
function findDefault(directory: string): string | undefined {
  for (const name of defaultNames) {
    const file = resolve(directory, name);
    const status = statOf(file);
    if (status?.isFile()) {
      return file;
    }

    if (status !== undefined || isLink(file)) {
      throw unreadable(
        file,
        status === undefined ? 'it is a symbolic link that leads to no file' : notRegular,
        'Put the file there, or remove what is there. Docker makes a directory where the source of a mount is missing.',
      );
    }
  }

  return undefined;
}

const notRegular = 'it is not a regular file';

function unreadable(file: string, reason: string, fix: string): StartError {
  return new StartError('E_CONFIG', `Cannot read the config ${file}: ${reason}`, {
    exitCode: exitStatus.config,
    remedy: { where: file, fix },
  });
}

const unreadNames = ['ts', 'mts', 'cts', 'json'].map((ending) => `warp.config.${ending}`);

/** One where {@link findConfigFile} finds none, and there is something that somebody takes for a config. */
export function findUnreadConfig(place: ConfigPlace): readonly Warning[] {
  return findConfigFile(place) === undefined ? warningsOf(place.directory) : [];
}

function warningsOf(directory: string): readonly Warning[] {
  if (!maySearch(directory)) {
    return [
      {
        code: 'W_CONFIG_NOT_READ',
        message: `Whether there is a config in ${directory} is not known: this user may not look into it (EACCES).`,
        where: directory,
        fix: 'Open the directory to the user who starts warp-init (chmod a+rx, COPY --chown), or start it as root and the app with --user.',
      },
    ];
  }

  const path = unreadNames
    .map((name) => resolve(directory, name))
    .find((candidate) => statOf(candidate) !== undefined);
  return path === undefined
    ? []
    : [
        {
          code: 'W_CONFIG_NOT_READ',
          message: `${path} is not read: without --config only warp.config.js, .cjs and .mjs are.`,
          where: path,
          fix: 'Name it in WARP_INIT_CONFIG (TypeScript needs Node 22.18 or newer), or make a warp.config.js of it.',
        },
      ];
}

function maySearch(directory: string): boolean {
  try {
    accessSync(directory, constants.X_OK);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'EACCES';
  }
}

function isLink(path: string): boolean {
  return statOf(path, lstatSync)?.isSymbolicLink() === true;
}

function statOf(
  path: string,
  stat: (path: string, options: typeof mayBeMissing) => Stats | undefined = statSync,
) {
  try {
    return stat(path, mayBeMissing);
  } catch {
    // ENOTDIR, EACCES on a directory above, ELOOP: for us there is no such file either.
    return undefined;
  }
}

const mayBeMissing = { throwIfNoEntry: false } as const;
