// The small languages inside the config and the options: hostnames, names of variables, users, fixed words.
import punycode from 'punycode/punycode.js';
import type { Parsed } from './suggest.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const logFormats = ['json', 'pretty'] as const;

/** RFC 1123, section 2.1, and the underscore that service names of Docker have. */
const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const longestHostname = 253;

/**
 * A custom hostname as /etc/hosts gets it: ASCII, lower-cased. White space, `#` and line breaks, which would
 * add names or lines, cannot get in; nor can a last label of digits, which would read as an address.
 */
export function parseHostname(text: string): Parsed<string> {
  const ascii = toAscii(text)?.toLowerCase() ?? '';
  const labels = ascii.split('.');
  const isHostname =
    ascii.length <= longestHostname &&
    labels.every((part) => label.test(part)) &&
    !/^\d+$/.test(labels.at(-1) ?? '');

  return isHostname
    ? { ok: true, value: ascii }
    : {
        ok: false,
        expected: `a hostname: letters, digits, "-" and "_", labels of at most 63 characters, ${longestHostname} in all, no address`,
      };
}

/** Any name that execve(2) can carry, whatever shells think of it. `WARP_INIT_*` never reaches the app. */
export function parseVariableName(text: string): Parsed<string> {
  return text === '' || /[=\0]/.test(text) || text.startsWith('WARP_INIT_')
    ? { ok: false, expected: 'the name of a variable: not empty, no "=" or NUL, not WARP_INIT_*' }
    : { ok: true, value: text };
}

/** A custom variable of a service: without white space, too. */
export function parseServiceVariable(text: string): Parsed<string> {
  return text === '' || /[=\0\s]/.test(text) || text.startsWith('WARP_INIT_')
    ? {
        ok: false,
        expected: 'the name of a variable: not empty, no "=", white space or NUL, not WARP_INIT_*',
      }
    : { ok: true, value: text };
}

/** The form of a user; inputs/accounts.ts looks it up. */
export function parseUser(text: string): Parsed<string> {
  return /^[^:\s\0]+(?::[^:\s\0]+)?$/.test(text)
    ? { ok: true, value: text }
    : { ok: false, expected: 'NAME, UID, NAME:GROUP or UID:GID' };
}

/** A path, an identifier: text that is there, and that C can read to its end. */
export function parseText(text: string): Parsed<string> {
  return text === '' || text.includes('\0')
    ? { ok: false, expected: 'text that is not empty, without NUL' }
    : { ok: true, value: text };
}

function toAscii(text: string): string | undefined {
  try {
    return punycode.toASCII(text.normalize('NFC').toLowerCase());
  } catch (error) {
    // Punycode has no more room for the code points of a label this long.
    if (error instanceof RangeError) {
      return undefined;
    }

    throw error;
  }
}
