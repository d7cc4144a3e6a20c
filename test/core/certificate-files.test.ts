import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  certificateTree,
  chooseCertificates,
  directoryName,
} from '../../src/core/certificate-files.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Certificate } from '../../src/core/snapshot.ts';

const key = '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n';
const chain = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

function certificateOf(
  id: string,
  domains: readonly string[],
  pem: { key?: string; chain?: string } = {},
): Certificate {
  return { id, domains, privateKey: new Secret(pem.key ?? key), bundle: pem.chain ?? chain };
}

/** Path to text. */
function filesOf(served: readonly Certificate[]): Map<string, string> {
  const tree = certificateTree(chooseCertificates(served).certificates);
  return new Map(
    tree.flatMap((entry): [string, string][] =>
      entry.kind === 'file' ? [[entry.path, new TextDecoder().decode(entry.content.reveal())]] : [],
    ),
  );
}

describe('certificates as files', () => {
  test('are below the first domain, the bundle as fullchain.pem', () => {
    const served = [
      certificateOf('1', ['www.shop.example', 'shop.example']),
      certificateOf('2', ['*.shop.example', 'shop.example']),
      certificateOf('3', ['API.Shop.Example']),
    ];
    expect([...filesOf(served)]).toEqual([
      ['_.shop.example/fullchain.pem', chain],
      ['_.shop.example/privkey.pem', key],
      ['api.shop.example/fullchain.pem', chain],
      ['api.shop.example/privkey.pem', key],
      ['www.shop.example/fullchain.pem', chain],
      ['www.shop.example/privkey.pem', key],
    ]);
    expect(chooseCertificates(served).warnings).toEqual([]);
  });

  test('come with their directory first', () => {
    const { certificates } = chooseCertificates([certificateOf('1', ['a.example'])]);
    expect(certificateTree(certificates)[0]).toEqual({ kind: 'directory', path: 'a.example' });
  });

  test('show the private key in no way', () => {
    const { certificates } = chooseCertificates([certificateOf('1', ['a.example'])]);
    const tree = certificateTree(certificates);
    expect(
      JSON.stringify([certificates, tree]) + inspect([certificates, tree], { depth: 9 }),
    ).not.toContain('hunter2');
  });

  test.each([
    ['first', ['1', '2', '10']],
    ['last', ['10', '2', '1']],
  ])('of one first domain are those of the greatest id, also where it is %s', (_where, ids) => {
    const { certificates, warnings } = chooseCertificates(
      ids.map((id) => certificateOf(`65f0${id}`, ['a.example', `${id}.example`])),
    );
    expect(certificates.map(({ id }) => id)).toEqual(['65f02']);
    expect(warnings.map(({ code }) => code)).toEqual([
      'W_CERTIFICATE_REPEATED',
      'W_CERTIFICATE_REPEATED',
    ]);
    expect(warnings[0]?.message).toBe(
      'The certificates 65f02 and 65f010 both begin with a.example; the files are those of 65f02, whose id is greater',
    );
  });

  test('of one first domain are never those of a certificate that is not complete', () => {
    const served = [
      certificateOf('1', ['a.example']),
      certificateOf('2', ['a.example'], { key: '' }),
    ];
    expect(chooseCertificates(served).certificates.map(({ id }) => id)).toEqual(['1']);
  });

  test.each([
    ['an empty key', { key: '' }, 'the private key does not'],
    ['a key that is no PEM', { key: 'MIIB' }, 'the private key does not'],
    ['a bundle that is no PEM', { chain: 'pending' }, 'the bundle does not'],
    ['neither', { key: '', chain: '' }, 'the bundle and the private key do not'],
  ])('are left out for %s, with a warning that shows nothing of it', (_what, pem, words) => {
    const { certificates, warnings } = chooseCertificates([certificateOf('1', ['a.example'], pem)]);
    expect(certificates).toEqual([]);
    expect(warnings).toEqual([expect.objectContaining({ code: 'W_CERTIFICATE_PEM' })]);
    expect(warnings[0]?.message).toContain(words);
    expect(warnings[0]?.message).not.toMatch(/MIIB|pending/);
  });

  test('stay as they were while the platform serves them incomplete, and go when it serves them no more', () => {
    const before = chooseCertificates([certificateOf('1', ['a.example'])]).certificates;
    const broken = chooseCertificates([certificateOf('2', ['A.example'], { key: '' })], before);
    expect(broken.certificates).toEqual(before);
    expect(chooseCertificates([], before).certificates).toEqual([]);
    const renewed = chooseCertificates([certificateOf('3', ['a.example'])], before);
    expect(renewed.certificates.map(({ id }) => id)).toEqual(['3']);
  });

  test('of `debug`, which fetches no keys, have names and no files', () => {
    const { certificates, warnings } = chooseCertificates([{ id: '1', domains: ['*.a.example'] }]);
    expect(certificates).toEqual([
      { id: '1', domains: ['*.a.example'], name: '_.a.example', pem: undefined },
    ]);
    expect(warnings).toEqual([]);
    expect(certificateTree(certificates)).toEqual([]);
  });
});

describe('a domain', () => {
  test.each([
    ['nothing', ''],
    ['the directory itself', '.'],
    ['the directory above', '..'],
    ['a way out', '../../etc'],
    ['an absolute path', '/etc'],
    ['two segments', 'a.example/b'],
    ['a backslash', String.raw`a\b`],
    ['a NUL', 'a.example\0'],
    ['a line break', 'a.example\n'],
    ['a space', 'a example'],
    ['a hidden file', '.a.example'],
    ['an empty label', 'a..example'],
    ['a dot at its end', 'a.example.'],
    ['an option', '-rf.example'],
    ['a star in the middle', 'a.*.example'],
    ['a star alone', '*'],
    ['254 bytes', `${'a'.repeat(63)}.`.repeat(4).slice(0, 252) + 'é'],
  ])('that is %s gives no directory, and a warning', (_what, domain) => {
    expect(directoryName(domain)).toBeUndefined();
    const { certificates, warnings } = chooseCertificates([certificateOf('1', [domain])]);
    expect(certificates).toEqual([]);
    expect(warnings).toEqual([expect.objectContaining({ code: 'W_CERTIFICATE_DOMAIN' })]);
    expect(warnings[0]?.message).not.toMatch(/[\0\n]/);
  });

  test.each([
    ['localhost', 'localhost'],
    ['xn--mnchen-3ya.example', 'xn--mnchen-3ya.example'],
    ['münchen.example', 'münchen.example'],
    [`${'a'.repeat(63)}.`.repeat(4).slice(0, 253), `${'a'.repeat(63)}.`.repeat(4).slice(0, 253)],
  ])('%s is a directory', (domain, name) => {
    expect(directoryName(domain)).toBe(name);
  });

  test('that there is none of gives a warning, too', () => {
    const { certificates, warnings } = chooseCertificates([certificateOf('1', [])]);
    expect(certificates).toEqual([]);
    expect(warnings[0]?.message).toContain('has no domain, which cannot be the name');
  });

  test('of any kind leads to one segment below the directory, or to none', () => {
    const part = fc.constantFrom(
      'a',
      '..',
      '.',
      '/',
      '*',
      '*.',
      '\0',
      '\n',
      '-',
      '_',
      'é',
      ' ',
      '\\',
      '~',
      '\u202e',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const name = directoryName(parts.join('')) ?? 'none';
        expect(name).toMatch(/^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u);
        expect(name).not.toContain('..');
      }),
    );
  });
});
