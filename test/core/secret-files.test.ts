import { describe, expect, test } from 'vitest';

import { describeStep } from '../../src/core/debug-start.ts';
import { type OwnedSecretFile, planSecretFiles } from '../../src/core/secret-files.ts';
import {
  areSecretsWanted,
  findWantedSecrets,
  refuseWithoutPlatform,
  resolveSecrets,
} from '../../src/core/secret-references.ts';
import { Secret, SecretBytes } from '../../src/core/secret.ts';
import type { SecretFile } from '../../src/core/settings-files.ts';
import { StartError } from '../../src/errors.ts';
import { reportOf } from './debug-rig.ts';

const value = 'hunter2-is-the-value';
const keyFile: SecretFile = {
  secret: 'tls-key',
  path: '/run/key.pem',
  mode: 0o440,
  user: undefined,
  group: undefined,
  decode: undefined,
  unpack: undefined,
  allowEmpty: false,
};
const nothing = { inherited: new Map<string, string>(), dotenv: [], rules: [] };

describe('a secret is wanted as a file', () => {
  test('by init.secrets.files alone, and says for which path', () => {
    const wanted = wantedFor({});

    expect(areSecretsWanted(wanted)).toBe(true);
    expect(wanted.secrets).toEqual([
      {
        kind: 'file',
        identifier: 'tls-key',
        path: '/run/key.pem',
        allowEmpty: false,
        where: 'init.secrets.files',
      },
    ]);
    expect(refuseWithoutPlatform(wanted)?.message).toContain(
      'secret "tls-key" for file /run/key.pem (init.secrets.files)',
    );
  });

  test('and gives no variable', () => {
    const { references, named, bulk } = resolve(wantedFor({}), { 'tls-key': value });
    expect([references.size, named.length, bulk.length]).toEqual([0, 0, 0]);
  });

  test('although it holds a NUL, which no variable can hold', () => {
    expect(() => resolve(wantedFor({}), { 'tls-key': 'a\0b' })).not.toThrow();
  });

  test('so it must be there', () => {
    expect(errorOf(() => resolve(wantedFor({}), {}))).toMatchObject({
      code: 'E_SECRET_UNKNOWN',
      exitCode: 78,
      message: expect.stringContaining('secret "tls-key" for file /run/key.pem'),
      remedy: { where: 'init.secrets.files' },
    });
  });

  test('and must not be empty, unless this file or its identifier may be', () => {
    const empty = { 'tls-key': '' };
    const strict = wantedFor({});

    expect(errorOf(() => resolve(strict, empty)).code).toBe('E_SECRET_EMPTY');
    expect(() => resolve(wantedFor({ allowEmpty: true }), empty)).not.toThrow();
    expect(() => resolve(strict, empty, ['tls-key'])).not.toThrow();
  });

  test('while a variable of the same secret must not be empty all the same', () => {
    const { secrets } = wantedFor({ allowEmpty: true });
    const variable = { kind: 'env', identifier: 'tls-key', variable: 'KEY', where: 'x' } as const;
    const wanted = { secrets: [...secrets, variable], isAll: false };

    expect(errorOf(() => resolve(wanted, { 'tls-key': '' })).message).toMatch(
      /^Cannot use secret "tls-key" for variable KEY \(x\): /,
    );
  });
});

