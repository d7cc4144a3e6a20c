import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { configError, parseConfig } from '../../src/core/config.ts';
import { emptyConfig } from '../../src/core/empty-config.ts';
import { describeProblem } from '../../src/core/config-problems.ts';
import type { CheckedConfig, CheckedInit, CheckedIstEntry } from '../../src/core/config-schema.ts';
import { resolveSettings } from '../../src/core/settings.ts';
import type {
  InitConfig,
  IstEntryInput,
  ReloadConfig,
  ResourceName,
  SecretFileInput,
  WarpConfig,
} from '../../src/core/warp-config.ts';

function configOf(value: unknown) {
  const result = parseConfig(value);

  if (!result.ok) {
    throw configError('the config', result.problems);
  }

  return result.config;
}

function problemsOf(value: unknown) {
  const result = parseConfig(value);
  return result.ok ? [] : result.problems;
}

function pathsOf(value: unknown): string[] {
  return problemsOf(value).map(({ path }) => path);
}

/** Every key of ours, with a value that is right. */
const complete = {
  container: 'api',
  args: ['node', 'server.js'],
  variables: { A: 'a', B: '', C: { local: true }, D: { empty: true }, E: { undef: true } },
  deployment: { port: 8080, variables: { A: 'other' } },
  ist: [{ service: 'my db', variables: 'DB_HOST', hostnames: ['db', 'données.example'] }],
  init: {
    socket: '/api.sock',
    dotenv: ['.env'],
    user: 'node:node',
    exec: false,
    debug: true,
    rewrite: 'SIGTERM:SIGQUIT',
    exitStatus: ['143', '130:1'],
    singleChild: true,
    subreaper: false,
    parentDeath: 'SIGTERM',
    stopSignal: 'SIGINT',
    killDelay: '10s',
    linger: '500ms',
    logLevel: 'debug',
    logFormat: 'json',
    follow: false,
    platform: { required: true, deadline: '2m' },
    ist: { family: 'ipv6', variables: 'explicit' },
    hosts: { addresses: 'chosen', onError: 'fail' },
    nsswitch: 'fix',
    secrets: {
      env: { TOKEN: 'token' },
      dotenv: 'all',
      files: {
        secret: 'tls',
        path: '/run//tls/./key/',
        mode: '0440',
        user: 101,
        group: 'ssl',
        decode: 'base64',
        unpack: 'tar',
        allowEmpty: true,
      },
      allowEmpty: ['token'],
    },
    cwd: '/app/',
    noNewPrivileges: true,
    limits: { nofile: { soft: 1024, hard: 'unlimited' }, core: 0 },
    hideToken: true,
    stateDirectory: '/run/state',
    envFile: '/dev/shm/env',
    certificates: { directory: '/run/certificates', mode: 0o444, user: 'nginx' },
    reload: {
      action: 'signal',
      on: { secrets: 'restart', config: 'command' },
      signal: 'USR1',
      command: ' nginx  -t ',
      deadline: '3s',
      quiet: '1s',
      maxWait: '1s',
    },
  },
} as const satisfies WarpConfigReadonly;

type WarpConfigReadonly = Readonly<Record<keyof WarpConfig, unknown>> & {
  readonly init: Readonly<Record<keyof Required<InitConfig>, unknown>>;
};

