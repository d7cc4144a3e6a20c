import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  redactLog,
  redactValue,
  redactionOf,
  withoutLiterals,
} from '../../src/core/bundle-redaction.ts';
import { reportOf } from './debug-rig.ts';

describe('the report of debug in an archive', () => {
  const world = {
    config: { variables: { AUTH: 'literal-sesame', EMPTY: { empty: true } } },
    argv: ['mysql', '-pargument-sesame', '--', 'x'],
  };

  test('has no literal of the config and no argument, but their names and their number', async () => {
    const report = await reportOf(world);
    const bundled = withoutLiterals(structuredClone(report));

    expect(JSON.stringify(report)).toContain('sesame');
    expect(JSON.stringify(bundled)).not.toContain('sesame');
    expect(bundled).toMatchObject({
      variables: expect.arrayContaining([
        expect.objectContaining({ name: 'AUTH', value: null, hidden: 'bundle' }),
      ]),
      start: { command: ['mysql', '[argument]', '[argument]', '[argument]'] },
    });
  });

  test('keeps addresses, services and problems', async () => {
    const report = await reportOf(world);
    const { variables: _, start: __, ...rest } = report;

    expect(withoutLiterals(structuredClone(report))).toMatchObject(structuredClone(rest));
  });

  test('of another version, or none at all, is no reason to fail', () => {
    for (const text of ['null', '[]', '3', '{"variables":7,"start":[]}', '{"start":{}}']) {
      expect(() => withoutLiterals(JSON.parse(text))).not.toThrow();
    }
  });
});

describe('a value of the environment', () => {
  const hard = fc.constantFrom('"', '\\', '\n', '\r\n', '$&', '\u2028', 'é', ' ', '{', 'sesame');
  const value = fc
    .array(hard, { minLength: 1, maxLength: 6 })
    .map((parts) => `open-${parts.join('')}-sesame`);

  test('is in no text of a document, whatever characters it has and wherever it stands', () => {
    fc.assert(
      fc.property(value, (secret) => {
        const redaction = redactionOf(new Map([['DB_PASSWORD', secret]]));
        const document = { [secret]: secret, list: [`a ${secret} b`, 7, null, [secret]] };
        const text = JSON.stringify(redactValue(document, redaction));

        for (const line of secret.split(/\r?\n/).filter(({ length }) => length >= 6)) {
          expect(text).not.toContain(JSON.stringify(line).slice(1, -1));
        }
        expect(JSON.parse(text).list.slice(1, 3)).toEqual([7, null]);
      }),
    );
  });

  test('stays where its name says that it is none to hide, or where it is too short to be found', () => {
    const { redact } = redactionOf(
      new Map([
        ['PATH', '/usr/bin:/bin'],
        ['WARP_INIT_SOCKET', '/run/api.sock'],
        ['LC_ALL', 'C.UTF-8'],
        ['PIN', '12345'],
        ['PATHS', '/secret/place'],
      ]),
    );

    expect(redact('/usr/bin:/bin /run/api.sock C.UTF-8 12345 /secret/place')).toBe(
      '/usr/bin:/bin /run/api.sock C.UTF-8 12345 [secret]',
    );
  });
});

describe('of a log', () => {
  const redaction = redactionOf(new Map([['KEY', 'open "sesame"']]));

  test('lines of ours stay, without what is to be hidden', () => {
    const line = { level: 40, name: 'warp-init', msg: 'Cannot use open "sesame"', pid: 7 };

    expect(JSON.parse(redactLog(`${JSON.stringify(line)}\n`, redaction))).toEqual({
      ...line,
      msg: 'Cannot use [secret]',
    });
  });

  test('what others print is left out: text, other JSON, half a line', () => {
    const text = 'KEY=other\n{"name":"theirs","msg":"x"}\nnull\n["warp-init"]\n{"name":"warp-i';

    expect(redactLog(text, redaction)).toBe('');
  });

  test('what the reload command has said is only counted', () => {
    const line = { name: 'warp-init', from: 'reload command', msg: 'FROM_DOTENV=sesame' };

    expect(redactLog(JSON.stringify(line), redaction)).toBe(
      '{"name":"warp-init","from":"reload command","msg":"[output]"}\n',
    );
  });
});
