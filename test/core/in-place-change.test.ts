import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { hostsBlock, replaceBlock } from '../../src/core/hosts-file.ts';
import { type ChangeStep, planChange, recoverText } from '../../src/core/in-place-change.ts';

/** What somebody else has in the file. */
const line = fc.constantFrom(
  '10.1.1.1 op',
  '10.1.1.2 op.example',
  '# for local use',
  '',
  '\r',
  '\xe9\0',
  '#',
);
const lines = fc.array(line, { maxLength: 4 }).map((all) => all.map((it) => `${it}\n`).join(''));
const entries = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 120 }), fc.constantFrom('a.warp', 'longer.warp')), {
    maxLength: 3,
  })
  .map((all) => all.map(([octet, name]) => ({ address: `10.0.0.${octet}`, names: [name] })));
/** A file with lines before and after our block, or inside of it, and another block for it. */
const change = fc
  .tuple(lines, entries, lines, entries, fc.boolean())
  .map(([before, had, after, wanted, isEnded]) => {
    const old = before + hostsBlock(had) + after;
    return { old: isEnded ? old : old.replace(/\n$/, ''), wanted };
  })
  .filter(({ old, wanted }) => replaceBlock(old, wanted) !== old);

describe('a plan', () => {
  test('gives the new text', () => {
    fc.assert(
      fc.property(change, ({ old, wanted }) => {
        const next = replaceBlock(old, wanted);
        expect(planChange(old, next).reduce(take, old)).toBe(next);
      }),
      { numRuns: 1000 },
    );
  });

  test('shows whole lines of both texts in every mixture that a reader can see, and all that both have', () => {
    fc.assert(
      fc.property(change, fc.infiniteStream(fc.nat()), ({ old, wanted }, choices) => {
        const next = replaceBlock(old, wanted);
        const known = [...liveLines(old), ...liveLines(next)];
        for (const texts of textsBetweenWaits(old, planChange(old, next))) {
          const seen = liveLines(mixture(texts, choices));
          expect(known).toEqual(expect.arrayContaining(seen));
          expect(seen).toEqual(
            expect.arrayContaining(liveLines(old).filter((it) => liveLines(next).includes(it))),
          );
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is left of a change whose writer was killed', () => {
  test('has each line of others once, and leads to the same text', () => {
    fc.assert(
      fc.property(change, fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (it, at, share) => {
        const next = replaceBlock(it.old, it.wanted);
        const torn = interrupted(it.old, next, { at, share });
        expect(replaceBlock(recoverText(torn), it.wanted)).toBe(next);
      }),
      { numRuns: 5000 },
    );
  });

  test('also where the change that repairs it is killed in turn', () => {
    fc.assert(
      fc.property(change, fc.nat(), fc.nat(), ({ old, wanted }, first, second) => {
        const next = replaceBlock(old, wanted);
        const torn = interrupted(old, next, { at: first, share: 0 });
        fc.pre(torn !== next);
        const again = interrupted(torn, next, { at: second, share: 0 });
        expect(replaceBlock(recoverText(again), wanted)).toBe(next);
      }),
      { numRuns: 5000 },
    );
  });

  test('loses no line that somebody has appended since then', () => {
    fc.assert(
      fc.property(change, fc.nat(), ({ old, wanted }, at) => {
        const next = replaceBlock(old, wanted);
        const torn = interrupted(old, next, { at, share: 0 });
        const late = `${torn}${torn.endsWith('\n') || torn === '' ? '' : '\n'}10.1.1.9 late\n`;
        const repaired = replaceBlock(recoverText(late), wanted);
        expect(liveLines(repaired).toSorted()).toEqual(
          [...liveLines(next), '10.1.1.9 late'].toSorted(),
        );
      }),
      { numRuns: 5000 },
    );
  });

  test('that somebody has edited at another place is taken as it is', () => {
    const old = `10.1.1.1 op\n${hostsBlock([{ address: '10.0.0.2', names: ['a.warp'] }])}10.1.1.2 op\n`;
    const next = replaceBlock(old, []);
    const torn = `10.9.9.9 first\n${interrupted(old, next, { at: 5, share: 0 })}`;
    expect(recoverText(torn)).toBe(torn);
  });
});

/** A reader that began before the plan, and one after it, find the lines; this one is killed in the middle. */
function interrupted(old: string, next: string, { at, share }: { at: number; share: number }) {
  const steps = planChange(old, next);
  const done = at % (steps.length + 1);
  const text = steps.slice(0, done).reduce(take, old);
  const step = steps[done];
  // The short ones are written at once; a larger one may end at a page of the kernel's.
  return step?.kind === 'put' && /^#? ?\n*[^\n]*\n[^]*\n/.test(step.text) && done > 2
    ? take(text, { ...step, text: step.text.slice(0, Math.floor(step.text.length * share)) })
    : text;
}

function take(text: string, step: ChangeStep): string {
  switch (step.kind) {
    case 'wait':
      return text;
    case 'put':
      if (step.at > text.length) {
        throw new RangeError('there would be a hole');
      }

      return text.slice(0, step.at) + step.text + text.slice(step.at + step.text.length);
    case 'cut':
      return step.expectedSize === text.length
        ? text.slice(0, step.size)
        : step.otherwise.reduce(take, text);
  }
}

/** What a reader can meet that is no longer in the file than the grace time. */
function textsBetweenWaits(old: string, steps: readonly ChangeStep[]): string[][] {
  let text = old;
  const groups = [[old]];
  for (const step of steps) {
    if (step.kind === 'put' && step.isMore) {
      // The size of a file grows a page at a time.
      const half = step.text.slice(0, Math.floor(step.text.length / 2));
      groups.at(-1)?.push(take(text, { ...step, text: half }));
    }

    text = take(text, step);
    if (step.kind === 'wait') {
      groups.push([text]);
    } else {
      groups.at(-1)?.push(text);
    }
  }

  return groups;
}

/**
 * Byte for byte, as read(2) goes through a file: first the size, which may be that of a later text than the byte before,
 * then the byte, of a later one still. What was cut off in between is NUL.
 */
function mixture(texts: readonly string[], choices: fc.Stream<number>): string {
  const choose = (count: number): number => choices.next().value % count;
  const longest = Math.max(...texts.map(({ length }) => length));
  let index = 0;
  let checks = choose(longest + 1);
  let read = '';
  const advance = (): string => {
    checks -= 1;
    if (checks < 0) {
      index += choose(texts.length - index);
      checks = choose(longest + 1);
    }

    return texts[index] ?? '';
  };
  while (advance().length > read.length) {
    read += advance()[read.length] ?? '\0';
  }

  return read;
}

/** What a resolver reads: no comments, no blank lines, nothing behind a NUL. */
function liveLines(text: string): string[] {
  return text
    .split('\n')
    .map((it) => it.replace(/[\r\0]+$/, ''))
    .filter((it) => it !== '' && !it.startsWith('#'));
}
