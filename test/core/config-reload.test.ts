import { describe, expect, test } from 'vitest';
import { configError, parseConfig } from '../../src/core/config.ts';
import type { RawOptions } from '../../src/core/run-options.ts';
import { resolveSettings } from '../../src/core/settings.ts';
import type { InitConfig } from '../../src/core/warp-config.ts';
import { StartError } from '../../src/errors.ts';
import { problemsOf, settingsOf } from './config-rig.ts';

const defaults = {
  action: 'auto',
  on: {},
  signal: undefined,
  command: undefined,
  deadlineMs: 10_000,
  quietMs: 500,
  maxWaitMs: 10_000,
};

describe('A reload', () => {
  test('is `auto` and without a signal, unless the config says otherwise', () => {
    expect(settingsOf({}).reload).toEqual(defaults);
    expect(settingsOf({ reload: {} }).reload).toEqual(defaults);
  });

  test.each([
    ['the action `signal` alone', { action: 'signal' }, undefined],
    ['the action `signal` and another signal', { action: 'signal', signal: 'SIGUSR2' }, 12],
    ['the action `auto` and a signal', { signal: 'USR1' }, 10],
    ['the action `restart`', { action: 'restart' }, undefined],
  ])('has, with %s, the right signal', (_what, reload, signal) => {
    expect(settingsOf({ reload }).reload.signal).toBe(signal);
  });

  test('may have an action of its own for each kind of change', () => {
    const on = { ist: 'none', secrets: 'signal', certificates: 'restart', config: 'auto' };
    expect(settingsOf({ reload: { on } }).reload.on).toEqual(on);
  });

  test.each([
    ['as text, split at white space', '\tnginx -s  reload\n', ['nginx', '-s', 'reload']],
    ['as a list, whose words stay whole', ['sh', '-c', 'a && b', ''], ['sh', '-c', 'a && b', '']],
  ])('has a command %s', (_what, command, expected) => {
    expect(settingsOf({ reload: { action: 'command', command } }).reload.command).toEqual(expected);
  });

  test.each([[''], [' \n'], [[]], [['', 'x']]])('cannot have the command %j', (command) => {
    expect(problemsOf({ reload: { command } })).toEqual([
      expect.stringMatching(/^init\.reload\.command: expected a program and its arguments, /),
    ]);
  });

  test.each([
    ['init.reload.action', { action: 'command' }],
    [
      'init.reload.on.certificates',
      { action: 'none', on: { ist: 'none', certificates: 'command' } },
    ],
  ])('needs a command where %s asks for one', (key, reload) => {
    expect(problemsOf({ reload })).toEqual([
      `init.reload.command: expected a command, which ${key} asks for, received nothing`,
    ]);
  });

  test.each([
    ['no signal', 'SIGHPU', '(did you mean SIGHUP?)'],
    ['a signal that nobody catches', 'SIGKILL', 'a signal that can be caught'],
    ['another that nobody catches', '19', 'a signal that can be caught'],
  ])('cannot be told by %s', (_what, signal, words) => {
    const [problem, ...others] = problemsOf({ reload: { signal } });
    expect(others).toEqual([]);
    expect(problem).toMatch(/^init\.reload\.signal: expected /);
    expect(problem).toContain(words);
  });

  test.each([
    ['neither is chosen', {}, 500, 10_000],
    ['both are chosen, and equal', { quiet: '2s', maxWait: '2s' }, 2000, 2000],
    ['a long quiet time is chosen, which the wait follows', { quiet: '1m' }, 60_000, 60_000],
    ['a short wait is chosen, which the quiet time follows', { maxWait: '0s' }, 0, 0],
    ['a short quiet time is chosen', { quiet: '0ms' }, 0, 10_000],
    ['a long wait is chosen', { maxWait: '1m' }, 500, 60_000],
  ])('waits at least its quiet time where %s', (_what, reload, quietMs, maxWaitMs) => {
    expect(settingsOf({ reload }).reload).toMatchObject({ quietMs, maxWaitMs });
  });

  test('has all of its problems told at once', () => {
    expect(
      problemsOf({
        reload: {
          action: 'reboot',
          on: { secret: 'none', ist: 'comand', config: 'command' },
          deadline: 5,
          quiet: '2s',
          maxWait: '1999ms',
        },
      }),
    ).toEqual([
      expect.stringMatching(
        /^init\.reload\.action: expected one of auto, signal, restart, command/,
      ),
      expect.stringMatching(/^init\.reload\.on\.ist: .* \(did you mean command\?\)$/),
      expect.stringMatching(
        /^init\.reload\.on\.secret: unknown key \(did you mean secrets\?\), expected /,
      ),
      expect.stringMatching(/^init\.reload\.deadline: expected a duration/),
      'init.reload.command: expected a command, which init.reload.on.config asks for, received nothing',
      'init.reload.maxWait: expected at least init.reload.quiet, "2s", received "1999ms"',
    ]);
  });
});

describe('Exec mode', () => {
  test.each([
    ['a reload', { reload: {} }],
    ['a reload by signal', { reload: { action: 'signal' } }],
    ['a reload for one kind of change', { reload: { action: 'none', on: { ist: 'restart' } } }],
    ['a reload for all kinds but some', { reload: { on: { ist: 'none' } } }],
  ] satisfies [string, InitConfig][])('is refused beside %s', (_what, init) => {
    for (const [label, sources] of [
      ['--exec', { commandLine: { exec: true } }],
      ['WARP_INIT_EXEC', { environment: { exec: true } }],
      ['init.exec', { init: { ...init, exec: true } }],
    ] as const) {
      expect(refusalOf({ init, ...sources })).toMatchObject({
        code: 'E_CONFIG',
        exitCode: 78,
        message: expect.stringMatching(new RegExp(`^Cannot reload beside ${label}: `)),
        remedy: { where: 'init.reload' },
      });
    }
  });

  test.each([
    ['no reload', {}],
    ['the action `none`', { reload: { action: 'none' } }],
    ['the action `none` for all', { reload: { action: 'none', on: { secrets: 'none' } } }],
  ] satisfies [string, InitConfig][])('is fine beside %s', (_what, init) => {
    expect(refusalOf({ init, commandLine: { exec: true } })).toBeUndefined();
  });

  test('that the command line switches off is none', () => {
    const init: InitConfig = { exec: true, reload: { action: 'signal' } };
    expect(refusalOf({ init, environment: { exec: false } })).toBeUndefined();
  });
});

type Sources = {
  readonly init: InitConfig;
  readonly commandLine?: RawOptions;
  readonly environment?: RawOptions;
};

function refusalOf({ init, commandLine = {}, environment = {} }: Sources): StartError | undefined {
  const result = parseConfig({ init });
  if (!result.ok) {
    throw configError('the config', result.problems);
  }

  try {
    resolveSettings({ commandLine, environment, init: result.config.init });
    return undefined;
  } catch (error) {
    if (error instanceof StartError) {
      return error;
    }

    throw error;
  }
}
