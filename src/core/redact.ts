// Text of others without the secrets in it: the output of a command may say what its environment holds.
import { Secret } from './secret.ts';

/** Shorter ones are found in everything, and would say where by their holes. */
const shortestPart = 6;

export type Redaction = {
  /** `[secret]` in the place of each value; of a value of several lines, of each of them. */
  readonly redact: (line: string) => string;
  /** Of what is looked for: a line that was cut may end with less of it than can be found. */
  readonly longestPart: number;
};

export function createRedaction(values: Iterable<string | Secret>): Redaction {
  const parts = [...values]
    .flatMap((value) => (value instanceof Secret ? value.reveal().split(/\r?\n/) : []))
    .filter((part) => part.length >= shortestPart)
    // A long one may contain a short one.
    .toSorted((a, b) => b.length - a.length);
  return {
    redact: (line) => parts.reduce((text, part) => text.replaceAll(part, '[secret]'), line),
    longestPart: parts[0]?.length ?? 0,
  };
}
