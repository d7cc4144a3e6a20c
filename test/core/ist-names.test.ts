import { readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { foldToAscii } from '../../src/core/ascii-folding.ts';
import {
  encodeServiceName,
  labelSizeOctets,
  loadFolding,
  quoteName,
} from '../../src/core/ist-names.ts';

const lucene: Record<string, string> = JSON.parse(
  readFileSync(new URL('../../fixtures/lucene-ascii-folding.json', import.meta.url), 'utf8'),
);

const highest = 0x10ffff;

describe('a service name gives the hostname and the variables of the platform', () => {
  test.each([
    ['my-db', 'my-db.warp', 'WARP_IST_my-db', 'WARP_IST_my_db'],
    ['my db', 'my-db.warp', 'WARP_IST_my_db', 'WARP_IST_my_db'],
    ['my=db', 'my-db.warp', 'WARP_IST_my_db', 'WARP_IST_my_db'],
    ['my-db:dev', 'my-db-dev.warp', 'WARP_IST_my-db:dev', 'WARP_IST_my_db_dev'],
    ['My-DB-', 'my-db.warp', 'WARP_IST_My-DB-', 'WARP_IST_My_DB_'],
    ['mes-données', 'xn--mes-donnes-i7a.warp', 'WARP_IST_mes-donnees', 'WARP_IST_mes_donnees'],
    ['✅ db', 'xn---db-8g6a.warp', 'WARP_IST__db-8g6a', 'WARP_IST__db_8g6a'],
    ['我的数据', 'xn--wnu53ab8bw85a.warp', 'WARP_IST_wnu53ab8bw85a', 'WARP_IST_wnu53ab8bw85a'],
  ])('%s', (service, hostname, generic, shell) => {
    expect(encodeServiceName(service, foldToAscii)).toEqual({ hostname, generic, shell });
  });
});

describe('a hostname label', () => {
  test.each([
    ['keeps a hyphen at its start', '-db', '-db.warp'],
    ['has no dots, of whatever script', 'a.b。c', 'a-b-c.warp'],
    ['joins the lines of a name', 'db\n6.6.6.6 bank', 'db-6-6-6-6-bank.warp'],
    ['may hold more than 63 octets', 'a'.repeat(300), `${'a'.repeat(300)}.warp`],
    ['is lost with a name of hyphens', '---', undefined],
    ['is lost with a name of signs', '#\t\0', undefined],
    ['is lost with an empty name', '', undefined],
  ])('%s', (_what, service, hostname) => {
    expect(encodeServiceName(service, foldToAscii).hostname).toBe(hostname);
  });
});

describe('a variable name', () => {
  test.each([
    ['a line break', 'my\ndb'],
    ['a carriage return', 'my\rdb'],
    ['a tab', 'my\tdb'],
    ['NUL', 'my\0db'],
    ['a number sign', 'my#db'],
    ['a number sign after folding', 'my＃db'],
    ['an escape character', 'my\x1bdb'],
  ])('with %s exists in its shell form only', (_what, service) => {
    const { generic, shell } = encodeServiceName(service, foldToAscii);

    expect([generic, shell]).toEqual([undefined, 'WARP_IST_my_db']);
  });

  test('replaces an equals sign that comes out of the folding', () => {
    expect(encodeServiceName('my＝db', foldToAscii).generic).toBe('WARP_IST_my_db');
  });

  test('of emoji in two halves differs from that of either half alone', () => {
    const names = ['😀', '\ud83d', '\ude00'].map(
      (service) => encodeServiceName(service, foldToAscii).generic,
    );

    expect(new Set(names).size).toBe(3);
  });
});

const nameOf = (units: number) => 'a'.repeat(units - 2) + String.fromCodePoint(highest);

describe('a name beyond ASCII', () => {
  test('of 1,900 units is encoded, without an overflow in punycode', () => {
    const { hostname, generic, shell } = encodeServiceName(nameOf(1900), foldToAscii);

    expect([hostname, generic, shell].map((name) => name?.includes('a'.repeat(1898)))).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('of 1,901 units gives no names', () => {
    expect(encodeServiceName(nameOf(1901), foldToAscii)).toEqual({
      hostname: undefined,
      generic: undefined,
      shell: undefined,
    });
  });

  test('of any length gives variables if its folding is ASCII', () => {
    expect(encodeServiceName('é'.repeat(3000), foldToAscii)).toEqual({
      hostname: undefined,
      generic: `WARP_IST_${'e'.repeat(3000)}`,
      shell: `WARP_IST_${'e'.repeat(3000)}`,
    });
  });
});

test('a hostname of 200,000 hyphens and a letter takes no quadratic time', () => {
  const service = `${'-'.repeat(200_000)}:`;

  expect(encodeServiceName(service, foldToAscii).hostname).toBeUndefined();
  expect(encodeServiceName(`${service}a`, foldToAscii).hostname).toHaveLength(200_007);
});

test('the folding changes exactly what that of Lucene changes, in all of Unicode', () => {
  for (let first = 0; first <= highest; first += 0x1000) {
    const block = Array.from({ length: 0x1000 }, (_, index) => first + index);
    const expected = block.map(
      (point) => lucene[point.toString(16)] ?? String.fromCodePoint(point),
    );

    expect(foldToAscii(String.fromCodePoint(...block))).toBe(expected.join(''));
  }

  expect(Object.keys(lucene)).toHaveLength(1242);
});

test('the folding is loaded for any name beyond ASCII, and only then', async () => {
  expect(await loadFolding(['my-db', 'my db', 'my-db:dev', '\0\x7f'])).not.toBe(foldToAscii);
  expect(await loadFolding(['my-db', 'é'])).toBe(foldToAscii);
  expect(await loadFolding(['\x80'])).toBe(foldToAscii);
});

test('a quoted name is one line without control characters, and JSON', () => {
  const name = 'db\n\x1b[31m\x9b\x7f\u2028"\\';

  expect(quoteName(name)).toMatch(/^[\x20-\x7E]+$/);
  expect(JSON.parse(quoteName(name))).toBe(name);
});

test('the size of a label leaves the domain out', () => {
  expect(labelSizeOctets('my-db.warp')).toBe(5);
});

describe('whatever a service is called', () => {
  const words = [
    'my',
    'db',
    'DB',
    '-',
    '--',
    ' ',
    '=',
    ':',
    '.',
    '。',
    '@',
    '#',
    '\0',
    '\n',
    '\r',
    '\t',
    '\x7f',
    'xn--',
    'é',
    'ß',
    'Ⅷ',
    'İ',
    '✅',
    '😀',
    '我',
    '\ud83d',
    '\ude00',
    '\u2028',
    '＃',
    '＝',
  ];
  const word = fc.constantFrom(...words);
  const service = fc.oneof(
    fc.array(word).map((parts) => parts.join('')),
    word.map((text) => text.repeat(300)),
  );

  test('its hostname is one label of letters, digits and hyphens that ends in none', () => {
    fc.assert(
      fc.property(service, (name) => {
        expect(encodeServiceName(name, foldToAscii).hostname ?? 'a.warp').toMatch(
          /^[a-z0-9-]*[a-z0-9]\.warp$/,
        );
      }),
    );
  });

  test('its variables hold nothing that cuts a line of the environment', () => {
    fc.assert(
      fc.property(service, (name) => {
        const { generic, shell } = encodeServiceName(name, foldToAscii);

        expect(generic ?? 'WARP_IST_').toMatch(/^WARP_IST_[!-"$-<>-~]*$/);
        expect(shell).toMatch(/^WARP_IST_\w*$/);
      }),
    );
  });

  test('the way for plain names gives what the rules give', () => {
    const plain = fc
      .array(fc.constantFrom('my', 'DB', '-', '--', '7', 'xn--'))
      .map((w) => w.join(''));

    fc.assert(
      fc.property(plain, (name) => {
        // The colon keeps a name from the short way and becomes a hyphen at the end, which is dropped.
        const { hostname, generic, shell } = encodeServiceName(`${name}:`, foldToAscii);

        expect(encodeServiceName(name, foldToAscii)).toEqual({
          hostname,
          generic: generic?.slice(0, -1),
          shell: shell?.slice(0, -1),
        });
      }),
    );
  });
});
