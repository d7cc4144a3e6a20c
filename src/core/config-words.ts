// The small languages inside the config and the options: hostnames, names of variables, users, fixed words.
import punycode from 'punycode/punycode.js';
import { parseSignal, signalName } from './signals.ts';
import { suggestion } from './suggest.ts';
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

/** A directory: from the root, so that it does not depend on where init was started. */
export function parseAbsolutePath(text: string): Parsed<string> {
  return isAbsolutePath(text)
    ? { ok: true, value: normalPath(text) }
    : { ok: false, expected: 'an absolute path without ".." or NUL' };
}

/** What init puts there itself: the root is none. */
export function parseFilePath(text: string): Parsed<string> {
  return isAbsolutePath(text) && normalPath(text) !== '/'
    ? { ok: true, value: normalPath(text) }
    : { ok: false, expected: 'an absolute path below /, without ".." or NUL' };
}

/** Without empty and `.` segments: paths of the same file look the same, links aside. */
export function normalPath(path: string): string {
  return `/${path
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/')}`;
}

/** Where 0o400 was meant: as octal digits these would let the group or the world in. */
const likelyDecimal: ReadonlySet<number> = new Set([400, 440, 444, 500]);
const allPermissions = 0o777;

/** Octal text, `"0400"`, or a number, `0o400`. Set-user-ID, set-group-ID and sticky bits are none of it. */
export function parseMode(value: string | number): Parsed<number> {
  const isOctal = typeof value === 'number' || /^(?:0o?)?[0-7]{3}$/.test(value);
  const bits = typeof value === 'number' ? value : Number.parseInt(value.replace('o', ''), 8);
  const isRight =
    isOctal &&
    Number.isInteger(bits) &&
    bits >= 0 &&
    bits <= allPermissions &&
    !(typeof value === 'number' && likelyDecimal.has(value));

  return isRight
    ? { ok: true, value: bits }
    : {
        ok: false,
        expected: 'permission bits from "0000" to "0777", in octal digits',
        ...suggestion(/^0?[0-7]{3}$/.test(String(value)) ? `"0${String(value)}"` : undefined),
      };
}

/** The highest id but the one that means "none" (chown(2)). */
const highestId = 2 ** 32 - 2;

/** A user or a group, by name or id. */
export function parseAccount(value: string | number): Parsed<string> {
  const isAccount =
    typeof value === 'number' ? Number.isInteger(value) && value >= 0 : /^[^:\s\0]+$/.test(value);
  const isInRange = !/^\d+$/.test(String(value)) || Number(value) <= highestId;
  return isAccount && isInRange
    ? { ok: true, value: String(value) }
    : { ok: false, expected: `a name, or an id from 0 to ${highestId}` };
}

/** A signal that an app can handle. */
export function parseCatchableSignal(text: string): Parsed<number> {
  const signal = parseSignal(text);
  return signal.ok && ['SIGKILL', 'SIGSTOP'].includes(signalName(signal.value))
    ? { ok: false, expected: 'a signal that can be caught, such as SIGHUP' }
    : signal;
}

function isAbsolutePath(text: string): boolean {
  return text.startsWith('/') && !text.includes('\0') && !text.split('/').includes('..');
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
