// Text of others without the secrets in it: the output of a command may say what its environment and its files hold.
//
// A file may have a hundred thousand lines that begin alike. So all parts are sorted, and a position of the output costs
// one binary search and the steps from a part to those that it begins with: none has to be left out, however many there
// are.
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
    longestPart: index.longestPart,
  };
}

type Index = {
  /** How parts begin: most positions of a line are no start of any. */
  readonly starts: ReadonlySet<string>;
  /** In the order of their UTF-16 code units. */
  readonly parts: readonly Part[];
  readonly longestPart: number;
};

type Part = {
  readonly text: string;
  /** The longest of the others that this one begins with. */
  readonly within: Part | undefined;
};

function indexParts(secrets: Iterable<Secret>): Index {
  const texts = new Set<string>();
  for (const secret of secrets) {
    for (const line of secret.reveal().split(/[\r\n]/)) {
      const trimmed = line.trim();
      // Whoever prints it may indent it in another way.
      const part = trimmed.length < shortestPart && trimmed !== '' ? line : trimmed;
      if (part.length >= shortestPart) {
        // In a text of JSON a quote, a backslash or a tab looks different (RFC 8259 section 7).
        texts.add(part).add(JSON.stringify(part).slice(1, -1));
      }
    }
  }

  const parts = nest([...texts].toSorted());
  return {
    starts: new Set(parts.map(({ text }) => text.slice(0, shortestPart))),
    parts,
    longestPart: parts.reduce((longest, { text }) => Math.max(longest, text.length), 0),
  };
}

/** Whatever a text begins with is sorted before it, and what is between begins with it, too. */
function nest(sorted: readonly string[]): readonly Part[] {
  let last: Part | undefined;
  return sorted.map((text) => {
    let within = last;
    while (within !== undefined && !text.startsWith(within.text)) {
      within = within.within;
    }

    last = { text, within };
    return last;
  });
}

/** Where two overlap, both are gone. */
function redactLine(line: string, index: Index): string {
  let shown = '';
  let end = 0;
  for (let at = 0; at + shortestPart <= line.length; at += 1) {
    const part = index.starts.has(line.slice(at, at + shortestPart))
      ? findPart(line.slice(at, at + index.longestPart), index)
      : undefined;
    if (part !== undefined) {
      shown += at < end ? '' : `${line.slice(end, at)}[secret]`;
      end = Math.max(end, at + part.text.length);
    }
  }

  return shown + line.slice(end);
}

/**
 * The longest part that `rest` begins with; it may begin with several. It is the last one that is not sorted after
 * `rest`, or one that this begins with.
 */
function findPart(rest: string, { parts }: Index): Part | undefined {
  let from = 0;
  let to = parts.length;
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if ((parts[middle]?.text ?? '') <= rest) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }

  let part = parts[from - 1];
  const length = commonLength(part?.text ?? '', rest);
  while (part !== undefined && part.text.length > length) {
    part = part.within;
  }

  return part;
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) {
    length += 1;
  }

  return length;
}
