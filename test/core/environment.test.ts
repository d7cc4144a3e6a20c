import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type EnvironmentInput,
  type Variable,
  type VariableOrigin,
  buildEnvironment,
} from '../../src/core/environment.ts';
import type { IstName, IstService } from '../../src/core/ist.ts';
import { Secret } from '../../src/core/secret.ts';

const nothing: EnvironmentInput = {
  inherited: new Map(),
  dotenv: [],
  identity: [],
  user: undefined,
  ist: { services: [] },
  rules: [],
  secrets: undefined,
};

function build(input: Partial<EnvironmentInput>): Map<string, Variable> {
  const { variables } = buildEnvironment({ ...nothing, ...input });
  return new Map(variables.map((variable) => [variable.name, variable]));
}

function service(name: string, variables: readonly IstName[], address?: string): IstService {
  const base = { name, containerId: `id-${name}`, hasEntry: false, others: [], hostnames: [] };
  return { ...base, tier: 'best', variables, ...(address === undefined ? {} : { address }) };
}

const db = service('db', [{ name: 'WARP_IST_db', rule: 'generic' }], '10.0.0.7');

describe('layers', () => {
  const setters: Readonly<Record<VariableOrigin, Partial<EnvironmentInput>>> = {
    inherited: { inherited: new Map([['HOME', '/inherited']]) },
    dotenv: { dotenv: [{ path: '.env', values: new Map([['HOME', '/dotenv']]) }] },
    identity: { identity: [{ name: 'HOME', value: '/identity', origin: 'identity' }] },
    user: { user: { name: 'app', home: '/user' } },
    ist: { ist: { services: [service('s', [{ name: 'HOME', rule: 'explicit' }], '10.0.0.1')] } },
    variables: { rules: [{ name: 'HOME', kind: 'literal', value: '/variables' }] },
    secret: {
      secrets: {
        references: new Map(),
        named: [{ name: 'HOME', value: new Secret('x'), origin: 'secret' }],
        bulk: [],
      },
    },
  };
  const order = [
    'dotenv',
    'inherited',
    'identity',
    'user',
    'ist',
    'variables',
    'secret',
  ] as const satisfies readonly VariableOrigin[];

  test('the last one in the order wins, whichever others are there', () => {
    fc.assert(
      fc.property(fc.subarray([...order], { minLength: 1 }), (present) => {
        const input = Object.assign({}, ...present.map((origin) => setters[origin]));
        expect(build(input).get('HOME')?.origin).toBe(present.at(-1));
      }),
    );
  });

  test('a dotenv file fills what is missing, and an empty inherited value is not missing', () => {
    const variables = build({
      inherited: new Map([['EMPTY', '']]),
      dotenv: [
        {
          path: 'a.env',
          values: new Map([
            ['EMPTY', 'a'],
            ['NEW', 'a'],
          ]),
        },
        {
          path: 'b.env',
          values: new Map([
            ['NEW', 'b'],
            ['LATE', 'b'],
          ]),
        },
      ],
    });

    expect(variables.get('EMPTY')).toMatchObject({ value: '', origin: 'inherited' });
    expect(variables.get('NEW')).toMatchObject({ value: 'a', origin: 'dotenv', from: 'a.env' });
    expect(variables.get('LATE')).toMatchObject({ value: 'b', origin: 'dotenv', from: 'b.env' });
  });

  test('an IST variable is the address of its service, and says which service and rule', () => {
    expect(build({ ist: { services: [db] } }).get('WARP_IST_db')).toEqual({
      name: 'WARP_IST_db',
      value: '10.0.0.7',
      origin: 'ist',
      from: 'db',
      istRule: 'generic',
    });
  });

  test('a service without an address gives no variable', () => {
    expect(
      build({ ist: { services: [service('x', [{ name: 'X', rule: 'explicit' }])] } }).size,
    ).toBe(0);
  });

  test('inherited variables keep their order, new ones follow', () => {
    const inherited = new Map([
      ['Z', '1'],
      ['HOME', '/root'],
      ['A', '2'],
    ]);
    const names = [
      ...build({ inherited, user: { name: 'app', home: '/h' }, ist: { services: [db] } }).keys(),
    ];

    expect(names).toEqual(['Z', 'HOME', 'A', 'USER', 'LOGNAME', 'WARP_IST_db']);
  });

  test('an undecodable byte stays the surrogate that stands for it', () => {
    expect(
      build({ inherited: new Map([['RAW\udcfe', '\udcff\udc80']]) }).get('RAW\udcfe')?.value,
    ).toBe('\udcff\udc80');
  });
});

