// One line of a dotenv file that dotenv's own parser reads back exactly.
//
// Its grammar has no escape for a quote, so a value is put between quotes that it does not hold. Only double quotes
// know escapes, `\n` and `\r`, and expand them wherever they stand; raw CR becomes LF. Source: lib of dotenv 18.
import { isPlainWord, isWritable } from './debug-text.ts';

/** Undefined where a dotenv file can hold no such name or no such value. */
export function formatDotenvLine(name: string, value: string): string | undefined {
  const quoted = canHoldName(name) ? quote(value) : undefined;
  return quoted === undefined ? undefined : `${name}=${quoted}`;
}

/** The parser collects into a plain object, where `__proto__` is no key. */
function canHoldName(name: string): boolean {
  return /^[\w.-]+$/.test(name) && name !== '__proto__';
}

function quote(value: string): string | undefined {
  if (isPlainWord(value)) {
    return value;
  }

  if (!isWritable(value)) {
    return undefined;
  }

  return [
    inLiteralQuotes(value, "'"),
    inDoubleQuotes(value),
    inLiteralQuotes(value, '`'),
    bare(value),
  ].find((text) => text !== undefined);
}

/** A backslash at the end would take the closing quote with it. */
function inLiteralQuotes(value: string, mark: string): string | undefined {
  return value.includes(mark) || value.includes('\r') || value.endsWith('\\')
    ? undefined
    : mark + value + mark;
}

function inDoubleQuotes(value: string): string | undefined {
  return /"|\\[nr]/.test(value) || value.endsWith('\\')
    ? undefined
    : `"${value.replaceAll('\r', String.raw`\r`)}"`;
}

/** The way for a value that has every kind of quotes, or a backslash at its end. */
function bare(value: string): string | undefined {
  return /[#\r\n\u2028\u2029]|^['"`]/.test(value) || value.trim() !== value ? undefined : value;
}
