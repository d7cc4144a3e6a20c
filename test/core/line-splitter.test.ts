import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createLineSplitter } from '../../src/core/line-splitter.ts';

function linesOf(chunks: readonly string[], maxLength = 1000): string[] {
  const lines: string[] = [];
  const splitter = createLineSplitter(maxLength, (line) => lines.push(line));
  for (const chunk of chunks) {
    splitter.write(chunk);
  }

  splitter.end();
  return lines;
}

describe('lines', () => {
  test.each([
    [[], []],
    [['a\nb\n'], ['a', 'b']],
    [['a\nb'], ['a', 'b']],
    [['a\r\nb\r\n'], ['a', 'b']],
    [['\n\n'], ['', '']],
    [
      ['a', '', 'b\nc'],
      ['ab', 'c'],
    ],
  ])('of %j are %j', (chunks, lines) => {
    expect(linesOf(chunks)).toEqual(lines);
  });

  test('are the same however the text is cut into pieces', () => {
    const piece = fc.constantFrom('a', 'bc', '\n', ' ', 'd\ne', '\n\n');
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        expect(linesOf(pieces)).toEqual(linesOf([pieces.join('')]));
      }),
    );
  });

  test('are never longer than the bound, and the next one is whole', () => {
    expect(linesOf(['123', '4567', '89\nabc\n'], 5)).toEqual(['12345', 'abc']);
  });
});
