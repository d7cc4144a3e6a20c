import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Variable } from '../../src/core/environment.ts';
import type { IstName } from '../../src/core/ist.ts';
import {
  defaultLimits,
  fitEnvironment,
  utf8Length,
  limitsOfStack,
} from '../../src/core/kernel-limits.ts';
import { Secret } from '../../src/core/secret.ts';
import { StartError } from '../../src/errors.ts';

function plain(name: string, value: string): Variable {
  return { name, value, origin: 'inherited' };
}

function ist(name: string, istRule: IstName['rule']): Variable {
  return { name, value: '10.0.0.1', origin: 'ist', from: name, istRule };
}

/** What the kernel counts for one string: itself, its NUL, its pointer. */
function space(text: string): number {
  return text.length + 1 + 8;
}

function errorOf(run: () => unknown): StartError {
  try {
    run();
  } catch (error) {
    if (error instanceof StartError) {
      return error;
    }

    throw error;
  }

  throw new Error('expected a StartError');
}

describe('utf8Length', () => {
  test('is the length that TextEncoder gives, for any well-formed text', () => {
    const words = fc.constantFrom(
      'a',
      '~',
      '\x7f',
      '\x80',
      'é',
      '\u07ff',
      '\u0800',
      '我',
      '\ud7ff',
      '\ue000',
      '\uffff',
      '✅',
      '😀',
      '\u{10ffff}',
    );
    const encoder = new TextEncoder();

    fc.assert(
      fc.property(fc.array(words), (parts) => {
        const text = parts.join('');
        expect(utf8Length(text)).toBe(encoder.encode(text).length);
      }),
    );
  });

  test.each([
    ['an undecodable byte is one byte, the first', '\udc80', 1],
    ['an undecodable byte is one byte, the last', 'a\udcff', 2],
    ['a low surrogate below that range becomes U+FFFD', '\udc7f', 3],
    ['a low surrogate above that range becomes U+FFFD', '\udd00', 3],
    ['a high surrogate at the end becomes U+FFFD', 'a\ud83d', 4],
    ['a high surrogate before ASCII becomes U+FFFD', '\ud83da', 4],
  ])('%s', (_rule, text, bytes) => {
    expect(utf8Length(text)).toBe(bytes);
  });
});

describe('one string', () => {
  const largest = 131_072 - 'BIG='.length - 1;

  test('of 131,072 bytes with its NUL passes', () => {
    const variables = [plain('BIG', 'x'.repeat(largest))];
    expect(fitEnvironment({ argv: ['true'], variables })).toEqual({ variables, warnings: [] });
  });

  test('of one byte more is refused, with name and size and without its value', () => {
    const value = new Secret('x'.repeat(largest + 1));
    const variables: Variable[] = [plain('A', '1'), { name: 'BIG', value, origin: 'secret' }];
    const error = errorOf(() => fitEnvironment({ argv: ['true'], variables }));

    expect(error).toMatchObject({
      code: 'E_ENVIRONMENT_TOO_LARGE',
      exitCode: 78,
      remedy: { where: 'BIG' },
    });
    expect(error.message).toBe(
      'Cannot pass BIG (131073 bytes): the kernel takes at most 131072 bytes in one NAME=value with its NUL',
    );
  });

  test('is measured in bytes, not in characters', () => {
    const variables = [plain('BIG', 'é'.repeat(70_000))];
    expect(errorOf(() => fitEnvironment({ argv: [], variables })).message).toContain(
      'BIG (140005 bytes)',
    );
  });

  test('of argv is refused by its place', () => {
    const argv = ['sh', '-c', 'x'.repeat(131_072)];
    const error = errorOf(() => fitEnvironment({ argv, variables: [] }));

    expect(error).toMatchObject({ code: 'E_ARGUMENTS_TOO_LARGE', exitCode: 78 });
    expect(error.message).toContain('argument 2');
    expect(error.message).toContain('131073 bytes');
    expect(
      fitEnvironment({ argv: ['sh', '-c', 'x'.repeat(131_071)], variables: [] }).warnings,
    ).toEqual([]);
  });

  test('with a NUL is refused by its name', () => {
    const error = errorOf(() =>
      fitEnvironment({ argv: [], variables: [plain('KEY', 'hunter2\0')] }),
    );

    expect(error).toMatchObject({ code: 'E_ENVIRONMENT_NUL', exitCode: 78 });
    expect(error.message).toContain('KEY');
    expect(error.message).not.toContain('hunter2');
  });

  test.each([
    ['of one byte more', 'x'.repeat(largest)],
    ['with a NUL', 'hunter2\0'],
  ])('%s is refused by the name of the secret document that it is in', (_what, text) => {
    const variable = { name: 'NAME_IN_IT', value: new Secret(text), from: 'doc' };
    const variables: Variable[] = [{ ...variable, origin: 'secret', isBulk: true }];
    const { message, remedy } = errorOf(() => fitEnvironment({ argv: [], variables }));

    expect(message).toContain('Cannot pass a line of secret "doc"');
    expect(message + remedy.where).not.toContain('NAME_IN_IT');
  });

  test('that a neighbour made too long is left out with a warning', () => {
    const variables = [plain('A', '1'), ist('WARP_IST_' + 'x'.repeat(140_000), 'generic')];
    const fitted = fitEnvironment({ argv: ['true'], variables });

    expect(fitted.variables).toEqual([plain('A', '1')]);
    expect(fitted.warnings).toMatchObject([{ code: 'W_IST_VARIABLES_LEFT_OUT' }]);
  });

  test('a name as long as a value is shortened in the message', () => {
    const variables = [plain('N'.repeat(140_000), '')];
    expect(errorOf(() => fitEnvironment({ argv: [], variables })).message.length).toBeLessThan(300);
  });
});

