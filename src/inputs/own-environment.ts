// The environment that we were started with.
//
// pid1 hides NODE_OPTIONS, LD_PRELOAD and the like from our own Node by making the first letter of their names
// unreadable, and has it load an object of its own (src/pid1/brain.c, not-dumpable.c); a config function that reads
// process.env, and `debug`, must find what the image says nevertheless.
import { readlinkSync } from 'node:fs';

/** `PRELOAD_FD` and `PRELOADED_FD` of src/pid1/frames.h. */
const preloadFd = 5;
const preloadedFd = 6;
const preload = `/proc/self/fd/${preloadFd}`;

/** What is left of a name to its first letter. */
const hidden = { '\u0001ODE_': 'N', '\u0001D_': 'L', '\u0001PENSSL_': 'O' } as const;

/** Gives the hidden variables their names back. Once is enough, but has to be before anything else reads them. */
export function restoreHiddenVariables(environment: Record<string, string | undefined>): void {
  if (environment['LD_PRELOAD'] === preload) {
    delete environment['LD_PRELOAD'];
  }

  for (const [name, value] of Object.entries(environment)) {
    for (const [start, letter] of Object.entries(hidden)) {
      if (name.startsWith(start)) {
        environment[letter + name.slice(1)] = value;
        delete environment[name];
      }
    }
  }
}

/** Whether our memory is closed to other processes of our user. The object of pid1 leaves a descriptor where it was at work. */
export function isMemoryClosed(): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${preloadedFd}`).startsWith('/memfd:warp-init-preload');
  } catch {
    return false; // ENOENT: it could not be had.
  }
}

/** What a Node that we start has to get so that its memory is as closed as ours: variables, and descriptors from 4 on. */
export function closedMemory(): {
  readonly env: Readonly<Record<string, string>>;
  readonly stdio: readonly ('ignore' | number)[];
} {
  return isMemoryClosed()
    ? { env: { LD_PRELOAD: preload }, stdio: ['ignore', preloadedFd] }
    : { env: {}, stdio: [] };
}

/** As pid1 does it, for a Node of ours: what is hidden acts on nobody. */
export function hideVariables(variables: ReadonlyMap<string, string>): Record<string, string> {
  const starts = Object.entries(hidden).map(([start, letter]) => letter + start.slice(1));
  return Object.fromEntries(
    [...variables].map(([name, value]) => [
      starts.some((start) => name.startsWith(start)) ? `\u0001${name.slice(1)}` : name,
      value,
    ]),
  );
}

/** `NAME=value` as pid1 got it. The first of several wins, as for getenv(3). */
export function parseEnvironment(strings: readonly string[]): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const string of strings) {
    const end = string.indexOf('=', 1);
    const name = end === -1 ? string : string.slice(0, end);
    if (end !== -1 && !variables.has(name)) {
      variables.set(name, string.slice(end + 1));
    }
  }

  return variables;
}
