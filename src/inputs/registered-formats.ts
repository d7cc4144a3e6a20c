// Whether binfmt_misc has a format for a file: an administrator's word goes before the kernel's own formats.
//
// Source: fs/binfmt_misc.c. Most containers do not see what their host has registered, and its kernel acts on it all the same.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { matchesBinfmt } from '../core/binfmt.ts';
import { readProgramHead } from './program-file.ts';
import { readOr } from './read-or.ts';

export type Registration = 'registered' | 'not-registered' | 'unknown';

const directory = '/proc/sys/fs/binfmt_misc';

export function registrationOf(file: string, head: Uint8Array): Registration {
  const entries = readEntries();
  if (entries === undefined) {
    return mayKernelHaveFormats() ? 'unknown' : 'not-registered';
  }

  if (entries.some((entry) => matchesBinfmt(entry, file, head))) {
    return 'registered';
  }

  return isEmulated(entries) ? 'unknown' : 'not-registered';
}

/** Undefined: they cannot be seen. */
function readEntries(): readonly string[] | undefined {
  return readOr(() => {
    const names = readdirSync(directory).filter((name) => name !== 'register' && name !== 'status');
    return read('status').startsWith('enabled') ? names.map(read) : [];
  });
}

function read(name: string): string {
  return readFileSync(join(directory, name), 'latin1');
}

function mayKernelHaveFormats(): boolean {
  const known = readOr(() => readFileSync('/proc/filesystems', 'latin1'));
  return known === undefined || known === '' || /^nodev\s+binfmt_misc$/m.test(known);
}

/** Whether we are ourselves of a registered format, and so the kernel's own is another one than it seems. */
function isEmulated(entries: readonly string[]): boolean {
  const own = readProgramHead('/proc/self/exe');
  return own === undefined || entries.some((entry) => matchesBinfmt(entry, process.execPath, own));
}
