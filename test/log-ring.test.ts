import { describe, expect, test } from 'vitest';

import { createLineRing } from '../src/log-ring.ts';
import { createLog } from '../src/log.ts';

describe('the ring', () => {
  test('keeps the last lines that fit together, and no half of one', () => {
    const ring = createLineRing(10);
    for (const line of ['aaaa\n', 'bbb\n', 'cc\n', 'dd\n']) {
      ring.add(line);
    }

    expect(ring.lines()).toEqual(['bbb\n', 'cc\n', 'dd\n']);
  });

  test('keeps a line that fills it, and what it has where a line is too long', () => {
    const ring = createLineRing(5);
    ring.add('aaaa\n');
    ring.add('bbbbb\n');

    expect(ring.lines()).toEqual(['aaaa\n']);
  });
});

test.each(['json', 'pretty'] as const)(
  'the log gives its last lines as JSON where the format is %s, and only those that were due',
  async (format) => {
    const log = createLog({ write: () => undefined, isTerminal: () => false });
    log.info('before the level was known');
    log.open({ level: 'info', format });
    log.debug('not due');
    log.warn({ code: 'W_X', message: 'a warning', where: 'here', fix: 'there' });
    await log.flush();

    expect(log.recent().map((line) => JSON.parse(line))).toMatchObject([
      { level: 30, msg: 'before the level was known' },
      { level: 40, code: 'W_X', msg: 'a warning' },
    ]);
  },
);
