import { expect, test } from 'vitest';

import { isMultiOn } from '../../src/core/host-conf.ts';

// Each tried with glibc 2.36.
test.each([
  ['multi on\n', true],
  ['  multi\ton # all of them\n', true],
  ['MULTI ON\n', true],
  ['order hosts,bind\nmulti on', true],
  ['multi off\n', false],
  ['# multi on\n', false],
  ['', false],
])('%j gives all lines of a name: %s', (text, isOn) => {
  expect(isMultiOn(text)).toBe(isOn);
});
