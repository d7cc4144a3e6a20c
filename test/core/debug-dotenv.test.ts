import { parse } from 'dotenv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { formatDotenv } from '../../src/core/debug-dotenv.ts';
import { reportOf, snapshotOf } from './debug-rig.ts';

const parsers = [{ fast: false }, { fast: true }];

async function dotenvOf(variables: ReadonlyMap<string, string>): Promise<string> {
  const rules = Array.from(
    variables,
    ([name, value]) => ({ name, kind: 'literal', value }) as const,
  );
  return formatDotenv(await reportOf({ rules, snapshot: null }));
}

const words = fc.constantFrom(
  "'",
  '"',
  '`',
  `'"\``,
  '\\',
  'n',
  'r',
  String.raw`\n`,
  String.raw`\r`,
  '\n',
  '\r',
  '#',
  ' ',
  '\t',
  '=',
  ':',
  'export ',
  'A=b',
  '$HOME',
  '$(id)',
  'é',
  '我',
  '\u2028',
  '\u0085',
  '\u00a0',
  '\ufeff',
  '\ud800',
);
const text = fc.array(words, { maxLength: 6 }).map((parts) => parts.join(''));
const name = fc.oneof(
  fc.constantFrom(
    'A',
    'a.b',
    '-',
    '1',
    'export',
    '__proto__',
    'constructor',
    'é',
    'A B',
    'A\nB',
    "A'B",
    '#',
  ),
  fc
    .array(fc.constantFrom('A', '-', '.', ':', ' ', '\n', '\r', '#', 'é'), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => parts.join('')),
);

describe('the dotenv format', () => {
  test("is read back by dotenv's own parsers: every variable exactly, or as a comment", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, text), { maxLength: 6 }), async (pairs) => {
        const variables = new Map(pairs);
        const output = await dotenvOf(variables);
        const comments = output
          .split('\n')
          .filter((line) => line.endsWith(' cannot be held by a dotenv file'));

        for (const options of parsers) {
          const back = parse(output, options);
          const read = Object.entries(back);
          expect(read).toEqual(read.map(([key]) => [key, variables.get(key)]));
          expect(read.length + comments.length).toBe(variables.size);
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['an address', 'fd00::20'],
    ['nothing', ''],
    ['white space at both ends', ' a '],
    ['a comment sign', 'a # b'],
    ['a single quote', "it's"],
    ['two kinds of quotes', `it's "a"`],
    ['every kind of quotes', 'it\'s "a" `b`'],
    ['several lines', 'a\nb=c\n'],
    ['a carriage return', 'a\r\nb'],
    ['a backslash at its end', 'C:\\dir\\'],
    ['what looks like an escape', String.raw`a\nb`],
    ['a variable', '${HOME}'],
  ])('holds a value that has %s', async (_what, value) => {
    expect(parse(await dotenvOf(new Map([['NAME', value]])))).toEqual({ NAME: value });
  });

  test('lists names beyond its grammar as comments of one line', async () => {
    const snapshot = snapshotOf(['my-db:dev', "it's\n$(id)"]);
    const lines = formatDotenv(await reportOf({ snapshot })).split('\n');

    expect(lines).toContain('# WARP_IST_my-db:dev cannot be held by a dotenv file');
    expect(lines).toContain('WARP_IST_my_db_dev=10.0.0.1');
    expect(lines.filter((line) => !/^(?:#.*|[\w.-]+=.*|)$/.test(line))).toEqual([]);
  });

  test('has what init adds, and neither what is inherited nor what is secret', async () => {
    const output = formatDotenv(
      await reportOf({
        config: { variables: { MODE: 'dark', COPY: { local: true } }, deployment: { port: 80 } },
        inherited: { COPY: 'kept-1', OTHER: 'kept-2', URL: 'warp-secret:url', WARP_ENV: 'old' },
        dotenv: [{ path: '.env', values: new Map([['FILE', 'kept-3']]) }],
      }),
    );

    expect(parse(output)).toMatchObject({ MODE: 'dark', WARP_PORT: '80', WARP_ENV: 'shop' });
    expect(output).toContain('# URL=warp-secret:url\n');
    expect(output).toContain('# FILE comes from a dotenv file\n');
    expect(output).not.toContain('kept');
    expect(output).not.toContain('OTHER');
  });
});
