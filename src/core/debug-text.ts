// Text of others (service names, values) on one line of ours, for a terminal, a comment or a shell.
//
// A name can hold anything: line breaks would add lines, escape sequences would act on the terminal, and marks of
// direction would show something else than what is there.

/** What ends a line, acts on a terminal, is invisible, or is half a character. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Needs no quotes, neither for a reader nor in a shell. */
const plainWord = /^[\w.:@%+,/-]+$/;

const plainText = /^[^\p{C}\p{Z}"'\\,]+$/u;

/** As it is, if nobody can misread that; else as a JSON string of visible characters. */
export function display(text: string): string {
  return plainText.test(text) ? text : onOneLine(JSON.stringify(text));
}

/**
 * One word of a shell that does nothing, on one line. For comments: a shell that was told not to know comments
 * (interactive zsh, `shopt -u interactive_comments`) reads them as commands.
 */
export function inertWord(text: string): string {
  return plainWord.test(text) ? text : shellQuote(onOneLine(text));
}

/** Text of ours that has text of others in it. */
export function onOneLine(text: string): string {
  return text.replaceAll(unprintable, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => String.raw`\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

/** A bare word of a shell and of a dotenv file alike. */
export function isPlainWord(text: string): boolean {
  return plainWord.test(text);
}

/** POSIX.1-2024, 2.2.2: between single quotes every character stands for itself. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** False for half a surrogate pair, which has no bytes in UTF-8, and for NUL, which no variable holds. */
export function isWritable(text: string): boolean {
  return !/[\0\p{Cs}]/u.test(text);
}

/** A label, and what belongs to it. */
export type Row = {
  readonly label: string;
  readonly items: readonly string[];
  /** @default ", " */
  readonly separator?: string;
};

/** Items start in one column, unless a label is too long for it; what a line does not hold goes on below. */
export function formatRows(rows: readonly Row[]): string {
  const longest = Math.max(...rows.map(({ label }) => label.length));
  const start = margin.length + Math.min(longest, longestLabel) + margin.length;

  return rows
    .map(({ label, items, separator = ', ' }) => {
      const head = margin + label;
      const gap =
        head.length + margin.length > start
          ? `\n${' '.repeat(start)}`
          : ' '.repeat(start - head.length);
      return items.length === 0 ? head : head + gap + wrapItems(items, separator, start);
    })
    .map((line) => `${line}\n`)
    .join('');
}

const columns = 80;
const longestLabel = 30;
const margin = '  ';

/** None is ever cut. */
function wrapItems(items: readonly string[], separator: string, indent: number): string {
  const lines: string[] = [];
  for (const [index, item] of items.entries()) {
    const piece = index === items.length - 1 ? item : item + separator;
    const last = lines.at(-1);
    if (last !== undefined && indent + (last + piece).trimEnd().length <= columns) {
      lines[lines.length - 1] = last + piece;
    } else {
      lines.push(piece);
    }
  }

  return lines.map((line) => line.trimEnd()).join(`\n${' '.repeat(indent)}`);
}
