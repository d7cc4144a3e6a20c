// A command or a command line that is wrong: 64, 126 or 127, before anything has been started.
import { expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import {
  describeContainer,
  refusalOf,
  refused,
  runContainer,
  startPlatform,
} from '../helpers/container.ts';

const platform: PlatformFile = { services: { web: '10.0.0.10' } };

describeContainer('a command', () => {
  test.each([
    [
      'that is nowhere in PATH: 127',
      ['no-such-program'],
      {
        status: 127,
        code: 'E_NOT_FOUND',
        message: 'Cannot run "no-such-program": no such program',
        where: /^PATH=.*\/bin/,
        fix: 'Check CMD in the Dockerfile, and PATH in the resolved environment (see `warp-init debug`).',
      },
    ],
    [
      'whose path does not exist: 127',
      ['/no/such/program'],
      {
        status: 127,
        code: 'E_NOT_FOUND',
        message: 'Cannot run "/no/such/program": no such program',
        where: '/no/such/program',
        fix: 'Check CMD in the Dockerfile',
      },
    ],
    [
      'that is not executable: 126',
      ['/etc/passwd'],
      {
        status: 126,
        code: 'E_NOT_EXECUTABLE',
        message: 'Cannot run "/etc/passwd": it is not executable for us',
        where: '/etc/passwd',
        fix: 'Name a program in CMD, or make the file executable (chmod +x).',
      },
    ],
    [
      'that is a directory: 126',
      ['/etc'],
      {
        status: 126,
        code: 'E_NOT_EXECUTABLE',
        message: 'Cannot run "/etc": it is a directory',
        where: '/etc',
        fix: 'Name a program in CMD, or make the file executable (chmod +x).',
      },
    ],
    [
      'without an interpreter: 126',
      ['./script'],
      {
        status: 126,
        code: 'E_SPAWN',
        message: 'Cannot run "./script": it is no program for this machine',
        where: './script',
        fix: 'Give a script a first line (#!/bin/sh)',
      },
    ],
    [
      'whose interpreter does not exist: 127',
      ['./interpreted'],
      {
        status: 127,
        code: 'E_SPAWN',
        message: 'Cannot run "./interpreted": the interpreter that it names does not exist',
        where: './interpreted',
        fix: 'Correct its first line (#!)',
      },
    ],
    [
      'that is empty: 127',
      [''],
      {
        status: 127,
        code: 'E_NOT_FOUND',
        message: 'Cannot run "": no such program',
        where: 'PATH=',
        fix: 'Check CMD in the Dockerfile',
      },
    ],
  ])('%s', async (_what, command, refusal) => {
    const ended = await runContainer({
      emulator: await startPlatform(platform),
      files: { script: 'echo no\n', interpreted: '#!/no/such/interpreter\n' },
      before: 'chmod +x script interpreted',
      args: ['--', ...command],
    });
    expect(refusalOf(ended)).toEqual(refused(refusal));
  });

  test('with an argument that no kernel takes: 78 names the argument and its size', async () => {
    const config = 'module.exports = { args: ["echo", "x".repeat(200000)] };';
    const ended = await runContainer({ config, args: [], emulator: await startPlatform(platform) });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 78,
        code: 'E_ARGUMENTS_TOO_LARGE',
        message:
          'Cannot pass argument 1 of the command: it has 200001 bytes with its NUL, and the kernel takes at most 131072 bytes in one',
        where: 'argument 1',
        fix: 'Pass the text in a file',
      }),
    );
  });
});

describeContainer('a command line ends with 64', () => {
  test.each([
    [
      'for an unknown option, with the nearest known one',
      ['--kill-dely', '1s', '--', 'true'],
      {
        message: 'Cannot understand the command line: there is no option --kill-dely',
        where: 'command line',
        fix: 'Did you mean --kill-delay?',
      },
    ],
    [
      'for an unknown option that is like no other',
      ['--zzz', '--', 'true'],
      {
        message: 'Cannot understand the command line: there is no option --zzz',
        where: 'command line',
        fix: 'See warp-init --help.',
      },
    ],
    [
      'for a command without -- before it',
      ['run', 'node', 'server.js'],
      {
        message: 'Cannot understand the command line: "node" stands before --',
        where: 'command line',
        fix: 'Put -- before the command: warp-init -- node server.js',
      },
    ],
    [
      'for no command at all',
      [],
      {
        message: 'Cannot start: no command was given',
        where: 'command line',
        fix: 'Name it in CMD (warp-init -- node server.js), or in `args` of warp.config.js.',
      },
    ],
    [
      'for a value that an option cannot have',
      ['--kill-delay', '10', '--', 'true'],
      {
        message: /^Cannot use "10" for --kill-delay: expected .*"10s"/,
        where: '--kill-delay',
        fix: /--kill-delay|10s/,
      },
    ],
    [
      'for a signal that does not exist, with the nearest one',
      ['--stop-signal', 'SIGTERN', '--', 'true'],
      {
        message: 'Cannot use "SIGTERN" for --stop-signal: expected a signal',
        where: '--stop-signal',
        fix: 'Write SIGTERM instead.',
      },
    ],
  ])('%s', async (_what, args, refusal) => {
    const ended = await runContainer({ emulator: await startPlatform(platform), args });
    expect(refusalOf(ended)).toEqual(refused({ status: 64, code: 'E_USAGE', ...refusal }));
  });

  test('for a WARP_INIT_ variable with a value that it cannot have', async () => {
    const env = { WARP_INIT_EXEC: 'perhaps' };
    const ended = await runContainer({ emulator: await startPlatform(platform), env });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 64,
        code: 'E_USAGE',
        message: 'Cannot use "perhaps" for WARP_INIT_EXEC: expected 1, true, 0 or false',
        where: 'WARP_INIT_EXEC',
        fix: 'Give WARP_INIT_EXEC 1, true, 0 or false.',
      }),
    );
  });

  test('for a command that init does not have, with the nearest one', async () => {
    const ended = await runContainer({ args: ['debgu'] });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 64,
        code: 'E_USAGE',
        message: 'Cannot understand the command line: "debgu" is not a command of warp-init',
        where: 'command line',
        fix: 'Did you mean `warp-init debug`?',
      }),
    );
    expect(ended.hosts).toBe('127.0.0.1 localhost\n');
  });
});
