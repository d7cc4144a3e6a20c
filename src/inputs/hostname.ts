// The name of this machine, from the kernel: node:os takes its time to load.
import { readFileSync } from 'node:fs';

/** Empty where /proc does not tell. */
export function readHostname(): string {
  try {
    return readFileSync('/proc/sys/kernel/hostname', 'utf8').trim();
  } catch {
    return ''; // Then our own instance is not known by it.
  }
}
