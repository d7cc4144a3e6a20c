import { describe, expect, test } from 'vitest';
import {
  optionNames,
  optionsFromEnvironment,
  runOptions,
  usageError,
  variableOf,
} from '../../src/core/run-options.ts';
import { configPath, resolveSettings } from '../../src/core/settings.ts';
import type { SettingSources } from '../../src/core/settings-sources.ts';
import { StartError } from '../../src/errors.ts';

const none: SettingSources = { commandLine: {}, environment: {}, init: {} };

function fromEnvironment(environment: Record<string, string>) {
  return optionsFromEnvironment(Object.entries(environment));
}

function caught(work: () => unknown): StartError {
  try {
    work();
  } catch (error) {
    if (error instanceof StartError) {
      return error;
    }

    throw error;
  }

  throw new Error('Nothing was thrown');
}

describe('WARP_INIT_*', () => {
  test('sets each option by its name in capitals', () => {
    const environment = Object.fromEntries(
      optionNames().map((name) => [
        variableOf(name),
        runOptions[name].kind === 'flag' ? '1' : name,
      ]),
    );
    const { options, warnings } = fromEnvironment(environment);

    expect(Object.keys(options)).toEqual(optionNames());
    expect(warnings).toEqual([]);
    expect(options).toMatchObject({ exec: true, 'kill-delay': 'kill-delay', rewrite: ['rewrite'] });
    expect(environment).toHaveProperty('WARP_INIT_ENV_FILE');
  });

  test('separates the items of a list by commas', () => {
    expect(fromEnvironment({ WARP_INIT_REWRITE: 'SIGTERM:SIGQUIT, SIGWINCH:0,' }).options).toEqual({
      rewrite: ['SIGTERM:SIGQUIT', 'SIGWINCH:0'],
    });
  });

  test('does not split what is no list', () => {
    expect(fromEnvironment({ WARP_INIT_USER: 'a,b' }).options).toEqual({ user: 'a,b' });
  });

  test.each([
    ['1', true],
    ['true', true],
    ['TRUE', true],
    ['0', false],
    ['false', false],
  ])('reads the flag %s as %s', (value, expected) => {
    expect(fromEnvironment({ WARP_INIT_SUBREAPER: value }).options).toEqual({
      subreaper: expected,
    });
  });

  test('counts as absent where it is empty', () => {
    expect(
      fromEnvironment({ WARP_INIT_EXEC: '', WARP_INIT_USER: '', WARP_INIT_REWRITE: '' }).options,
    ).toEqual({});
  });

  test('is a usage error where a flag is neither on nor off', () => {
    const error = caught(() => fromEnvironment({ WARP_INIT_EXEC: 'yes' }));
    expect(error).toMatchObject({
      code: 'E_USAGE',
      exitCode: 64,
      message: 'Cannot use "yes" for WARP_INIT_EXEC: expected 1, true, 0 or false',
      remedy: { where: 'WARP_INIT_EXEC' },
    });
  });

  test('that nobody knows is a warning with the nearest known one', () => {
    const { options, warnings } = fromEnvironment({
      WARP_INIT_REWRIT: 'secret-looking',
      WARP_INIT_QQQQQQ: '1',
    });

    expect(options).toEqual({});
    expect(warnings).toMatchObject([
      {
        code: 'W_UNKNOWN_OPTION',
        where: 'WARP_INIT_REWRIT',
        fix: 'Write WARP_INIT_REWRITE instead.',
      },
      { code: 'W_UNKNOWN_OPTION', where: 'WARP_INIT_QQQQQQ', fix: 'Remove WARP_INIT_QQQQQQ.' },
    ]);
    expect(JSON.stringify(warnings)).not.toContain('secret-looking');
  });

  test("of pid1, and all that is not ours, is nobody's concern", () => {
    const environment = {
      WARP_INIT_NODE: '/node',
      WARP_INIT_PLAIN: '1',
      WARP_IST_db: '::1',
      PATH: '/bin',
    };
    expect(fromEnvironment(environment)).toEqual({ options: {}, warnings: [] });
  });
});