describe('what is written', () => {
  test('is the text, as UTF-8', () => {
    expect(contentOf({}, 'größe\0\n')).toEqual(Buffer.from('größe\0\n'));
  });

  test('is what base64 stands for, white space or not', () => {
    expect(contentOf({ decode: 'base64' }, ' AP8K\n')).toEqual(Buffer.from([0, 255, 10]));
  });

  test('has path, owner and kind of its setting', () => {
    expect(plan({ unpack: 'tar' }, value)).toEqual([
      {
        kind: 'unpack-secret',
        path: '/run/key.pem',
        identifier: 'tls-key',
        owner: { mode: 0o440, uid: 1000, gid: 1000 },
        allowEmpty: false,
        content: expect.any(SecretBytes),
      },
    ]);
    expect(plan({}, value)[0]?.kind).toBe('write-secret');
  });

  test('must be base64: the error names every file, and no part of a value', () => {
    const files = [
      owned({ decode: 'base64' }),
      owned({ secret: 'good', path: '/run/good', decode: 'base64' }),
      owned({ secret: 'other', path: '/run/other', decode: 'base64' }),
    ];
    const fetched = secretsOf({ 'tls-key': value, good: 'aGk=', other: 'classified!' });
    const error = errorOf(() => planSecretFiles(files, fetched));

    expect(error).toMatchObject({ code: 'E_SECRET_BASE64', exitCode: 78 });
    expect(error.message).toBe(
      'Cannot use secret "tls-key" for file /run/key.pem, secret "other" for file /run/other: the value is not base64 (RFC 4648 section 4, with padding; white space is allowed)',
    );
  });

  test('must not be empty when it is decoded', () => {
    const file = { decode: 'base64' } as const;

    expect(errorOf(() => plan(file, ' \n')).code).toBe('E_SECRET_EMPTY');
    expect(contentOf({ ...file, allowEmpty: true }, ' \n')).toEqual(Buffer.alloc(0));
  });

  test('is shown by nothing that turns a plan into text', () => {
    const steps = plan({}, value);

    expect(JSON.stringify(steps)).toContain('"[secret]"');
    expect(String(steps[0]?.content)).toBe('[secret]');
    expect(JSON.stringify(steps) + JSON.stringify(steps.map(describeStep))).not.toMatch(
      /hunter|104/,
    );
  });
});

describe('debug shows a file without having fetched it', () => {
  const config = {
    init: {
      secrets: {
        files: [
          { secret: 'tls-key', path: '/run/key.pem' },
          { secret: 'bundle', path: '/run/tls', unpack: 'tar', decode: 'base64', mode: '0440' },
        ],
      },
    },
  };

  test('in JSON: path, mode, owner, identifier', async () => {
    const { steps, secrets } = await reportOf({ config });

    expect(steps.slice(2, 4)).toEqual([
      {
        kind: 'write-secret',
        path: '/run/key.pem',
        identifier: 'tls-key',
        mode: '0400',
        uid: 1000,
        gid: 1000,
      },
      expect.objectContaining({ kind: 'unpack-secret', path: '/run/tls', mode: '0440' }),
    ]);
    expect(secrets.wanted[0]).toEqual({
      identifier: 'tls-key',
      kind: 'file',
      variable: null,
      path: '/run/key.pem',
      where: 'init.secrets.files',
    });
  });

  test('in the table', async () => {
    const { formatTable } = await import('../../src/core/debug-table.ts');
    const table = formatTable(await reportOf({ config }));

    expect(table).toMatch(/^ +tls-key +for \/run\/key\.pem \(init\.secrets\.files\)$/m);
    expect(table).toMatch(
      /^ +\/run\/key\.pem +the secret tls-key, +mode 0400, uid 1000, gid 1000$/m,
    );
    expect(table).toMatch(/^ +\/run\/tls +unpacked from the secret bundle/m);
  });
});

function wantedFor(change: Partial<SecretFile>) {
  return findWantedSecrets(nothing, {
    env: new Map<string, string>(),
    dotenv: [],
    files: [{ ...keyFile, ...change }],
  });
}

function secretsOf(values: Readonly<Record<string, string>>): Map<string, Secret> {
  return new Map(Object.entries(values).map(([name, text]) => [name, new Secret(text)]));
}

function resolve(
  wanted: ReturnType<typeof wantedFor>,
  values: Readonly<Record<string, string>>,
  allowEmpty: readonly string[] = [],
) {
  return resolveSecrets(wanted, secretsOf(values), {
    allowEmpty: new Set(allowEmpty),
    parseDotenv: () => new Map(),
  });
}

function owned(change: Partial<SecretFile>): OwnedSecretFile {
  const file = { ...keyFile, ...change };
  return { file, owner: { mode: file.mode, uid: 1000, gid: 1000 } };
}

function plan(change: Partial<SecretFile>, text: string) {
  return planSecretFiles([owned(change)], secretsOf({ 'tls-key': text }));
}

function contentOf(change: Partial<SecretFile>, text: string): Buffer {
  return Buffer.from(plan(change, text)[0]?.content?.reveal() ?? 'none');
}

function errorOf(act: () => unknown): StartError {
  try {
    act();
  } catch (error) {
    if (error instanceof StartError) {
      return error;
    }

    throw error;
  }

  throw new Error('expected a StartError');
}