describe('A config', () => {
  test('with every key of ours becomes settings, names and rules', () => {
    const { init, ...config } = configOf(complete);

    expect(config).toEqual({
      args: ['node', 'server.js'],
      variables: [
        { name: 'A', kind: 'literal', value: 'other' },
        { name: 'B', kind: 'empty' },
        { name: 'C', kind: 'local' },
        { name: 'D', kind: 'empty' },
        { name: 'E', kind: 'undef' },
      ],
      port: 8080,
      ist: [
        { service: 'my db', variables: ['DB_HOST'], hostnames: ['db', 'xn--donnes-eva.example'] },
      ],
    });
    expect(resolveSettings({ commandLine: {}, environment: {}, init })).toEqual({
      socketPath: '/api.sock',
      dotenvFiles: ['.env'],
      user: 'node:node',
      userLabel: 'init.user',
      exec: false,
      debug: true,
      rewrite: new Map([[15, 3]]),
      exitStatus: new Map([
        [143, 0],
        [130, 1],
      ]),
      singleChild: true,
      subreaper: false,
      parentDeathSignal: 15,
      stopSignal: 2,
      killDelayMs: 10_000,
      lingerMs: 500,
      logLevel: 'debug',
      logFormat: 'json',
      follow: false,
      platform: { required: true, deadlineMs: 120_000 },
      ist: { family: 'ipv6', variables: 'explicit' },
      hosts: { addresses: 'chosen', onError: 'fail' },
      nsswitch: 'fix',
      secrets: {
        env: new Map([['TOKEN', 'token']]),
        dotenv: ['all'],
        files: [
          {
            secret: 'tls',
            path: '/run/tls/key',
            mode: 0o440,
            user: '101',
            group: 'ssl',
            decode: 'base64',
            unpack: 'tar',
            allowEmpty: true,
          },
        ],
        allowEmpty: new Set(['token']),
      },
      cwd: '/app',
      noNewPrivileges: true,
      limits: [
        { resource: 4, name: 'core', soft: 0n, hard: 0n },
        { resource: 7, name: 'nofile', soft: 1024n, hard: 2n ** 64n - 1n },
      ],
      hideToken: true,
      stateDirectory: '/run/state',
      envFile: '/dev/shm/env',
      certificates: {
        directory: '/run/certificates',
        mode: 0o444,
        user: 'nginx',
        group: undefined,
      },
      reload: {
        action: 'signal',
        on: { secrets: 'restart', config: 'command' },
        signal: 10,
        command: ['nginx', '-t'],
        deadlineMs: 3000,
        quietMs: 1000,
        maxWaitMs: 1000,
      },
    });
  });

  test('that is empty is the same as none', () => {
    expect(configOf({})).toEqual(emptyConfig);
  });

  test('has keys of Warp that are none of our business', () => {
    const ofWarp = {
      image: 5,
      build: null,
      volumes: [{}],
      server: 'x',
      hosting: () => 1,
      deployment: { strategy: 1 },
    };
    expect(configOf(ofWarp)).toEqual(emptyConfig);
  });

  test.each([
    [
      'a command as text, split at white space',
      { args: ' node  server.js\n' },
      { args: ['node', 'server.js'] },
    ],
    ['an empty command, which is none', { args: [] }, { args: undefined }],
    ['a blank command, which is none', { args: ' ' }, { args: undefined }],
    ['one `ist` entry without an array', { ist: { service: 'db' } }, { ist: [{ service: 'db' }] }],
    [
      'an option that is undefined, which is absent',
      { init: { user: undefined } },
      { args: undefined },
    ],
    [
      'a hostname in capitals',
      { ist: { service: 'a', hostnames: 'DB.Local' } },
      { ist: [{ hostnames: ['db.local'] }] },
    ],
    [
      'a hostname with an underscore',
      { ist: { service: 'a', hostnames: 'my_db' } },
      { ist: [{ hostnames: ['my_db'] }] },
    ],
  ])('may have %s', (_what, config, expected) => {
    expect(configOf(config)).toMatchObject(expected);
  });
});

