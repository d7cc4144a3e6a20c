// The schemas of what init writes for the app: files of secrets, certificates, the env file, the state directory.
//
// Whether two of them are in each other's way is looked at in core/config-paths.ts.
import * as v from 'valibot';
import { closed, flag, oneOrMany, parsed, parsedNumber, word } from './config-schema-parts.ts';
import { parseAccount, parseFilePath, parseMode, parseText } from './config-words.ts';

export function secretFiles() {
  return oneOrMany(
    closed({
      secret: parsed(parseText),
      path: filePath(),
      decode: v.optional(word(['base64'])),
      unpack: v.optional(word(['tar'])),
      allowEmpty: v.optional(flag()),
      ...owner(),
    }),
  );
}

export function certificateFiles() {
  return closed({ directory: filePath(), ...owner() });
}

/** `true`: the env file has its place in the state directory. */
export function envFile() {
  const path = filePath();
  const words = `true, false or ${pathWords()}`;
  return v.lazy((input) => (typeof input === 'string' ? path : v.boolean(words)));
}

export function filePath() {
  return parsed(parseFilePath);
}

function owner() {
  return {
    mode: v.optional(parsedNumber(parseMode)),
    user: v.optional(parsedNumber(parseAccount)),
    group: v.optional(parsedNumber(parseAccount)),
  };
}

function pathWords(): string {
  const refusal = parseFilePath('');
  return refusal.ok ? 'a path' : refusal.expected;
}
