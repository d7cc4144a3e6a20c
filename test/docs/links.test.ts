// What the pages point at is there.
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

import { anchorsOf, linksOf, readPage, readPages, root } from './pages.ts';

const pages = readPages();
const links = pages.flatMap((page) => linksOf(page).map((target) => ({ from: page.path, target })));

function placeOf({ from, target }: { from: string; target: string }) {
  const [file = '', anchor] = target.split('#');
  return { file: file === '' ? from : normalize(join(dirname(from), file)), anchor };
}

test('there are pages, and they point at each other', () => {
  expect(pages.length).toBeGreaterThan(8);
  expect(links.length).toBeGreaterThan(20);
});

test('every file that a page points at is there', () => {
  expect(links.filter((link) => !existsSync(join(root, placeOf(link).file)))).toEqual([]);
});

test('every heading that a page points at is there', () => {
  const lost = links.filter((link) => {
    const { file, anchor } = placeOf(link);
    return (
      anchor !== undefined &&
      file.endsWith('.md') &&
      existsSync(join(root, file)) &&
      !anchorsOf(readPage(file)).includes(anchor)
    );
  });
  expect(lost).toEqual([]);
});