describe('Every problem is found at once,', () => {
  test('each with its path, what was expected and what came', () => {
    const problems = problemsOf({
      args: ['node', 3],
      deployment: { port: 70_000 },
      ist: [{ service: 'db', hostnames: ['ok', 'a b'] }, { service: 'db' }, { variables: 'X' }],
      init: {
        sokcet: '/x',
        follow: 'no',
        platform: { deadline: '3 s', dedline: 1 },
        rewrite: ['HUP:0', 'TREM:0'],
      },
    });

    expect(problems.map(describeProblem)).toEqual([
      'args[1]: expected text, received a number',
      'deployment.port: expected a port, from 1 to 65535, received 70000',
      expect.stringMatching(/^ist\[0\]\.hostnames\[1\]: expected a hostname: .*, received "a b"$/),
      'ist[2].service: expected a value, received nothing',
      expect.stringMatching(
        /^init\.rewrite\[1\]: expected a signal, .* received "TREM:0" \(did you mean SIGTERM:0\?\)$/,
      ),
      'init.follow: expected true or false, received "no"',
      expect.stringMatching(/^init\.platform\.deadline: expected a duration .*, received "3 s"$/),
      'init.platform.dedline: unknown key (did you mean deadline?), expected one of required, deadline',
      expect.stringMatching(
        /^init\.sokcet: unknown key \(did you mean socket\?\), expected one of socket, /,
      ),
      'ist[1].service: expected one entry a service: put these names into ist[0], received "db"',
    ]);
  });

  test('and all of them are one error, which ends the start with 78', () => {
    const problems = problemsOf({ init: { exec: 1, debug: 2, sokcet: 3 } });
    const error = configError('/app/warp.config.js', problems);

    expect(error).toMatchObject({
      code: 'E_CONFIG',
      exitCode: 78,
      remedy: { where: '/app/warp.config.js' },
    });
    expect(error.message).toMatch(/^Cannot use \/app\/warp\.config\.js, which has 3 problems:\n/);
    expect(error.message.split('\n')).toHaveLength(4);
  });

  test.each([
    ['a key that nobody knows', { init: { sokcet: 1 } }, true],
    ['such a key in an entry of ist', { ist: { service: 'db', alias: 'x' } }, true],
    ['a value that is wrong', { init: { exec: 1 } }, false],
  ])('the remedy for %s speaks of another version, or not', (_what, config, speaks) => {
    const { fix } = configError('f', problemsOf(config)).remedy;

    expect(fix).toMatch(/^Correct the keys named above\./);
    expect(fix.includes('another version of warp-init')).toBe(speaks);
  });

  test.each(Object.keys(complete.init))(
    'init.%s has a type that a number of the wrong kind breaks',
    (key) => {
      expect(pathsOf({ init: { [key]: -0.5 } })).toEqual([`init.${key}`]);
    },
  );

  test.each([
    ['init', { sokcet: 1 }, 'socket'],
    ['init', { fliter: true }, undefined],
    ['init', { enfFile: true }, 'envFile'],
    ['init.limits', { nofiles: 1 }, 'nofile'],
    ['init.reload', { sginal: 'HUP' }, 'signal'],
    ['init.reload', { maxwait: '1s' }, 'maxWait'],
    ['init.platform', { require: true }, 'required'],
    ['init.ist', { famly: 'auto' }, 'family'],
    ['init.hosts', { adresses: 'all' }, 'addresses'],
    ['init.secrets', { alowEmpty: 'x' }, 'allowEmpty'],
  ])('an unknown key of %s: %o', (path, value, suggestion) => {
    const [, section] = path.split('.');
    const [problem, ...others] = problemsOf({
      init: section === undefined ? value : { [section]: value },
    });

    expect(others).toEqual([]);
    expect(problem?.path).toBe(`${path}.${Object.keys(value).join()}`);
    expect(problem?.suggestion).toBe(suggestion);
  });

  test.each([[5], ['text'], [null], [undefined], [[]], [() => ({})], [true]])(
    '%o is no config',
    (value) => {
      expect(problemsOf(value)).toMatchObject([{ path: '', expected: 'an object' }]);
    },
  );
});

describe('A name for a service is refused where it holds', () => {
  test.each([
    ['a space, which would add a second name to the line', 'db evil'],
    ['a tab', 'db\tevil'],
    ['a line break, which would add a line to the file', 'db\n6.6.6.6 bank.example'],
    ['a number sign, which would start a comment', 'db#'],
    ['a NUL', 'db\0'],
    ['nothing', ''],
    ['an empty label', 'db..internal'],
    ['a leading hyphen', '-db'],
    ['a label of 64 characters', 'a'.repeat(64)],
    ['254 characters', nameOf(254)],
    ['an address', '10.0.0.1'],
    ['an IPv6 address', '::1'],
    ['a code point that punycode has no room for', `\u{10FFFF}${'é'.repeat(300)}`],
  ])('%s', (_why, hostname) => {
    expect(pathsOf({ ist: { service: 'db', hostnames: [hostname] } })).toEqual([
      'ist.hostnames[0]',
    ]);
  });

  test.each([
    ['63 characters in a label', 'a'.repeat(63)],
    ['253 characters', nameOf(253)],
  ])('not where it has %s', (_why, hostname) => {
    expect(pathsOf({ ist: { service: 'db', hostnames: hostname } })).toEqual([]);
  });

  test.each(['', 'A B', 'A=B', 'A\nB', 'A\0', 'WARP_INIT_X', 'A\u00A0B'])(
    'a variable: %j',
    (variable) => {
      expect(pathsOf({ ist: [{ service: 'db', variables: variable }] })).toEqual([
        'ist[0].variables',
      ]);
    },
  );

  test('what gets into /etc/hosts has no character that ends a name, whatever was written', () => {
    const part = fc.constantFrom(
      'db',
      '.',
      '-',
      '_',
      ' ',
      '\n',
      '\t',
      '#',
      '\0',
      '=',
      'É',
      '。',
      '✅',
      '1',
      'x'.repeat(60),
    );
    const name = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(name, (hostname) => {
        const result = parseConfig({ ist: { service: 'db', hostnames: hostname } });
        const hostnames = result.ok ? result.config.ist.flatMap((entry) => entry.hostnames) : [];
        expect(hostnames.join('')).toMatch(/^[a-z0-9._-]*$/);
      }),
    );
  });
});

