import { describe, expect, test } from 'vitest';
import type { WrittenLayers } from '../../src/core/environment.ts';
import {
  type WantedSecrets,
  areSecretsWanted,
  findWantedSecrets,
  refuseWithoutPlatform,
  resolveSecrets,
} from '../../src/core/secret-references.ts';
import { Secret } from '../../src/core/secret.ts';
import { StartError } from '../../src/errors.ts';

const nothing: WrittenLayers = { inherited: new Map(), dotenv: [], rules: [] };
const none = { env: new Map<string, string>(), dotenv: [], files: [] };
const value = 'hunter2-is-the-value';

function secretsOf(entries: Readonly<Record<string, string>>): Map<string, Secret> {
  return new Map(
    Object.entries(entries).map(([identifier, text]) => [identifier, new Secret(text)]),
  );
}

function resolve(
  wanted: WantedSecrets,
  entries: Readonly<Record<string, string>>,
  allowEmpty: readonly string[] = [],
) {
  return resolveSecrets(wanted, secretsOf(entries), {
    allowEmpty: new Set(allowEmpty),
    parseDotenv: (text) =>
      new Map(text.split('\n').map((line) => [line.split('=')[0] ?? '', line.split('=')[1] ?? ''])),
  });
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

function reference(variable: string, identifier: string): WantedSecrets {
  const inherited = new Map([[variable, `warp-secret:${identifier}`]]);
  return findWantedSecrets({ ...nothing, inherited }, none);
}

describe('a secret is wanted', () => {
  test('by nobody, where nobody names one', () => {
    const wanted = findWantedSecrets({ ...nothing, inherited: new Map([['A', 'plain']]) }, none);
    expect(areSecretsWanted(wanted)).toBe(false);
  });

  test('by a reference in each place that the operator writes, and says which', () => {
    const wanted = findWantedSecrets(
      {
        inherited: new Map([['A', 'warp-secret:a']]),
        dotenv: [{ path: 'app.env', values: new Map([['B', 'warp-secret:b']]) }],
        rules: [{ name: 'C', kind: 'literal', value: 'warp-secret:c' }],
      },
      none,
    );

    expect(wanted.secrets).toEqual([
      { kind: 'reference', identifier: 'a', variable: 'A', where: 'inherited environment' },
      { kind: 'reference', identifier: 'b', variable: 'B', where: 'app.env' },
      { kind: 'reference', identifier: 'c', variable: 'C', where: 'variables.C' },
    ]);
  });

  test('by init.secrets: the map, documents, "all"', () => {
    const env = new Map([['TOKEN', 'api-token']]);
    const wanted = findWantedSecrets(nothing, { ...none, env, dotenv: ['app-env'] });

    expect(wanted.secrets).toEqual([
      { kind: 'env', identifier: 'api-token', variable: 'TOKEN', where: 'init.secrets.env.TOKEN' },
      { kind: 'dotenv', identifier: 'app-env', where: 'init.secrets.dotenv' },
    ]);
    expect(areSecretsWanted(findWantedSecrets(nothing, { ...none, env: 'all' }))).toBe(true);
  });

  test('by no reference that `variables`, init.secrets.env or an earlier file replaces', () => {
    const wanted = findWantedSecrets(
      {
        inherited: new Map([
          ['A', 'warp-secret:a'],
          ['B', 'warp-secret:b'],
          ['C', 'plain'],
        ]),
        dotenv: [{ path: '.env', values: new Map([['C', 'warp-secret:c']]) }],
        rules: [{ name: 'A', kind: 'undef' }],
      },
      { ...none, env: new Map([['B', 'other']]) },
    );
    expect(wanted.secrets.map(({ identifier }) => identifier)).toEqual(['other']);
  });

  test('by no variable of init itself', () => {
    expect(areSecretsWanted(reference('WARP_INIT_USER', 'x'))).toBe(false);
  });
});

describe('resolved secrets', () => {
  test('are found by reference, by the map and as documents', () => {
    const inherited = new Map([['URL', 'warp-secret:db-url']]);
    const env = new Map([['TOKEN', 'api-token']]);
    const wanted = findWantedSecrets(
      { ...nothing, inherited },
      { ...none, env, dotenv: ['first', 'second'] },
    );
    const resolved = resolve(wanted, {
      'db-url': 'u',
      'api-token': 't',
      first: 'X=1\nY=1',
      second: 'Y=2\nZ=2',
      unwanted: 'no',
    });
    const reveal = (variables: typeof resolved.bulk) =>
      variables.map(({ name, value: it, from }) => [
        name,
        it instanceof Secret ? it.reveal() : it,
        from,
      ]);

    expect(resolved.references.get('db-url')?.reveal()).toBe('u');
    expect([...resolved.references.keys()]).toEqual(['db-url']);
    expect(reveal(resolved.named)).toEqual([['TOKEN', 't', 'api-token']]);
    expect(reveal(resolved.bulk)).toEqual([
      ['X', '1', 'first'],
      ['Y', '1', 'first'],
      ['Z', '2', 'second'],
    ]);
  });

  const all = findWantedSecrets(nothing, { ...none, env: 'all', dotenv: ['doc'] });

  test('"all" sets each valid variable name, and a document wins against it', () => {
    const { bulk } = resolve(all, {
      doc: 'TOKEN=of-doc',
      TOKEN: 'of-all',
      _x9: '1',
      'db-url': '2',
      '9x': '3',
      'a\n': '4',
    });
    expect(bulk.map(({ name, from }) => [name, from])).toEqual([
      ['TOKEN', 'doc'],
      ['doc', 'doc'],
      ['_x9', '_x9'],
    ]);
  });

  test.each([
    'PATH',
    'HOME',
    'LD_PRELOAD',
    'LD_',
    'NODE_OPTIONS',
    'BASH_ENV',
    'ENV',
    'IFS',
    'CYCLE_API_TOKEN',
    'WARP_ENV',
    'WARP_INIT_USER',
  ])('"all" never sets %s, and one warning names it', (name) => {
    const { bulk, warnings } = resolve(all, { doc: 'A=1', [name]: value });

    expect(bulk.map((variable) => variable.name)).not.toContain(name);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.message).toContain(name);
    expect(JSON.stringify(warnings)).not.toContain(value);
  });

  test.each(['PATHS', 'MY_PATH', 'LDAP', 'NODE', 'ENVIRONMENT', 'WARPED'])(
    '"all" sets %s',
    (name) => {
      const { bulk, warnings } = resolve(all, { doc: 'A=1', [name]: 'v' });
      expect(bulk.map((variable) => variable.name)).toContain(name);
      expect(warnings).toEqual([]);
    },
  );
});

