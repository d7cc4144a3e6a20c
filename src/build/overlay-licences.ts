// /opt/warp-init/licenses: whose code an overlay carries, on what terms, and where its sources are. Those of the GNU libraries
// ask for all three.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { OverlayEntry } from './overlay-archive.ts';
import type { DebianPackage, Library } from './overlay-libraries.ts';
import { type Architecture, home, machines } from './overlay-machines.ts';

export type Contents = {
  readonly architecture: Architecture;
  readonly nodeVersion: string;
  readonly nodeLicence: Uint8Array;
  readonly libraries: readonly Library[];
};

/** @param root - Of the repository, built. */
export function licenceFiles(root: string, contents: Contents): OverlayEntry[] {
  const packages = packagesOf(contents.libraries);
  const texts: [string, Uint8Array][] = [
    ['README', Buffer.from(formatOverview(contents, packages))],
    ['warp-init', readFileSync(join(root, 'LICENSE'))],
    ['THIRD-PARTY-LICENSES', readFileSync(join(root, 'dist', 'THIRD-PARTY-LICENSES'))],
    ['node', contents.nodeLicence],
    ...packages.map(({ name }): [string, Uint8Array] => [
      name,
      readFileSync(`/usr/share/doc/${name}/copyright`),
    ]),
    // Debian's texts name these by their paths.
    ...['GPL-3', 'LGPL-2.1'].map((name): [string, Uint8Array] => [
      name,
      readFileSync(`/usr/share/common-licenses/${name}`),
    ]),
  ];
  const directory = `${home}/licenses`;
  return [
    { kind: 'directory', path: directory },
    ...texts.map(([name, content]): OverlayEntry => {
      return { kind: 'file', path: `${directory}/${name}`, mode: 0o644, content };
    }),
  ];
}

function changeOf(loader: string): string {
  return `unchanged but for one byte:
    ${loader} has an empty name in the place of /etc/ld.so.preload`;
}

function packagesOf(libraries: readonly Library[]): DebianPackage[] {
  return [...new Map(libraries.map(({ from }) => [from.name, from])).values()];
}

function formatOverview(
  { architecture, nodeVersion, libraries }: Contents,
  packages: readonly DebianPackage[],
): string {
  const { debian, loader } = machines[architecture];
  const parts = packages.map(({ name, version, source }) => {
    const files = libraries.filter(({ from }) => from.name === name).map((it) => it.name);
    return `lib: ${files.join(', ')}
    Debian's package ${name} ${version} (${debian}), ${files.includes(loader) ? changeOf(loader) : 'unchanged'}.
    Terms: ${name}, LGPL-2.1, GPL-3. Source: apt-get source ${source}, or https://snapshot.debian.org/package/${source.replace('=', '/')}/
`;
  });
  return `What is in /${home}, and on what terms. The terms are in files beside this one.

warp-init, warp-init.cjs
    Of warp-init and, as the second says, of others. Terms: warp-init, THIRD-PARTY-LICENSES.

node
    Node.js ${nodeVersion}, of the npm package node-linux-${architecture}. Changed: its symbols are removed (strip), and its
    loader and libraries are those in lib (patchelf). Terms: node. Source: https://nodejs.org/dist/v${nodeVersion}/

${parts.join('\n')}
The libraries may be replaced by others of the same interface: put them into lib.
`;
}
