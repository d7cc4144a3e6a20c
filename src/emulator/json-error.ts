// Where a text stops being JSON (RFC 8259), without quoting it: a platform file holds secrets.

type Expectation = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end';

const plain = String.raw`[ !#-\[\]-\u{10ffff}]*`;
const escaped = String.raw`\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})`;
const number = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+\-]?\d+)?(?![\w.])`;
const tokens = [
  String.raw`([{}\[\]:,])`,
  `("${plain}(?:${escaped}${plain})*")`,
  number,
  String.raw`(?:true|false|null)(?!\w)`,
];
const token = new RegExp(String.raw`[ \t\n\r]*(?:${tokens.join('|')})`, 'uy');

const meaning = {
  value: 'a value',
  'value or end': 'a value or ]',
  key: 'a key in double quotes',
  'key or end': 'a key in double quotes or }',
  colon: 'a colon',
  'comma or end': 'a comma or the closing bracket',
} as const satisfies Record<Expectation, string>;

/** One line: where the first error of `text` is, and what could stand there. `text` is not JSON. */
export function findJsonError(text: string): string {
  const open: string[] = [];
  let expected: Expectation | undefined = 'value';
  let offset = 0;
  while (expected !== undefined) {
    token.lastIndex = offset;
    const match = token.exec(text);
    const next: Expectation | 'end' | undefined = match ? step(open, expected, match) : undefined;
    if (next === undefined) return describePlace(text, offset, meaning[expected]);
    offset = token.lastIndex;
    expected = next === 'end' ? undefined : next;
  }
  return describePlace(text, offset, 'nothing more');
}

/** What may follow the token, `end` after the whole value; undefined where the token may not stand here. */
function step(
  open: string[],
  expected: Expectation,
  match: RegExpExecArray,
): Expectation | 'end' | undefined {
  const [, mark, text] = match;
  if (expected === 'colon') return mark === ':' ? 'value' : undefined;
  if (expected === 'comma or end' && mark === ',') return open.at(-1) === '{' ? 'key' : 'value';
  if (mark === '}' || mark === ']') return close(open, expected, mark);
  if (expected === 'comma or end') return undefined;
  if (expected === 'key' || expected === 'key or end')
    return text === undefined ? undefined : 'colon';
  if (mark === undefined) return afterValue(open);
  if (mark !== '{' && mark !== '[') return undefined;
  open.push(mark);
  return mark === '{' ? 'key or end' : 'value or end';
}

function close(
  open: string[],
  expected: Expectation,
  mark: '}' | ']',
): Expectation | 'end' | undefined {
  if (expected === 'key' || expected === 'value') return undefined;
  if (open.at(-1) !== (mark === '}' ? '{' : '[')) return undefined;
  open.pop();
  return afterValue(open);
}

function afterValue(open: readonly string[]): Expectation | 'end' {
  return open.length === 0 ? 'end' : 'comma or end';
}

function describePlace(text: string, from: number, expected: string): string {
  const offset = from + (/^[ \t\n\r]*/.exec(text.slice(from))?.[0].length ?? 0);
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const column = offset - before.lastIndexOf('\n');
  const what = offset >= text.length ? 'the end of the file' : 'something else';
  return `line ${line}, column ${column}: expected ${expected}, received ${what} (not JSON)`;
}
