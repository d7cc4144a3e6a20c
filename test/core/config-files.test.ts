import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { problemsOf, settingsOf } from './config-rig.ts';

function fileProblems(...files: readonly object[]): string[] {
  return problemsOf({ secrets: { files } });
}

const file = { secret: 'tls', path: '/run/tls' };

describe('A file of a secret', () => {
  test('has mode 0400, the app as its owner, and text that is not empty, unless it says otherwise', () => {
    expect(settingsOf({ secrets: { files: file } }).secrets.files).toEqual([
      {
        ...file,
        mode: 0o400,
        user: undefined,
        group: undefined,
        decode: undefined,
        unpack: undefined,
        allowEmpty: false,
      },
    ]);
  });

  test.each([
    ['"0400"', '0400', 0o400],
    ['"640"', '640', 0o640],
    ['"0o600"', '0o600', 0o600],
    ['0o640', 0o640, 0o640],
    ['0', 0, 0],
    ['0o777', 0o777, 0o777],
  ])('may have the mode %s', (_written, mode, bits) => {
    expect(settingsOf({ secrets: { files: { ...file, mode } } }).secrets.files[0]?.mode).toBe(bits);
  });

  test.each([
    ['the set-user-ID bit', '4755', undefined],
    ['the sticky bit', 0o1777, undefined],
    ['a digit that is not octal', '0800', undefined],
    ['two digits', '04', undefined],
    ['five digits', '00400', undefined],
    ['symbols', 'u=r', undefined],
    ['nothing', '', undefined],
    ['a fraction', 0.5, undefined],
    ['less than nothing', -1, undefined],
    ['600, which is not octal', 600, '"0600"'],
    ['400, which would be 0620', 400, '"0400"'],
    ['444, which would be 0674', 444, '"0444"'],
  ])('cannot have a mode with %s', (_what, mode, suggested) => {
    const question = suggested === undefined ? '' : ` (did you mean ${suggested}?)`;
    expect(fileProblems({ ...file, mode })).toEqual([
      'init.secrets.files[0].mode: expected permission bits from "0000" to "0777", in octal digits, ' +
        `received ${JSON.stringify(mode)}${question}`,
    ]);
  });

  test.each([
    ['a name', 'www-data', 'www-data'],
    ['an id', 0, '0'],
    ['an id as text', '1000', '1000'],
    ['the highest id', 4_294_967_294, '4294967294'],
  ])('may belong to %s', (_what, user, expected) => {
    const settings = settingsOf({ secrets: { files: { ...file, user, group: user } } });
    expect(settings.secrets.files[0]).toMatchObject({ user: expected, group: expected });
  });

  test.each([
    ['a:b'],
    ['a b'],
    [''],
    [-1],
    [0.5],
    [4_294_967_295],
    ['4294967295'],
    ['a\0'],
    [true],
  ])('cannot belong to %j', (user) => {
    expect(fileProblems({ ...file, user, group: user })).toEqual([
      expect.stringMatching(
        /^init\.secrets\.files\[0\]\.user: expected a name, or an id from 0 to/,
      ),
      expect.stringMatching(/^init\.secrets\.files\[0\]\.group: expected a name, or an id from/),
    ]);
  });

  test('has all of its problems told at once', () => {
    expect(
      fileProblems(
        { path: 'relative', decode: 'base46', unpack: 'zip', allowEmpty: 'yes', moed: '0400' },
        { secret: '' },
      ),
    ).toEqual([
      'init.secrets.files[0].secret: expected a value, received nothing',
      'init.secrets.files[0].path: expected an absolute path below /, without ".." or NUL, received "relative"',
      'init.secrets.files[0].decode: expected one of base64, received "base46" (did you mean base64?)',
      'init.secrets.files[0].unpack: expected one of tar, received "zip"',
      'init.secrets.files[0].allowEmpty: expected true or false, received "yes"',
      expect.stringMatching(
        /files\[0\]\.moed: unknown key \(did you mean mode\?\), expected one of /,
      ),
      'init.secrets.files[1].secret: expected text that is not empty, without NUL, received ""',
      'init.secrets.files[1].path: expected a value, received nothing',
    ]);
  });
});

