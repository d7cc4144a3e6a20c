import { inspect } from 'node:util';
import { parse } from 'dotenv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  type EnvFileInput,
  envFileWarnings,
  formatEnvFile,
  planEnvFile,
} from '../../src/core/env-file.ts';
import type { Variable } from '../../src/core/environment.ts';
import { Secret } from '../../src/core/secret.ts';

const parsers = [{ fast: false }, { fast: true }];

function plain(name: string, value: string, origin: Variable['origin'] = 'inherited'): Variable {
  return { name, value, origin };
}

function secret(name: string, value: string): Variable {
  return { name, value: new Secret(value), origin: 'secret', from: 'id' };
}

const words = fc.constantFrom(
  "'",
  '"',
  '`',
  '\\',
  String.raw`\n`,
  String.raw`\r`,
  '\n',
  '\r',
  '\r\n',
  '#',
  ' ',
  '\t',
  '=',
  ':',
  'export ',
  'A=b',
  '$HOME',
  '${A}',
  '$(id)',
  'é',
  '我',
  '\u2028',
  '\u0085',
  '\u00a0',
  '\ufeff',
  '\ud800',
  '\udcff',
  '{"a": "b\'s"}',
  '-----BEGIN KEY-----\nMIIB\n',
);
const text = fc.array(words, { maxLength: 6 }).map((parts) => parts.join(''));
const names = fc.constantFrom(
  'A',
  'a.b',
  '-',
  '1',
  'export',
  '__proto__',
  'é',
  'A B',
  'A\nB',
  'a:b',
  '#',
  "'",
  'constructor',
);
const variables = fc
  .array(fc.tuple(names, text, fc.boolean()), { maxLength: 6 })
  .map((list) => [...new Map(list.map((one) => [one[0], one])).values()])
  .map((list) =>
    list.map(([name, value, isSecret]) => (isSecret ? secret(name, value) : plain(name, value))),
  );

