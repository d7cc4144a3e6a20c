import { describe, expect, test } from 'vitest';

import { type Ancestor, processWarnings } from '../../src/core/process-warnings.ts';

function below(...names: readonly string[]): Ancestor[] {
  return names.map((name, index) => ({ pid: names.length - index, name }));
}

describe('where warp-init is not PID 1', () => {
  test.each(['tini', 'docker-init', 'podman-init', 'dumb-init', 'pause'])(
    '%s is named, and the way without it',
    (name) => {
      expect(processWarnings(below(name), true)).toEqual([
        {
          code: 'W_NOT_PID1',
          message: expect.stringMatching(
            new RegExp(`^PID 1 is ${name} here\\. warp-init adopts and reaps the orphans`),
          ),
          where: 'pid 1',
          fix: expect.stringContaining('without `docker run --init`'),
        },
      ]);
    },
  );

  test.each(['sh', 'bash', 'dash', 'ash', 'busybox'])(
    'a shell (%s) is said to forward nothing, and the remedy has brackets',
    (name) => {
      expect(processWarnings(below('node', name), true)).toEqual([
        {
          code: 'W_NOT_PID1',
          message: expect.stringContaining(
            `PID 1 is a shell here (${name}), which forwards no signal`,
          ),
          where: 'pid 1',
          fix: expect.stringContaining('["warp-init", "--"]'),
        },
      ]);
    },
  );

  test('a shell that is not PID 1 is not the trouble', () => {
    expect(processWarnings(below('sh', 'tini'), true)[0]?.message).toMatch(/^PID 1 is tini here\./);
  });

  test('what came in from outside has nobody to name', () => {
    const [warning, ...more] = processWarnings([], true);

    expect(more).toEqual([]);
    expect(warning?.message).toMatch(/^warp-init is not PID 1 here\. /);
    expect(warning?.where).toBe('the process above warp-init');
  });

  test.each([['sh'], ['tini']])(
    'orphans are not adopted where that is not wanted: below %s',
    (name) => {
      expect(processWarnings(below(name), false)[0]?.message).toContain('does not adopt orphans');
      expect(processWarnings(below(name), true)[0]?.message).not.toContain(
        'does not adopt orphans',
      );
    },
  );
});

describe('below another warp-init', () => {
  test.each([
    ['directly', below('warp-init'), 1],
    ['of the package, not warmed', below('warp-init-x64'), 1],
    ['with a shell between', below('sh', 'node', 'warp-init'), 1],
    ['which is below an init itself', below('warp-init', 'tini'), 2],
  ])('%s: the one warning is that there are two', (_how, ancestors, pid) => {
    expect(processWarnings(ancestors, true)).toEqual([
      {
        code: 'W_TWICE',
        message: expect.stringContaining(`below another warp-init, pid ${pid}:`),
        where: `pid ${pid}`,
        fix: expect.stringContaining('CMD is the app alone'),
      },
    ]);
  });
});
