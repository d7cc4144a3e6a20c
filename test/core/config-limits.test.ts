import { describe, expect, expectTypeOf, test } from 'vitest';
import type { ResourceName } from '../../src/core/warp-config.ts';
import type { resourceNumbers } from '../../src/core/settings-limits.ts';
import { problemsOf, settingsOf } from './config-rig.ts';

const unlimited = 2n ** 64n - 1n;

describe('A resource limit', () => {
  test.each([
    ['a number, which is both', 65_536, 65_536n, 65_536n],
    ['nothing at all', 0, 0n, 0n],
    ['"unlimited"', 'unlimited', unlimited, unlimited],
    ['two numbers', { soft: 1024, hard: 4096 }, 1024n, 4096n],
    ['two that are equal', { soft: 9, hard: 9 }, 9n, 9n],
    ['a number and "unlimited"', { soft: 1024, hard: 'unlimited' }, 1024n, unlimited],
    ['the largest exact number', 2 ** 53 - 1, 2n ** 53n - 1n, 2n ** 53n - 1n],
  ])('may be %s', (_what, nofile, soft, hard) => {
    expect(settingsOf({ limits: { nofile } }).limits).toEqual([
      { resource: 7, name: 'nofile', soft, hard },
    ]);
  });

  test.each([
    ['less than nothing', -1],
    ['a fraction', 0.5],
    ['more than a number can say exactly', 2 ** 53],
    ['no number', Number.NaN],
    ['endless', Infinity],
    ['a number as text', '1024'],
    ['a size as text', '64k'],
    ['off', false],
    ['nothing', null],
  ])('cannot be %s', (_what, value) => {
    const rule = 'expected a whole number from 0 to 2^53 - 1, "unlimited" or {soft, hard}';
    expect(problemsOf({ limits: { core: value } })).toEqual([
      expect.stringContaining(`init.limits.core: ${rule}, received `),
    ]);
    expect(problemsOf({ limits: { core: { soft: value, hard: 1 } } })).toEqual([
      expect.stringContaining(`init.limits.core.soft: ${rule}, received `),
    ]);
  });

  test.each([
    ['numbers', { soft: 2, hard: 1 }],
    ['"unlimited" and a number', { soft: 'unlimited', hard: 2 ** 53 - 1 }],
  ])('cannot be soft above hard: %s', (_what, nofile) => {
    expect(problemsOf({ limits: { nofile } })).toEqual([
      'init.limits.nofile: expected a soft limit that is at most the hard limit, received an object',
    ]);
  });

  test('needs both, where it is an object, and nothing else', () => {
    expect(problemsOf({ limits: { nofile: { soft: 1, hrad: 2 } } })).toEqual([
      'init.limits.nofile.hard: expected a value, received nothing',
      'init.limits.nofile.hrad: unknown key (did you mean hard?), expected one of soft, hard',
    ]);
  });

  test('of an unknown resource is refused, and the nearest name told', () => {
    expect(problemsOf({ limits: { nofiles: 1, RLIMIT_CORE: 0 } })).toEqual([
      expect.stringMatching(
        /^init\.limits\.nofiles: unknown key \(did you mean nofile\?\), expected one of as, /,
      ),
      expect.stringMatching(/^init\.limits\.RLIMIT_CORE: unknown key, expected one of as, /),
    ]);
  });

  test('comes in the order of the numbers, whatever order it was written in', () => {
    const names = settingsOf({ limits: { rttime: 1, as: 1, cpu: 1 } }).limits.map(
      ({ name }) => name,
    );
    expect(names).toEqual(['cpu', 'as', 'rttime']);
  });

  test('has the number that asm-generic/resource.h gives its resource', () => {
    const inTheirOrder =
      'cpu fsize data stack core rss nproc nofile memlock as locks sigpending msgqueue nice rtprio rttime';
    const limits = Object.fromEntries(inTheirOrder.split(' ').map((name) => [name, 1]));
    expect(settingsOf({ limits }).limits).toEqual(
      inTheirOrder.split(' ').map((name, resource) => ({ resource, name, soft: 1n, hard: 1n })),
    );
    expectTypeOf<ResourceName>().toEqualTypeOf<keyof typeof resourceNumbers>();
  });
});
