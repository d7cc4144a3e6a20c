// What a successor reads of the certificates, where the app may have put anything in their place.
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { replaceDirectory } from '../../src/apply/replace-directory.ts';
import { certificateTree } from '../../src/core/certificate-files.ts';
import { Secret } from '../../src/core/secret.ts';
import { readCertificates } from '../../src/inputs/certificate-directory.ts';

const isRoot = process.getuid?.() === 0;
const app = isRoot
  ? { uid: 65_534, gid: 65_534 }
  : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const names = ['one.example', 'two.example'];

test('certificates are read as they were written, also where the app owns the directory above', () => {
  const { tls } = newCertificates();
  expect(read(tls)).toEqual({ 'one.example': 'KEY one.example', 'two.example': 'KEY two.example' });
});

test('a certificate that nobody has asked for is not read', () => {
  const { tls } = newCertificates();
  expect(Object.keys(read(tls, ['two.example', 'three.example']))).toEqual(['two.example']);
});

test.each<[string, (place: Place) => void]>([
  [
    'key is a link to another file',
    ({ one, other }) => {
      unlinkSync(join(one, 'privkey.pem'));
      symlinkSync(join(other, 'privkey.pem'), join(one, 'privkey.pem'));
    },
  ],
  [
    'directory is a link to another one',
    ({ one, other }) => {
      renameSync(one, `${one}-moved`);
      symlinkSync(other, one);
    },
  ],
  ['chain has more than 1 MiB', ({ one }) => truncateSync(join(one, 'fullchain.pem'), 2 ** 20 + 1)],
  ['key is gone', ({ one }) => unlinkSync(join(one, 'privkey.pem'))],
])('a certificate whose %s is none, and the others are read', (_what, spoil) => {
  const place = newCertificates();
  spoil(place);
  expect(read(place.tls)).toEqual({ 'two.example': 'KEY two.example' });
});

test('a link to a directory elsewhere is not followed', () => {
  const { tls } = newCertificates();
  const elsewhere = newCertificates();
  unlinkSync(tls);
  symlinkSync(join(elsewhere.data, readlinkSync(elsewhere.tls)), tls);
  expect(readCertificates(tls, names)).toBeUndefined();
});

test('where there is no directory there are no certificates', () => {
  expect(readCertificates('/nowhere/tls', names)).toBeUndefined();
  expect(readCertificates(undefined, names)).toBeUndefined();
});

type Place = ReturnType<typeof newCertificates>;

function newCertificates() {
  const data = mkdtempSync(join(tmpdir(), 'certificates-'));
  onTestFinished(() => rmSync(data, { recursive: true }));
  const other = mkdtempSync(join(data, 'other-'));
  chmodSync(other, 0o755);
  writeFileSync(join(other, 'fullchain.pem'), 'CHAIN of another');
  writeFileSync(join(other, 'privkey.pem'), 'KEY of another');
  chownSync(data, app.uid, app.gid);
  const tls = join(data, 'tls');
  const certificates = names.map((name) => ({
    id: '',
    domains: [name],
    name,
    pem: { privateKey: new Secret(`KEY ${name}`), bundle: `CHAIN ${name}` },
  }));
  replaceDirectory(tls, certificateTree(certificates), { mode: 0o600, ...app });
  return { data, other, tls, one: join(data, readlinkSync(tls), 'one.example') };
}

/** Keys by name. */
function read(tls: string, asked = names): Record<string, string | undefined> {
  return Object.fromEntries(
    (readCertificates(tls, asked) ?? []).map(({ name, pem }) => [name, pem?.privateKey.reveal()]),
  );
}
