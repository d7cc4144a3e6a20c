// Whether glibc gives all lines that a name has in /etc/hosts, or the first of each family alone: host.conf(5).
//
// Measured with 2.36: off where there is no such file, as in images without Debian's base-files. musl does not read it.

export const hostConfPath = '/etc/host.conf';

/** @param text - Of host.conf; empty if there is none. */
export function isMultiOn(text: string): boolean {
  const [last] = [...text.matchAll(/^[ \t]*multi[ \t]+(\w+)/gim)].slice(-1);
  return last?.[1]?.toLowerCase() === 'on';
}
