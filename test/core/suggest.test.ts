import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nearest, refuseWord } from '../../src/core/suggest.ts';

const options = ['socket', 'secrets', 'killDelay', 'kill-delay', 'user', 'exec', 'linger', 'hosts'];

describe('The nearest known word to', () => {
  test.each([
    ['socekt', 'socket', 'two letters that changed places'],
    ['sockt', 'socket', 'a letter that is missing'],
    ['socckets', 'socket', 'two letters too many'],
    ['killdelay', 'killDelay', 'another case'],
    ['kill_delay', 'killDelay', 'an underscore'],
    ['usr', 'user', 'a short word'],
    ['host', 'hosts', 'a singular'],
  ])('%s is %s, for %s', (word, known) => {
    expect(nearest(word, options)).toBe(known);
  });

  test.each([
    ['', 'nothing'],
    ['x', 'one letter of another word'],
    ['volume', 'another word'],
    ['scrt', 'a word of which half is missing'],
    ['s'.repeat(100_000), 'a flood'],
  ])('%s is none: it is %s', (word) => {
    expect(nearest(word, ['socket', 'user', 'y'])).toBeUndefined();
  });

  test('a known word is the word itself', () => {
    expect(options.map((word) => nearest(word, [word]))).toEqual(options);
  });

  test('one with one letter changed is found again', () => {
    const change = fc.tuple(fc.constantFrom(...options), fc.nat(), fc.constantFrom('x', 'q', ''));
    fc.assert(
      fc.property(change, ([word, position, letter]) => {
        const at = position % word.length;
        const misspelt = `${word.slice(0, at)}${letter}${word.slice(at + 1)}`;
        expect(nearest(misspelt, ['volumes', word, 'deployment'])).toBe(word);
      }),
    );
  });
});

test('A refused word comes with the right ones, and with a suggestion only where there is one', () => {
  const known = ['json', 'pretty'];
  expect(refuseWord('jsno', known)).toEqual({
    ok: false,
    expected: 'one of json, pretty',
    suggestion: 'json',
  });
  expect(refuseWord('table', known)).toEqual({ ok: false, expected: 'one of json, pretty' });
});
