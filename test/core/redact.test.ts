import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createRedaction } from '../../src/core/redact.ts';
import { Secret } from '../../src/core/secret.ts';

const values = [
  new Secret('correct horse'),
  new Secret('xxcorrect horsexx'),
  new Secret('AAAAAAAA\r\nBBBBBBBB\n'),
  new Secret('12345'),
  new Secret('$1 or $&'),
  new Secret('  "indented": true,\n'),
  new Secret('first secret'),
  new Secret('secret second'),
  new Secret(String.raw`p"ss\word-xyz`),
  new Secret('tab\there'),
];

describe('a line is shown', () => {
  test.each([
    [
      'without a secret, wherever it stands',
      'a=correct horse,correct horse',
      'a=[secret],[secret]',
    ],
    ['without any line of a secret that has several', 'key: BBBBBBBB', 'key: [secret]'],
    ['without the longer one where one secret holds another', 'xxcorrect horsexx', '[secret]'],
    ['without a secret that looks like a pattern', '$1 or $&', '[secret]'],
    [
      'with plain values and what merely resembles a secret',
      'verbose, correct',
      'verbose, correct',
    ],
    ['without a line of one, however it is indented', '"indented": true,', '[secret]'],
    ['without both of two that overlap', 'a first secret second b', 'a [secret] b'],
    ['without each of two that follow each other', 'AAAAAAAABBBBBBBB', '[secret][secret]'],
    [
      'without a secret that JSON has escaped',
      JSON.stringify({ password: String.raw`p"ss\word-xyz`, tab: 'tab\there' }),
      '{"password":"[secret]","tab":"[secret]"}',
    ],
    ['without a secret that JSON would escape', String.raw`a p"ss\word-xyz b`, 'a [secret] b'],
    ['with values too short to be looked for', 'pin 12345', 'pin 12345'],
  ])('%s', (_how, line, shown) => {
    expect(createRedaction(values).redact(line)).toBe(shown);
  });
});

test('the longest part is that of a line, and none is 0 long', () => {
  expect(createRedaction(values.slice(0, 3)).longestPart).toBe('xxcorrect horsexx'.length);
  expect(createRedaction([new Secret('short')]).longestPart).toBe(0);
});

test('the longest part may be one that JSON has escaped', () => {
  expect(createRedaction([new Secret('"quoted"')]).longestPart).toBe(String.raw`\"quoted\"`.length);
});

test('of parts that begin alike the longest one that is there is gone, and no more', () => {
  // What is sorted right before the line need not be what the line begins with.
  const { redact } = createRedaction([
    new Secret(['secret', 'secret-1', 'secret-1?', 'secret-1234', 'secret-2'].join('\n')),
  ]);

  expect(redact('secret-12 secret-1!')).toBe('[secret]2 [secret]!');
  expect(redact('secret-3 secret-')).toBe('[secret]-3 [secret]-');
  expect(redact('secre secret-1234')).toBe('secre [secret]');
});

test('whatever the secrets and the line, each part of each of them is gone and the rest stands', () => {
  const words = fc.constantFrom('a', 'aa', 'b', 'aaaaaa', 'abaaba', '"', '\\', '\t');
  const texts = fc.array(words, { maxLength: 6 }).map((each) => each.join(''));
  fc.assert(
    fc.property(fc.array(texts), fc.array(texts), (secrets, said) => {
      const line = [...said, ...secrets.slice(0, 2), JSON.stringify(said)].join('b');
      const shown = createRedaction(secrets.map((text) => new Secret(text))).redact(line);

      expect(shown.replaceAll(/(?:\[secret\])+/g, '[secret]')).toBe(withoutAny(secrets, line));
    }),
  );
});

/** By each part at each position; what is gone side by side is one hole. */
function withoutAny(secrets: readonly string[], line: string): string {
  const isGone = Array.from(line, () => false);
  for (const text of secrets) {
    const part = text.trim().length < 6 && text.trim() !== '' ? text : text.trim();
    for (const each of part.length < 6 ? [] : [part, JSON.stringify(part).slice(1, -1)]) {
      for (let at = line.indexOf(each); at !== -1; at = line.indexOf(each, at + 1)) {
        isGone.fill(true, at, at + each.length);
      }
    }
  }

  return Array.from(line, (character, at) =>
    isGone[at] !== true ? character : isGone[at - 1] === true ? '' : '[secret]',
  ).join('');
}

// One by one, eighty thousand parts at each start would take minutes: the deadline is far from both.
test('a thousand lines are searched for eighty thousand that begin alike', () => {
  const secret = Array.from({ length: 80_000 }, (_, id) => row(id)).join('\n');
  const { redact } = createRedaction([new Secret(secret)]);
  const lines = Array.from({ length: 1000 }, (_, id) => `${row(80_000 + id)},`.repeat(100));

  expect(lines.map(redact)).toEqual(lines);
  expect(redact(`${row(79_999)},${row(80_000)}`)).toBe(`[secret],${row(80_000)}`);
  expect(redact(JSON.stringify(row(40_000)))).toBe('"[secret]"');
}, 60_000);

function row(id: number): string {
  return JSON.stringify({ id: `user-${id}`, token: id * 7919 });
}