describe('variables of init', () => {
  test('WARP_INIT_* reaches the app from no layer, and other WARP_ names do', () => {
    const name = 'WARP_INIT_DEBUG';
    const variables = build({
      inherited: new Map([
        [name, '1'],
        ['WARP_INITIAL', '1'],
      ]),
      dotenv: [{ path: '.env', values: new Map([['WARP_INIT_USER', 'x']]) }],
      rules: [{ name: 'WARP_INIT_', kind: 'literal', value: '1' }],
      secrets: {
        references: new Map(),
        named: [],
        bulk: [{ name: 'WARP_INIT_X', value: new Secret('x'), origin: 'secret' }],
      },
    });

    expect([...variables.keys()]).toEqual(['WARP_INITIAL']);
  });

  test('CYCLE_API_TOKEN reaches the app, and from no layer where it is to be hidden', () => {
    const name = 'CYCLE_API_TOKEN';
    const layers = {
      inherited: new Map([
        [name, 'token'],
        [`${name}_FILE`, 'x'],
      ]),
      rules: [{ name, kind: 'local' }] as const,
      secrets: {
        references: new Map(),
        named: [{ name, value: new Secret('x'), origin: 'secret' }] as const,
        bulk: [],
      },
    };

    expect([...build(layers).keys()]).toEqual([name, `${name}_FILE`]);
    expect([...build({ ...layers, hideToken: true }).keys()]).toEqual([`${name}_FILE`]);
  });

  test('NODE_OPTIONS reaches the app unchanged', () => {
    const inherited = new Map([['NODE_OPTIONS', '--max-old-space-size=64']]);
    expect(build({ inherited }).get('NODE_OPTIONS')?.value).toBe('--max-old-space-size=64');
  });
});

describe('the user', () => {
  const inherited = new Map([
    ['HOME', '/root'],
    ['USER', 'root'],
    ['LOGNAME', 'root'],
  ]);

  test('HOME, USER and LOGNAME follow', () => {
    const variables = build({ inherited, user: { name: 'app', home: '/home/app' } });
    const values = [...variables].map(([name, { value, origin }]) => [name, value, origin]);

    expect(values).toEqual([
      ['HOME', '/home/app', 'user'],
      ['USER', 'app', 'user'],
      ['LOGNAME', 'app', 'user'],
    ]);
  });

  test('without a name the inherited USER and LOGNAME go, because they name somebody else', () => {
    expect([...build({ inherited, user: { name: undefined, home: '/' } }).keys()]).toEqual([
      'HOME',
    ]);
  });

  test('a HOME in `variables` wins over that of the user, `{local: true}` brings the inherited one', () => {
    const user = { name: 'app', home: '/home/app' };
    const literal = build({
      inherited,
      user,
      rules: [{ name: 'HOME', kind: 'literal', value: '/srv' }],
    });
    const local = build({ inherited, user, rules: [{ name: 'HOME', kind: 'local' }] });

    expect(literal.get('HOME')?.value).toBe('/srv');
    expect(local.get('HOME')).toMatchObject({ value: '/root', origin: 'variables' });
  });
});