describe('A variable', () => {
  test.each(['', 'A=B', 'A\0'])('cannot be named %j', (name) => {
    expect(pathsOf({ variables: { [name]: 'x' } })).toEqual([`variables[${JSON.stringify(name)}]`]);
  });

  test('may have a name that no shell could write', () => {
    expect(configOf({ variables: { 'my-db:dev': 'x' } }).variables).toHaveLength(1);
  });

  test.each([
    ['a NUL inside', 'sesame\0'],
    ['a number', 12_345],
    ['two rules', { local: true, value: 'sesame' }],
    ['a rule that is off', { local: false }],
    ['a list', ['sesame']],
    ['nothing', null],
  ])('with %s is refused, and its value is not shown', (_what, value) => {
    const problems = problemsOf({
      variables: { A: value },
      deployment: { variables: { B: value } },
    });

    expect(problems.map(({ path }) => path)).toEqual(['variables.A', 'deployment.variables.B']);
    expect(configError('f', problems).message).not.toMatch(/sesame|12345/);
  });
});

test.each([
  ['an argument', { args: ['node', 12_345] }],
  ['the command of a reload', { init: { reload: { command: ['x', 12_345] } } }],
  ['a secret in place of its name', { init: { secrets: { env: 'sesame-sesame' } } }],
  ['the same of one variable', { init: { secrets: { env: { A: 'sesame\0' } } } }],
])('%s is not shown', (_what, config) => {
  const problems = problemsOf(config);

  expect(problems.length).toBeGreaterThan(0);
  expect(configError('f', problems).message).not.toMatch(/sesame|12345/);
});

test('A long value is shown only to its 80th character', () => {
  const [problem] = problemsOf({ init: { user: ` ${'x'.repeat(100_000)}` } });
  expect(problem?.received).toBe(`" ${'x'.repeat(79)}…"`);
});

// Checked by tsc alone: nothing of it is left at run time.
// oxlint-disable-next-line vitest/expect-expect
test('The schema takes what the public type allows, and both have the same keys', () => {
  expectTypeOf<InitConfig>().toExtend<CheckedInit>();
  expectTypeOf<IstEntryInput>().toExtend<CheckedIstEntry>();
  expectTypeOf<Pick<WarpConfig, 'args' | 'variables' | 'ist' | 'init'>>().toExtend<CheckedConfig>();
  expectTypeOf<KnownKeys<CheckedInit>>().toEqualTypeOf<keyof InitConfig>();
  expectTypeOf<KnownKeys<CheckedIstEntry>>().toEqualTypeOf<keyof IstEntryInput>();
  expectTypeOf<KnownKeys<NonNullable<CheckedInit['secrets']>>>().toEqualTypeOf<
    keyof NonNullable<InitConfig['secrets']>
  >();
  expectTypeOf<KnownKeys<NonNullable<CheckedInit['platform']>>>().toEqualTypeOf<
    keyof NonNullable<InitConfig['platform']>
  >();
  expectTypeOf<KnownKeys<NonNullable<CheckedInit['reload']>>>().toEqualTypeOf<keyof ReloadConfig>();
  expectTypeOf<KnownKeys<NonNullable<CheckedInit['limits']>>>().toEqualTypeOf<ResourceName>();
  expectTypeOf<KnownKeys<NonNullable<CheckedInit['certificates']>>>().toEqualTypeOf<
    keyof NonNullable<InitConfig['certificates']>
  >();
  expectTypeOf<
    KnownKeys<Exclude<NonNullable<NonNullable<CheckedInit['secrets']>['files']>, unknown[]>>
  >().toEqualTypeOf<keyof SecretFileInput>();
  expectTypeOf<CheckedInit['nsswitch']>().toEqualTypeOf<InitConfig['nsswitch']>();
  expectTypeOf<CheckedInit['logLevel']>().toEqualTypeOf<InitConfig['logLevel']>();
});

/** Without the index signature. */
type KnownKeys<T> = keyof { [key in keyof T as string extends key ? never : key]: T[key] };

function nameOf(length: number): string {
  return 'a'
    .repeat(63)
    .concat('.')
    .repeat(4)
    .slice(0, length - 1)
    .replace(/\.$/, 'a')
    .concat('a');
}

test.each(['variables', 'deployment.variables', 'init.secrets.env'])(
  'a name that the check of %s could not see is refused, and not lost without a word',
  (path) => {
    for (const name of ['constructor', 'prototype', '__proto__']) {
      const named: unknown = JSON.parse(`{ "${name}": "x" }`);
      const config = path
        .split('.')
        .toReversed()
        .reduce<unknown>((value, key) => ({ [key]: value }), named);
      expect(problemsOf(config)).toEqual([
        expect.objectContaining({ path, expected: expect.stringContaining('__proto__') }),
      ]);
    }
  },
);