describe('all strings together', () => {
  const argv = ['node', 'server.js'];
  const keep = [plain('PATH', '/bin'), ist('DB', 'explicit')];
  const shells = [ist('WARP_IST_a_1', 'shell'), ist('WARP_IST_b_1', 'shell')];
  const generics = [ist('WARP_IST_a-1', 'generic'), ist('WARP_IST_b-1', 'generic')];
  const variables = [...keep, generics[0], shells[0], generics[1], shells[1]].filter(
    (it) => it !== undefined,
  );
  const one = space('WARP_IST_a_1=10.0.0.1');
  const exact =
    argv.reduce((sum, text) => sum + space(text), 0) +
    space('PATH=/bin') +
    space('DB=10.0.0.1') +
    4 * one;

  function fit(totalBytes: number): readonly string[] {
    const limits = { ...defaultLimits, totalBytes };
    return fitEnvironment({ argv, variables }, limits).variables.map(({ name }) => name);
  }

  test('pass up to the limit, pointers and NULs counted', () => {
    expect(fit(exact)).toEqual(variables.map(({ name }) => name));
  });

  test.each([
    [1, ['WARP_IST_a-1', 'WARP_IST_b-1', 'WARP_IST_b_1']],
    [one, ['WARP_IST_a-1', 'WARP_IST_b-1', 'WARP_IST_b_1']],
    [one + 1, ['WARP_IST_a-1', 'WARP_IST_b-1']],
    [2 * one + 1, ['WARP_IST_b-1']],
    [4 * one, []],
  ])(
    '%i bytes too many leave out shell names first, then generic ones, no more than needed',
    (excess, left) => {
      expect(fit(exact - excess)).toEqual(['PATH', 'DB', ...left]);
    },
  );

  test.each([
    ['of 8 MiB', 8 * 2 ** 20, 2 * 2 ** 20],
    ['of 1 MiB', 2 ** 20, 2 ** 18],
    ['of next to nothing', 1, 2 ** 17],
    ['that is unlimited', Number.POSITIVE_INFINITY, 6 * 2 ** 20],
  ])('the kernel gives a quarter of a stack %s, within its own bounds', (_what, stack, total) => {
    expect(limitsOfStack(stack).totalBytes).toBe(total - 4096);
  });

  test('one warning says how many were left out', () => {
    const limits = { ...defaultLimits, totalBytes: exact - 2 * one - 1 };
    const { warnings } = fitEnvironment({ argv, variables }, limits);

    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.message).toMatch(/^3 default IST variables were left out/);
  });

  test('are refused where the rest alone is too large, naming the largest five', () => {
    const sizes = [9, 3, 8, 1, 7, 2];
    const many = sizes.map((size) => plain(`V${size}`, 'secret'.repeat(size)));
    const limits = { ...defaultLimits, totalBytes: 100 };
    const error = errorOf(() => fitEnvironment({ argv, variables: [...many, ...shells] }, limits));

    expect(error).toMatchObject({
      code: 'E_ENVIRONMENT_TOO_LARGE',
      exitCode: 78,
      remedy: { where: 'V9' },
    });
    expect(error.message).toContain(
      'the largest of 6 variables: V9 (58 bytes), V8 (52 bytes), V7 (46 bytes), V3 (22 bytes), V2 (16 bytes)',
    );
    expect(error.message).toContain('at most 100 bytes together');
    expect(error.message).not.toContain('secret');
    expect(error.message).not.toContain('V1');
  });
});
