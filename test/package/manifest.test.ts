// What stands beside the code: version, licence, and the files that a stranger looks for.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const manifest = JSON.parse(read('package.json'));

test('the version is 0.1.0, and the changelog says what it brings', () => {
  expect(manifest.version).toBe('0.1.0');
  expect(read('CHANGELOG.md')).toMatch(/^## 0\.1\.0\b.*\n\n(?:- .+\n)+/m);
});

test('the licence is MIT, in package.json and as its text', () => {
  expect(manifest.license).toBe('MIT');
  expect(read('LICENSE')).toMatch(/^MIT License\n\nCopyright \(c\) \d{4} /);
  expect(read('LICENSE')).toContain('Permission is hereby granted, free of charge, to any person');
});

test.each([
  ['SECURITY.md', /report/i],
  ['CONTRIBUTING.md', /npm run check/],
])('%s says what it is for', (path, expected) => {
  expect(read(path)).toMatch(expected);
});

test('the package needs no other, to run or to be imported', () => {
  expect(
    ['dependencies', 'peerDependencies', 'optionalDependencies'].filter((key) => key in manifest),
  ).toEqual([]);
});