describe('`variables`', () => {
  test('`local` takes the inherited value, even where identity has set another', () => {
    const variables = build({
      inherited: new Map([['WARP_ENV', 'mine']]),
      identity: [{ name: 'WARP_ENV', value: 'prod', origin: 'identity' }],
      rules: [{ name: 'WARP_ENV', kind: 'local' }],
    });
    expect(variables.get('WARP_ENV')).toMatchObject({
      value: 'mine',
      from: 'inherited environment',
    });
  });

  test('`local` takes what a dotenv file filled in', () => {
    const variables = build({
      dotenv: [{ path: '.env', values: new Map([['KEY', 'v']]) }],
      rules: [{ name: 'KEY', kind: 'local' }],
    });
    expect(variables.get('KEY')).toMatchObject({ value: 'v', origin: 'variables', from: '.env' });
  });

  test('`local` without an inherited value leaves the variable out, with a warning that names it', () => {
    const { variables, warnings } = buildEnvironment({
      ...nothing,
      identity: [{ name: 'WARP_ENV', value: 'prod', origin: 'identity' }],
      rules: [{ name: 'WARP_ENV', kind: 'local' }],
    });

    expect(variables).toEqual([]);
    expect(warnings).toMatchObject([{ code: 'W_VARIABLE_LOCAL', where: 'variables.WARP_ENV' }]);
  });

  test('`undef` removes what inherited, identity and IST have set', () => {
    const variables = build({
      inherited: new Map([['A', '1']]),
      identity: [{ name: 'WARP_ENV', value: 'prod', origin: 'identity' }],
      ist: { services: [db] },
      rules: ['A', 'WARP_ENV', 'WARP_IST_db'].map((name) => ({ name, kind: 'undef' })),
    });
    expect(variables.size).toBe(0);
  });

  test('`undef` does not keep a secret from setting the variable again', () => {
    const secret = new Secret('s');
    const variables = build({
      inherited: new Map([['TOKEN', 'old']]),
      rules: [{ name: 'TOKEN', kind: 'undef' }],
      secrets: {
        references: new Map(),
        named: [],
        bulk: [{ name: 'TOKEN', value: secret, origin: 'secret' }],
      },
    });
    expect(variables.get('TOKEN')?.value).toBe(secret);
  });

  test('`empty` is an empty value, not an absent variable', () => {
    const variables = build({
      inherited: new Map([['A', '1']]),
      rules: [{ name: 'A', kind: 'empty' }],
    });
    expect(variables.get('A')).toMatchObject({ value: '', origin: 'variables' });
  });
});

describe('references to secrets', () => {
  const password = new Secret('hunter2');
  const secrets = { references: new Map([['db-url', password]]), named: [], bulk: [] };

  test.each<[string, Partial<EnvironmentInput>]>([
    ['the inherited environment', { inherited: new Map([['URL', 'warp-secret:db-url']]) }],
    [
      'a dotenv file',
      { dotenv: [{ path: '.env', values: new Map([['URL', 'warp-secret:db-url']]) }] },
    ],
    ['`variables`', { rules: [{ name: 'URL', kind: 'literal', value: 'warp-secret:db-url' }] }],
  ])('are replaced in %s', (_place, input) => {
    expect(build({ ...input, secrets }).get('URL')).toEqual({
      name: 'URL',
      value: password,
      origin: 'secret',
      from: 'db-url',
    });
  });

  test('are plain text in a name that the platform gave', () => {
    const identity: Variable[] = [
      { name: 'WARP_ENV', value: 'warp-secret:db-url', origin: 'identity' },
    ];
    expect(build({ identity, secrets }).get('WARP_ENV')?.value).toBe('warp-secret:db-url');
  });

  test.each(['x warp-secret:db-url', 'postgres://warp-secret:db-url@h', 'WARP-SECRET:db-url'])(
    'are the whole value: %s stays as it is',
    (value) => {
      expect(build({ inherited: new Map([['URL', value]]), secrets }).get('URL')?.value).toBe(
        value,
      );
    },
  );

  test('stay as they are written where no secret was fetched', () => {
    const inherited = new Map([['URL', 'warp-secret:db-url']]);
    expect(build({ inherited }).get('URL')).toEqual({
      name: 'URL',
      value: 'warp-secret:db-url',
      origin: 'inherited',
    });
  });

  test('win over "all" and over documents, and lose to init.secrets.env', () => {
    const other = new Secret('other');
    const inherited = new Map([
      ['URL', 'warp-secret:db-url'],
      ['PLAIN', 'p'],
    ]);
    const rival: Variable = { name: 'URL', value: other, origin: 'secret', from: 'other' };
    const bulk = [rival, { ...rival, name: 'PLAIN' }];

    const againstBulk = build({ inherited, secrets: { ...secrets, bulk } });
    expect(againstBulk.get('URL')?.value).toBe(password);
    expect(againstBulk.get('PLAIN')?.value).toBe(other);
    expect(build({ inherited, secrets: { ...secrets, named: [rival] } }).get('URL')?.value).toBe(
      other,
    );
  });
});
