// docs/troubleshooting.md has an entry for each code that the sources can give, and for no other.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { readPage, root } from './pages.ts';

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => readFileSync(join(root, 'src', path), 'utf8'));

/** As literals: comments name codes without quotes, or those of Node. */
const given = new Set(
  sources.flatMap((text) =>
    [...text.matchAll(/['"`]([EW]_[A-Z0-9_]+)['"`]/g)].map(([, code]) => code ?? ''),
  ),
);
const explained = [...readPage('docs/troubleshooting.md').text.matchAll(/^### `(.+)`$/gm)].map(
  ([, code]) => code ?? '',
);

test('the sources give codes', () => {
  expect(given).toContain('E_CONFIG');
  expect(given).toContain('W_HOSTS');
});

test('every code has an entry', () => {
  expect([...given].filter((code) => !explained.includes(code))).toEqual([]);
});

test('every entry is about a code that there is', () => {
  expect(explained.filter((code) => !given.has(code))).toEqual([]);
});

test('no code has two entries', () => {
  expect(explained.filter((code, index) => explained.indexOf(code) !== index)).toEqual([]);
});

test('every entry of an error begins with the status that it ends with', () => {
  const { text } = readPage('docs/troubleshooting.md');
  const statuses = explained
    .filter((code) => code.startsWith('E_'))
    .map((code) => [code, new RegExp(`^### \`${code}\`\n\n(.*)`, 'm').exec(text)?.[1]]);
  expect(statuses.filter(([, entry]) => !/^(?:\d+)(?: or \d+)? · /.test(entry ?? ''))).toEqual([]);
});
