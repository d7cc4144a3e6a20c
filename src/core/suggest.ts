// The nearest known word to one that nobody knows, for messages.
//
// Distance: optimal string alignment, i.e. Levenshtein where two neighbours that changed places cost one.

/** A value, or what was expected in its place. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly expected: string; readonly suggestion?: string };

/** The known word that `word` most likely means; the first of several as near. Case, `-` and `_` do not count. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const wanted = simplify(word);
  let best: string | undefined;
  // A third of the word may be wrong: more than that is another word.
  let limit = Math.floor(wanted.length / 3) + 1;

  for (const candidate of known) {
    const simple = simplify(candidate);
    const distance =
      Math.abs(simple.length - wanted.length) < limit ? editDistance(wanted, simple) : limit;

    if (distance < limit && distance < simple.length) {
      best = candidate;
      limit = distance;
    }
  }

  return best;
}

/** The refusal of `word` where only the words of `known` are right. */
export function refuseWord(word: string, known: readonly string[]): Parsed<never> {
  return { ok: false, expected: oneOf(known), ...suggestion(nearest(word, known)) };
}

/** `{suggestion}` where there is one: an optional property that is absent, not undefined. */
export function suggestion(word: string | undefined): { readonly suggestion?: string } {
  return word === undefined ? {} : { suggestion: word };
}

export function oneOf(words: readonly string[]): string {
  return `one of ${words.join(', ')}`;
}

function simplify(word: string): string {
  return word.toLowerCase().replaceAll(/[-_]/g, '');
}

function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);

  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];

    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const hasSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const cost = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
        row > 1 && column > 1 && hasSwapped ? at(beforeLast, column - 2) + 1 : Infinity,
      );
      current.push(cost);
    }

    beforeLast = last;
    last = current;
  }

  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
