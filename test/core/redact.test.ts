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
    ['with values too short to be looked for', 'pin 12345', 'pin 12345'],
  ])('%s', (_how, line, shown) => {
    expect(createRedaction(values).redact(line)).toBe(shown);
  });
});

test('the longest part is that of a line, and none is 0 long', () => {
  expect(createRedaction(values).longestPart).toBe('xxcorrect horsexx'.length);
  expect(createRedaction([new Secret('short')]).longestPart).toBe(0);
});
