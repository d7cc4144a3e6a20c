// The two machines that there are overlays for, and how programs of Debian for them are called.
import { spawnSync } from 'node:child_process';

export const architectures = ['x64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

/** Where all of an overlay lies, from the root of the image. */
export const home = 'opt/warp-init';

export const machines = {
  x64: { debian: 'amd64', triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { debian: 'arm64', triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
} as const satisfies Record<Architecture, Readonly<Record<string, string>>>;

/** Runs a program of the machine that builds. @returns what it has printed. */
export function runTool(command: readonly [string, ...string[]], install: string): string {
  const [file, ...args] = command;
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8' });
  if (status !== 0) {
    const reason = error === undefined ? stderr.trim() : `there is no ${file}`;
    throw new Error(`Cannot build the overlay: ${reason}. It needs: ${install}`, { cause: error });
  }

  return stdout;
}
