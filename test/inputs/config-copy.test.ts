// The copy of what a config gives; with real configs: config-file.test.ts.
import { expect, test } from 'vitest';

import { copyConfig } from '../../src/inputs/config-copy.ts';

test('a config that contains itself is copied once', () => {
  const deployment: Record<string, unknown> = { port: 80 };
  deployment['self'] = deployment;
  const copied = copyConfig({ deployment });

  expect(copied).toEqual({ deployment });
});
