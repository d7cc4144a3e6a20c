// Reads nsswitch.conf, and finds out whether programs here read it at all.
import { existsSync, readFileSync } from 'node:fs';

import type { NsswitchFile } from '../core/nsswitch.ts';

export const nsswitchPath = '/etc/nsswitch.conf';

/** Never fails: what is wrong with the file is the verdict's business. */
export function readNsswitch(path: string): NsswitchFile & { readonly path: string } {
  return { path, text: readIfPossible(path), libc: findLibc('') };
}

/**
 * By the dynamic loaders that are there. Where both are, glibc counts: it is the one that can be misled.
 *
 * @param root - The directory that stands for `/`, as ''.
 */
export function findLibc(root: string): NsswitchFile['libc'] {
  if (glibcLoaders.some((loader) => existsSync(root + loader))) {
    return 'glibc';
  }

  return muslLoaders.some((loader) => existsSync(root + loader)) ? 'musl' : 'unknown';
}

const glibcLoaders = ['/lib64/ld-linux-x86-64.so.2', '/lib/ld-linux-aarch64.so.1'];
const muslLoaders = ['/lib/ld-musl-x86_64.so.1', '/lib/ld-musl-aarch64.so.1'];

function readIfPossible(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined; // glibc too goes on with its defaults where it cannot read the file.
  }
}