describe('the env file', () => {
  test("is read back by dotenv's own parsers: every variable exactly, or as a comment", () => {
    fc.assert(
      fc.property(variables, (list) => {
        const file = formatEnvFile(list);
        const comments = file
          .split('\n')
          .filter((line) => line.endsWith(' cannot be held by a dotenv file'));
        const read = parsers.map((options) => parse(file, options));
        expect(read[0]).toEqual(read[1]);
        const values = new Map(Object.entries(read[0] ?? {}));
        for (const { name, value } of list) {
          const expected = value instanceof Secret ? value.reveal() : value;
          expect([expected, undefined]).toContain(values.get(name));
        }

        expect(values.size + comments.length).toBe(list.length);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['two lines', 'a\nb'],
    ['CR and LF', 'a\r\nb'],
    ['JSON', '{"a": "it\'s", "b": [1]}'],
    ['every kind of quotes', `a'b"c\`d`],
    ['a key in PEM', '-----BEGIN PRIVATE KEY-----\nMIIB/+=\n-----END PRIVATE KEY-----\n'],
    ['blanks around', ' a '],
    ['nothing', ''],
    ['a comment', 'a # b'],
    ['dollars', '$HOME ${HOME} $(id)'],
    ['a backslash at the end', 'C:\\'],
    ['an escape that is meant', String.raw`a\nb`],
  ])('holds %s', (_what, value) => {
    for (const options of parsers) {
      expect(parse(formatEnvFile([secret('A', value)]), options)).toEqual({ A: value });
    }
  });

  test('never lets a backslash at the end of one value take in the next line', () => {
    for (const value of ['#\\', "#'\\", ' \\', 'a\nb\\']) {
      const file = formatEnvFile([secret('A', value), plain('B', " b'"), plain('C', ' c"')]);
      for (const options of parsers) {
        expect(parse(file, options)).toEqual({ B: " b'", C: ' c"' });
      }
    }
  });

  test('says in a comment what it cannot hold, and a warning names what the operator can change', () => {
    const all = `'"\`\n`;
    const list = [
      plain('A', all, 'variables'),
      plain('my name', 'x'),
      plain('WARP_IST_my-db:dev', '10.0.0.1', 'ist'),
      secret('KEY', `${all}hunter2`),
      plain('B', 'b'),
    ];
    expect(formatEnvFile(list)).toBe(
      [
        '# The environment of the app, written by warp-init: changes are lost.',
        'B=b',
        '# A cannot be held by a dotenv file',
        "# 'my name' cannot be held by a dotenv file",
        '# WARP_IST_my-db:dev cannot be held by a dotenv file',
        '# KEY cannot be held by a dotenv file',
        '',
      ].join('\n'),
    );
    expect(envFileWarnings(list)).toEqual([
      {
        code: 'W_ENV_FILE_LEFT_OUT',
        message:
          "The env file leaves out A, 'my name', one secret: the dotenv format cannot hold such a name or value",
        where: 'init.envFile',
        fix: 'Let the app read these from its environment, or give them other names and values, for example base64.',
      },
    ]);
    expect(envFileWarnings([plain('a:b', '10.0.0.1', 'ist'), plain('B', 'b')])).toEqual([]);
  });
});

describe('the place of the env file', () => {
  const input: EnvFileInput = {
    envFile: true,
    state: { kind: 'usable', path: '/run/warp-init' },
    variables: [secret('KEY', 'hunter2')],
    wanted: { secrets: [], isAll: false },
    owner: { mode: 0o600, uid: 1, gid: 2 },
    mediumOf: (path) => (path.startsWith('/dev/shm/') ? 'memory' : 'disk'),
  };

  test.each<[string, Partial<EnvFileInput>, string, string | undefined]>([
    ['the state directory, with secrets, on a disk', {}, '/run/warp-init/env', 'E_ENV_FILE_DISK'],
    [
      'the state directory, with secrets, in memory',
      { state: { kind: 'usable', path: '/dev/shm/warp-init-0' } },
      '/dev/shm/warp-init-0/env',
      undefined,
    ],
    [
      'the state directory, without secrets, on a disk',
      { variables: [plain('A', 'b')] },
      '/run/warp-init/env',
      undefined,
    ],
    [
      'a disk, for `debug`, which has not fetched the secrets that it will hold',
      {
        variables: [],
        wanted: { secrets: [{ kind: 'dotenv', identifier: 'x', where: 'here' }], isAll: false },
      },
      '/run/warp-init/env',
      'E_ENV_FILE_DISK',
    ],
    [
      'a disk, with secrets that become files alone',
      {
        variables: [],
        wanted: {
          secrets: [
            { kind: 'file', identifier: 'x', where: 'here', path: '/x', allowEmpty: false },
          ],
          isAll: false,
        },
      },
      '/run/warp-init/env',
      undefined,
    ],
    [
      'a disk, for every secret',
      { variables: [], wanted: { secrets: [], isAll: true } },
      '/run/warp-init/env',
      'E_ENV_FILE_DISK',
    ],
    ['a path in memory', { envFile: '/dev/shm/app.env' }, '/dev/shm/app.env', undefined],
    ['a path on a disk', { envFile: '/srv/app.env' }, '/srv/app.env', 'E_ENV_FILE_DISK'],
    [
      'no state directory',
      { state: { kind: 'none', tried: [{ path: '/run/warp-init', reason: 'why' }] } },
      'env',
      'E_ENV_FILE_PLACE',
    ],
    [
      'a path in memory, without a state directory',
      { envFile: '/dev/shm/app.env', state: { kind: 'none', tried: [] } },
      '/dev/shm/app.env',
      undefined,
    ],
  ])('%s', (_what, change, path, code) => {
    const step = planEnvFile({ ...input, ...change });
    expect({ path: step.path, code: step.refusal?.code }).toEqual({ path, code });
  });

  test('is refused with a way out, and the step shows no secret', () => {
    const step = planEnvFile(input);
    expect(step.refusal).toMatchObject({
      exitCode: 78,
      message:
        'Cannot write the env file /run/warp-init/env: secrets are in it, and its file system is not in memory (tmpfs)',
      remedy: { where: 'init.envFile', fix: expect.stringContaining('"/dev/shm/app.env"') },
    });
    expect(JSON.stringify(step) + inspect(step, { depth: 9 })).not.toContain('hunter2');
  });
});
