import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  hostsBlock,
  hostsEntries,
  replaceBlock,
  type HostsEntry,
} from '../../src/core/hosts-file.ts';
import type { IstMap, IstService } from '../../src/core/ist.ts';

const begin = '# BEGIN warp-init (generated, do not edit)\n';
const end = '# END warp-init\n';
const db: HostsEntry = { address: '10.0.0.2', names: ['my-db.warp', 'mysql.local'] };
const dbLine = '10.0.0.2 my-db.warp mysql.local # warp-init (generated)\n';
const dbBlock = begin + dbLine + end;

describe('the block', () => {
  test('follows what Docker wrote, with all names of a service on one line', () => {
    expect(replaceBlock('127.0.0.1 localhost\n', [db])).toBe(`127.0.0.1 localhost\n${dbBlock}`);
  });

  test('replaces the one before, in its place', () => {
    const old = `127.0.0.1 localhost\n${begin}10.9.9.9 gone.warp # warp-init (generated)\n${end}10.1.1.1 after\n`;

    expect(replaceBlock(old, [db])).toBe(`127.0.0.1 localhost\n${dbBlock}10.1.1.1 after\n`);
  });

  test('goes away without entries, and the text is the one before', () => {
    const text = '127.0.0.1 localhost\r\n\n# caf\xe9 \0\n';

    expect(replaceBlock(replaceBlock(text, [db]), [])).toBe(text);
  });

  test('does not touch a text that needs none', () => {
    expect(replaceBlock('127.0.0.1 localhost', [])).toBe('127.0.0.1 localhost');
  });

  test('begins on a line of its own after a last line without a line feed', () => {
    expect(replaceBlock('10.1.1.1 op', [db])).toBe(`10.1.1.1 op\n${dbBlock}`);
  });

  test('is written as UTF-8', () => {
    expect(hostsBlock([{ address: '::1', names: ['é'] }])).toContain(
      '::1 \xc3\xa9 # warp-init (generated)',
    );
  });
});

describe('a torn block leaves every line of an operator:', () => {
  test.each([
    ['the end is missing', `${begin}${dbLine}10.1.1.1 op\n`],
    ['the beginning is missing', `${dbLine}${end}10.1.1.1 op\n`],
    ['there are two beginnings', `${begin}${begin}${dbLine}10.1.1.1 op\n`],
    ['an operator wrote into it', `${begin}${dbLine}10.1.1.1 op\n${dbLine}${end}`],
    [
      'a line was commented out by an interrupted change',
      `#0.0.0.2 x # warp-init (generated)\n10.1.1.1 op\n`,
    ],
    ['an editor made it CRLF', `${dbBlock.replaceAll('\n', '\r\n')}10.1.1.1 op\n`],
  ])('%s', (_why, text) => {
    expect(replaceBlock(text, [db])).toBe(`${dbBlock}10.1.1.1 op\n`);
  });
});

describe('for any file, even one with torn or repeated markers,', () => {
  const operator = [
    '127.0.0.1 localhost',
    '# a comment',
    '',
    '\r',
    '10.1.1.1 op.example # warp-init (generated) 2',
    '# BEGIN warp-init',
    '\0\xff',
  ];
  const ours = [begin.trimEnd(), end.trimEnd(), dbLine.trimEnd()];
  const text = fc
    .tuple(fc.array(fc.constantFrom(...operator, ...ours)), fc.constantFrom('', '\n'))
    .map(([lines, last]) => lines.join('\n') + last);
  const entries = fc.array(
    fc.record({
      address: fc.constantFrom('10.0.0.2', 'fd00::2'),
      names: fc.array(fc.constantFrom('a.warp', 'b.warp', 'x'.repeat(300)), { minLength: 1 }),
    }),
    { maxLength: 3 },
  );

  test('a second time changes nothing', () => {
    fc.assert(
      fc.property(text, entries, (before, wanted) => {
        const once = replaceBlock(before, wanted);
        expect(replaceBlock(once, wanted)).toBe(once);
      }),
    );
  });

  test('there is one block, and what is not in it are the lines of the operator, in their order', () => {
    fc.assert(
      fc.property(text, entries, (before, wanted) => {
        const after = replaceBlock(before, wanted);
        const block = hostsBlock(wanted);
        const kept = before
          .split(/(?<=\n)/)
          .filter((line) => !ours.includes(line.trimEnd()))
          .join('');

        expect(after.split(begin)).toHaveLength(wanted.length === 0 ? 1 : 2);
        expect([kept, `${kept}\n`]).toContain(after.replace(block, ''));
      }),
    );
  });

  test('a line fits into the buffer of musl, unless a single name does not', () => {
    const names = fc.array(fc.constantFrom('a.warp', 'x'.repeat(120), 'é'.repeat(120)), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(names, (some) => {
        const lines = hostsBlock([{ address: '10.0.0.2', names: some }])
          .split('\n')
          .slice(1, -2);

        expect(lines.every((line) => line.length <= 510)).toBe(true);
        expect(lines.flatMap((line) => line.split(' ').slice(1, -3))).toHaveLength(some.length);
      }),
    );
  });
});

describe('the limit of a line', () => {
  const first = 'a'.repeat(200);

  test.each([
    ['is met by 510 bytes', 276, 1],
    ['is broken by 511', 277, 2],
  ])('%s', (_what, length, lines) => {
    const block = hostsBlock([{ address: '10.0.0.2', names: [first, 'b'.repeat(length)] }]);

    expect(block.split('\n').length - 3).toBe(lines);
  });
});

describe('the entries of a map', () => {
  const service: IstService = {
    name: 'my-db',
    containerId: 'c1',
    hasEntry: false,
    chosen: { instanceId: 'i2', ipv4: '10.0.0.2', ipv6: 'fd00::2' },
    others: [
      { instanceId: 'i1', ipv4: '10.0.0.1', ipv6: 'fd00::1' },
      { instanceId: 'i3', ipv6: 'fd00::2' },
    ],
    tier: 'best',
    address: '10.0.0.2',
    hostnames: [{ name: 'my-db.warp', rule: 'hostname' }],
    variables: [],
  };
  const map = { services: [service], conflicts: [], warnings: [] } satisfies IstMap;
  const addressesOf = (which: 'all' | 'chosen') =>
    hostsEntries(map, which).map(({ address }) => address);

  test('begin with the chosen instance, have every family, and no address twice', () => {
    expect(addressesOf('all')).toEqual(['10.0.0.2', '10.0.0.1', 'fd00::2', 'fd00::1']);
  });

  test('are those of the chosen instance alone if so configured', () => {
    expect(addressesOf('chosen')).toEqual(['10.0.0.2', 'fd00::2']);
  });

  test('leave out a service that has won no hostname', () => {
    expect(hostsEntries({ ...map, services: [{ ...service, hostnames: [] }] }, 'all')).toEqual([]);
  });
});