describe('A path that init writes', () => {
  const keys = {
    'init.stateDirectory': (path: string) => ({ stateDirectory: path }),
    'init.envFile': (path: string) => ({ envFile: path }),
    'init.certificates.directory': (path: string) => ({ certificates: { directory: path } }),
    'init.secrets.files.path': (path: string) => ({ secrets: { files: { ...file, path } } }),
  } as const;

  describe.each(Object.entries(keys))('as %s', (key, initWith) => {
    test.each(['run/x', './x', '', '/', '//', '/.', '/run/../etc', '/run/..', '/run/\0x'])(
      'cannot be %j',
      (path) => {
        expect(problemsOf(initWith(path))).toEqual([
          expect.stringMatching(
            new RegExp(
              String.raw`^${key}: expected (?:true, false or )?an absolute path below /, `,
            ),
          ),
        ]);
      },
    );

    test('may have dots that are not alone', () => {
      expect(problemsOf(initWith('/run/..x/.y/z..'))).toEqual([]);
    });
  });

  test('is normal in the settings: no empty and no dot segment, no slash at its end', () => {
    const path = '//run/.//x/';
    const all = {
      stateDirectory: path,
      envFile: `${path}/env`,
      certificates: { directory: '/c/' },
      secrets: { files: { ...file, path: '/s/./' } },
      cwd: '//',
    };
    expect(settingsOf(all)).toMatchObject({
      stateDirectory: '/run/x',
      envFile: '/run/x/env',
      certificates: { directory: '/c' },
      secrets: { files: [{ path: '/s' }] },
      cwd: '/',
    });
  });

  test.each([
    ['true', true, true],
    ['false', false, undefined],
    ['a path', '/run/env', '/run/env'],
  ])('may, for the env file, be %s', (_what, envFile, expected) => {
    expect(settingsOf({ envFile }).envFile).toBe(expected);
  });
});

test.each(['app', '../app', '', '/app/..'])('The app cannot start in %j', (cwd) => {
  expect(problemsOf({ cwd })).toEqual([
    `init.cwd: expected an absolute path without ".." or NUL, received ${JSON.stringify(cwd)}`,
  ]);
});

describe("Two paths that init writes are in each other's way where", () => {
  test.each([
    ['they are the same', '/a/b', '/a/b'],
    ['they only look different', '/a/b', '//a/./b/'],
    ['one is below the other', '/a', '/a/b'],
    ['one is above the other', '/a/b/c', '/a'],
  ])('%s', (_what, first, second) => {
    expect(fileProblems({ ...file, path: first }, { ...file, path: second })).toEqual([
      `init.secrets.files[1].path: expected a path that is not that of init.secrets.files[0].path, ` +
        `nor above or below it (${first}), received "${second.replaceAll(/\/(?=\/|$)|\.\//g, '')}"`,
    ]);
  });

  test.each([
    ['a file is in the directory of certificates', { certificates: { directory: '/a' } }, '/a/x'],
    ['a file is the env file', { envFile: '/a/env' }, '/a/env'],
    ['a file is the state directory', { stateDirectory: '/a' }, '/a'],
    ['a file is above the state directory', { stateDirectory: '/a/b' }, '/a'],
    ['a file is ist.json', { stateDirectory: '/a//b/' }, '/a/b/ist.json'],
    ['a file is init.json', { stateDirectory: '/a' }, '/a/init.json'],
    ['a file is the control socket', {}, '/run/warp-init/control.sock'],
    ['a file is above all that is ours', {}, '/run'],
    ['a file is the env file of the state directory', { envFile: true }, '/run/warp-init/env'],
  ])('%s', (_what, init, path) => {
    expect(problemsOf({ ...init, secrets: { files: [{ ...file, path }] } })).toEqual([
      expect.stringMatching(
        /^init\.secrets\.files\[0\]\.path: expected a path that is not that of /,
      ),
    ]);
  });

  test.each([
    ['where names only begin alike', {}, ['/a/b', '/a/bc']],
    ['in the state directory, under other names', { stateDirectory: '/a' }, ['/a/x', '/a/y']],
    ['at `env` where no env file is', {}, ['/run/warp-init/env']],
  ])('but not %s', (_what, init, paths) => {
    const files = paths.map((path) => ({ ...file, path }));
    expect(problemsOf({ ...init, secrets: { files } })).toEqual([]);
  });

  test('whatever else is wrong with them', () => {
    expect(fileProblems({ path: '/a', mode: 'x' }, { secret: 's', path: '/a' })).toEqual([
      expect.stringContaining('files[0].secret'),
      expect.stringContaining('files[0].mode'),
      expect.stringContaining('files[1].path'),
    ]);
  });

  test('so that of accepted ones no two are the same and none is above another, however written', () => {
    const segment = fc.constantFrom('a', 'b', 'ab', '.', '', '..');
    const path = fc
      .array(segment, { minLength: 1, maxLength: 4 })
      .map((all) => `/${all.join('/')}`);
    fc.assert(
      fc.property(fc.array(path, { minLength: 2, maxLength: 3 }), (paths) => {
        const files = paths.map((one) => ({ ...file, path: one }));
        const isAccepted = fileProblems(...files).length === 0;
        const written = isAccepted
          ? settingsOf({ secrets: { files } }).secrets.files.map((one) => `${one.path}/`)
          : [];
        const pairs = written.flatMap((one, index) =>
          written.slice(index + 1).map((other) => [one, other] as const),
        );
        expect(
          pairs.filter(([one, other]) => one.startsWith(other) || other.startsWith(one)),
        ).toEqual([]);
      }),
    );
  });
});
