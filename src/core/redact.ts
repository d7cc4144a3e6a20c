// Text of others without the secrets in it: the output of a command may say what its environment and its files hold.
import type { Secret } from './secret.ts';

/** Shorter ones are found in everything, and would say where by their holes. */
const shortestPart = 6;

export type Redaction = {
  /** `[secret]` in the place of each value; of a value of several lines, of each of them. */
  readonly redact: (line: string) => string;
  /** Of what is looked for: a line that was cut may end with less of it than can be found. */
  readonly longestPart: number;
};

export function createRedaction(secrets: Iterable<Secret>): Redaction {
  const index = indexParts(secrets);
  return {
    redact: (line) => redactLine(line, index),
    longestPart: [...index.values()].reduce(
      (longest, [first = '']) => Math.max(longest, first.length),
      0,
    ),
  };
}

/** By how they begin: a file may have a hundred thousand lines. The longest first, which may contain others. */
type Index = ReadonlyMap<string, readonly string[]>;

function indexParts(secrets: Iterable<Secret>): Index {
  const index = new Map<string, Set<string>>();
  for (const secret of secrets) {
    for (const line of secret.reveal().split(/[\r\n]/)) {
      const trimmed = line.trim();
      // Whoever prints it may indent it in another way.
      const part = trimmed.length < shortestPart && trimmed !== '' ? line : trimmed;
      const start = part.slice(0, shortestPart);
      if (start.length === shortestPart) {
        index.set(start, (index.get(start) ?? new Set()).add(part));
      }
    }
  }

  return new Map(
    [...index].map(([start, parts]) => [start, [...parts].toSorted((a, b) => b.length - a.length)]),
  );
}

/** Where two overlap, both are gone. */
function redactLine(line: string, index: Index): string {
  let shown = '';
  let end = 0;
  for (let at = 0; at + shortestPart <= line.length; at += 1) {
    const part = index
      .get(line.slice(at, at + shortestPart))
      ?.find((each) => line.startsWith(each, at));
    if (part !== undefined) {
      shown += at < end ? '' : `${line.slice(end, at)}[secret]`;
      end = Math.max(end, at + part.length);
    }
  }

  return shown + line.slice(end);
}
