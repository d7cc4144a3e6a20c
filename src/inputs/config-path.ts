// Where warp.config.js is: one look at the file system, so that a start without one loads nothing more.
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { StartError, exitStatus } from '../errors.ts';

export type ConfigPlace = {
  /** `--config`, relative to `directory`. Undefined: the default names are tried, and none of them is fine. */
  readonly path: string | undefined;
  readonly directory: string;
};

const defaultNames = ['warp.config.js', 'warp.config.cjs', 'warp.config.mjs'];

/**
 * @returns An absolute path; undefined where there is no config file and none was asked for.
 * @throws {StartError} E_CONFIG: the one that was asked for is not there.
 */
export function findConfigFile({ path, directory }: ConfigPlace): string | undefined {
  if (path === undefined) {
    const candidates = defaultNames.map((name) => resolve(directory, name));
    return candidates.find((candidate) => statOf(candidate)?.isFile());
  }

  const file = resolve(directory, path);
  const status = statOf(file);

  // A pipe (`--config <(...)`) is neither: it can be read once, by a module loader that may read twice.
  if (!status?.isFile()) {
    const reason = status === undefined ? 'there is no such file' : 'it is not a regular file';
    throw new StartError('E_CONFIG', `Cannot read the config ${file}: ${reason}`, {
      exitCode: exitStatus.config,
      remedy: { where: file, fix: 'Correct --config (WARP_INIT_CONFIG), or leave it out.' },
    });
  }

  return file;
}

function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // ENOTDIR, EACCES on a directory above, ELOOP: for us there is no such file either.
    return undefined;
  }
}