describe('Of three sources', () => {
  const init = {
    killDelay: '3s',
    rewrite: 'SIGHUP:SIGUSR1',
    exec: true,
    socket: '/config',
    linger: '1s',
  };
  const environment = { 'kill-delay': '2s', rewrite: ['SIGHUP:SIGUSR2'], exec: false };
  const commandLine = { 'kill-delay': '1s', rewrite: ['SIGTERM:SIGQUIT', 'SIGINT:0'] };

  test('the command line wins, then the environment, then the config', () => {
    expect(resolveSettings({ commandLine, environment, init })).toMatchObject({
      killDelayMs: 1000,
      exec: false,
      socketPath: '/config',
      lingerMs: 1000,
    });
    expect(resolveSettings({ commandLine: {}, environment, init })).toMatchObject({
      killDelayMs: 2000,
    });
  });

  test('a list replaces a list, it never adds to one', () => {
    const { rewrite } = resolveSettings({ commandLine, environment, init });
    expect([...rewrite]).toEqual([
      [15, 3],
      [2, 0],
    ]);
  });

  test('an empty list on the command line still replaces the others', () => {
    expect(resolveSettings({ commandLine: { rewrite: [] }, environment, init }).rewrite.size).toBe(
      0,
    );
  });

  test('a value that loses is not even looked at', () => {
    const sources = { ...none, commandLine: { linger: '1s' }, environment: { linger: 'nonsense' } };
    expect(resolveSettings(sources).lingerMs).toBe(1000);
  });

  test('none gives the documented defaults', () => {
    expect(resolveSettings(none)).toEqual({
      socketPath: '/var/run/cycle/api/api.sock',
      dotenvFiles: [],
      user: undefined,
      userLabel: '--user',
      exec: false,
      debug: false,
      rewrite: new Map(),
      exitStatus: new Map(),
      singleChild: false,
      subreaper: undefined,
      parentDeathSignal: undefined,
      stopSignal: undefined,
      killDelayMs: undefined,
      lingerMs: 0,
      logLevel: 'info',
      logFormat: undefined,
      follow: true,
      platform: { required: undefined, deadlineMs: 30_000 },
      ist: { family: 'auto', variables: 'all' },
      hosts: { addresses: 'all', onError: 'warn' },
      nsswitch: 'warn',
      secrets: { env: new Map(), dotenv: [], files: [], allowEmpty: new Set() },
      cwd: undefined,
      noNewPrivileges: false,
      limits: [],
      hideToken: false,
      stateDirectory: undefined,
      envFile: undefined,
      certificates: undefined,
      reload: {
        action: 'auto',
        on: {},
        signal: undefined,
        command: undefined,
        deadlineMs: 10_000,
        quietMs: 500,
        maxWaitMs: 10_000,
      },
    });
  });

  test('`init.dotenv` is what --env-file is on the command line', () => {
    expect(resolveSettings({ ...none, init: { dotenv: '.env' } }).dotenvFiles).toEqual(['.env']);
    expect(
      resolveSettings({ ...none, commandLine: { 'env-file': ['a', 'b'] } }).dotenvFiles,
    ).toEqual(['a', 'b']);
  });

  test('the config alone has what no option sets', () => {
    const settings = resolveSettings({
      ...none,
      init: {
        follow: false,
        platform: { required: true, deadline: '5s' },
        secrets: { env: { TOKEN: 'token' }, dotenv: 'all-of-it', allowEmpty: ['token'] },
      },
    });
    expect(settings).toMatchObject({
      follow: false,
      platform: { required: true, deadlineMs: 5000 },
    });
    expect(settings.secrets).toEqual({
      env: new Map([['TOKEN', 'token']]),
      dotenv: ['all-of-it'],
      files: [],
      allowEmpty: new Set(['token']),
    });
  });

  test('the config cannot say where the config is', () => {
    expect(configPath({ commandLine: {}, environment: { config: 'b.js' } })).toBe('b.js');
    expect(configPath({ commandLine: { config: 'a.js' }, environment: { config: 'b.js' } })).toBe(
      'a.js',
    );
    expect(configPath(none)).toBeUndefined();
  });
});

describe('A value that an option cannot have names the option, what was expected and what came:', () => {
  test.each([
    [{ 'kill-delay': '10' }, '--kill-delay', '"10"', 'a duration'],
    [{ 'stop-signal': 'SIGTREM' }, '--stop-signal', '"SIGTREM"', 'a signal'],
    [{ rewrite: ['SIGINT:0', 'SIGKILL:0'] }, '--rewrite', '"SIGKILL:0"', 'nobody catches SIGKILL'],
    [{ 'exit-status': '300' }, '--exit-status', '"300"', '0 to 255'],
    [{ user: 'a:b:c' }, '--user', '"a:b:c"', 'NAME, UID'],
    [{ user: ['a', 'b'] }, '--user', '["a","b"]', 'one value'],
    [{ 'log-level': 'warning' }, '--log-level', '"warning"', 'one of trace, debug, info, warn'],
    [{ 'log-format': 'jsno' }, '--log-format', '"jsno"', 'one of json, pretty'],
    [{ socket: '' }, '--socket', '""', 'not empty'],
    [{ exec: 'yes' }, '--exec', '"yes"', 'no value'],
  ])('%o', (commandLine, option, received, expected) => {
    const error = caught(() => resolveSettings({ ...none, commandLine }));

    expect(error).toMatchObject({ code: 'E_USAGE', exitCode: 64, remedy: { where: option } });
    expect(error.message).toMatch(/^Cannot use /);
    expect(error.message).toContain(`${received} for ${option}: expected`);
    expect(error.message).toContain(expected);
  });

  test('in the environment it names the variable', () => {
    const error = caught(() => resolveSettings({ ...none, environment: { linger: 'long' } }));
    expect(error.remedy.where).toBe('WARP_INIT_LINGER');
  });

  test('the remedy is the suggestion, where there is one', () => {
    const given = { label: '--log-format', received: '"jsno"', expected: 'one of json, pretty' };
    expect(usageError({ ...given, suggestion: 'json' }).remedy.fix).toBe('Write json instead.');
    expect(usageError(given).remedy.fix).toBe('Give --log-format one of json, pretty.');
  });
});
