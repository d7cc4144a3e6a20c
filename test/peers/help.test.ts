// `--help` for those who come from another init.
import { expect, test } from 'vitest';

import { epilogue } from '../../src/cli-help.ts';
import { optionNames, variableOf } from '../../src/core/run-options.ts';
import { startInit } from '../helpers/pid1.ts';

test('fits in 80 columns', async () => {
  const init = startInit(['--help']);
  expect(await init.ended).toBe(0);
  expect(init.stdout.text()).toContain('Coming from tini, dumb-init or catatonit');
  expect(
    init.stdout
      .text()
      .split('\n')
      .filter((line) => line.length > 80),
  ).toEqual([]);
});

test('names options and variables that there are', () => {
  const named = epilogue.slice(
    epilogue.indexOf('Coming from'),
    epilogue.indexOf('In a Dockerfile'),
  );
  const ours = named.split('\n').map((line) => line.slice(38));
  const known = new Set([
    ...optionNames().map((name) => `--${name}`),
    ...optionNames().map(variableOf),
    '--help',
    '--version',
  ]);
  const words = ours.flatMap((line) => line.match(/--[a-z][a-z-]*|WARP_INIT_[A-Z_]+/g) ?? []);
  expect(words.length).toBeGreaterThan(9);
  expect(words.filter((word) => !known.has(word))).toEqual([]);
});
