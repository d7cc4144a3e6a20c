// The libraries that Node's binary needs, and the binary changed so that it finds them beside itself and nowhere else.
//
// DT_RPATH and not DT_RUNPATH: it comes before LD_LIBRARY_PATH, and holds for the libraries' own needs as well (ld.so(8)).
// A start as `ld-linux --library-path … node` would need no change, but process.execPath would be the loader.
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

import { type Architecture, home, machines, runTool } from './overlay-machines.ts';

/** A package of Debian. Of each architecture there is one, below its own directories. */
export type DebianPackage = {
  readonly name: string;
  readonly version: string;
  readonly source: string;
};

export type Library = {
  /** As programs ask for it, e.g. `libc.so.6`. */
  readonly name: string;
  readonly path: string;
  readonly from: DebianPackage;
};

/** What Node 24 needs is in these; Node 26 needs libatomic1 as well. */
const packageNames = ['libc6', 'libgcc-s1', 'libstdc++6'];

/** Without its symbols, which are a tenth of the archive. In place. */
export function relocate(file: string, architecture: Architecture): void {
  const { triplet, loader } = machines[architecture];
  // First: strip breaks what patchelf has moved.
  runTool([`${triplet}-strip`, file], `apt-get install binutils-${triplet.replaceAll('_', '-')}`);
  const loaderPath = `/${home}/lib/${loader}`;
  const path = ['--set-rpath', '$ORIGIN/lib', '--force-rpath'];
  patchelf('--set-interpreter', loaderPath, ...path, file);
}

/** @returns those that `file` needs, and that they need, by their names. */
export function findLibraries(file: string, architecture: Architecture): Library[] {
  const offered = offeredLibraries(architecture);
  const found = new Map<string, Library>();
  const pending = neededBy(file);
  for (const name of pending) {
    const library = offered.get(name);
    if (library === undefined) {
      throw new Error(
        `Cannot build the overlay: ${name} is needed, and is in none of ${packageNames.join(', ')}.`,
      );
    }

    if (!found.has(name)) {
      found.set(name, library);
      pending.push(...neededBy(library.path));
    }
  }

  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const preloadList = '/etc/ld.so.preload\0';

/**
 * As it is, but for the loader, to which that list gets an empty name: what an image has in it was made for the image's
 * own C library, and one object for a newer one than ours would keep Node from starting.
 */
export function readLibrary({ name, path }: Library, architecture: Architecture): Buffer {
  const bytes = readFileSync(path);
  if (name === machines[architecture].loader) {
    const at = bytes.indexOf(preloadList);
    if (at === -1 || bytes.includes(preloadList, at + 1)) {
      throw new Error(`Cannot build the overlay: ${path} does not name /etc/ld.so.preload once.`);
    }

    bytes[at] = 0;
  }

  return bytes;
}

function neededBy(file: string): string[] {
  return patchelf('--print-needed', file)
    .trim()
    .split('\n')
    .filter((name) => name !== '');
}

function patchelf(...args: readonly string[]): string {
  return runTool(['patchelf', ...args], 'apt-get install patchelf');
}

function offeredLibraries(architecture: Architecture): Map<string, Library> {
  const { debian, triplet } = machines[architecture];
  const specifiers = packageNames.map((name) => `${name}:${debian}`);
  const install = `dpkg --add-architecture ${debian} && apt-get update && apt-get install ${specifiers.join(' ')}`;
  return new Map(
    packageNames.flatMap((name) => {
      const specifier = `${name}:${debian}`;
      const format = '--showformat=${Version} ${source:Package}=${source:Version}';
      const [version = '', source = ''] = runTool(
        ['dpkg-query', '--show', format, specifier],
        install,
      ).split(' ');
      const from = { name, version, source };
      return runTool(['dpkg-query', '--listfiles', specifier], install)
        .split('\n')
        .filter((path) => basename(dirname(path)) === triplet)
        .map((path): [string, Library] => [basename(path), { name: basename(path), path, from }]);
    }),
  );
}