describe('refused', () => {
  test('every unknown secret at once, each with variable and place', () => {
    const inherited = new Map([
      ['URL', 'warp-secret:db-url'],
      ['OK', 'warp-secret:ok'],
    ]);
    const wanted = findWantedSecrets(
      { ...nothing, inherited },
      { ...none, env: new Map([['TOKEN', 'api-token']]), dotenv: ['doc'] },
    );
    const error = errorOf(() => resolve(wanted, { ok: value }));

    expect(error).toMatchObject({ code: 'E_SECRET_UNKNOWN', exitCode: 78 });
    expect(error.message).toBe(
      'Cannot use secret "db-url" for variable URL (inherited environment), ' +
        'secret "api-token" for variable TOKEN (init.secrets.env.TOKEN), ' +
        'secret "doc" for init.secrets.dotenv: the platform has none of that identifier for this container',
    );
  });

  test('a reference without an identifier', () => {
    expect(errorOf(() => resolve(reference('URL', ''), { a: '1' })).code).toBe('E_SECRET_UNKNOWN');
  });

  test('an empty secret, unless init.secrets.allowEmpty has it', () => {
    const wanted = reference('URL', 'db-url');

    expect(errorOf(() => resolve(wanted, { 'db-url': '' }))).toMatchObject({
      code: 'E_SECRET_EMPTY',
      exitCode: 78,
    });
    expect(resolve(wanted, { 'db-url': '' }, ['db-url']).references.get('db-url')?.isEmpty()).toBe(
      true,
    );
  });

  test('an empty secret that only "all" wants', () => {
    const wanted = findWantedSecrets(nothing, { ...none, env: 'all' });
    expect(errorOf(() => resolve(wanted, { TOKEN: '' })).message).toContain('"TOKEN"');
  });

  test('a secret with a NUL, by its identifier and never by its value', () => {
    const error = errorOf(() =>
      resolve(reference('URL', 'db-url'), { 'db-url': `${value}\0${value}` }),
    );

    expect(error.code).toBe('E_SECRET_NUL');
    expect(error.message).toContain('"db-url"');
    expect(JSON.stringify([error.message, error.remedy])).not.toContain('hunter2');
  });

  test('any wanted secret where there is no platform, and nothing where none is wanted', () => {
    const error = refuseWithoutPlatform(reference('URL', 'db-url'));

    expect(error).toMatchObject({ code: 'E_SECRET_STANDALONE', exitCode: 69 });
    expect(error?.message).toContain('there is no platform');
    expect(error?.message).toContain('secret "db-url" for variable URL');
    expect(refuseWithoutPlatform({ secrets: [], isAll: true })?.code).toBe('E_SECRET_STANDALONE');
    expect(refuseWithoutPlatform({ secrets: [], isAll: false })).toBeUndefined();
  });
});
