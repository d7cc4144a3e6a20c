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
import { seenFormats } from '../helpers/formats.ts';

const platform: PlatformFile = { services: { web: '10.0.0.10' } };
const hosts = '127.0.0.1 localhost\n';

const ownMachine = process.arch === 'arm64' ? 183 : 62;

/** The head of an ELF file, big-endian as on s390x or little-endian, in base64. */
function elf({ machine, loader = '' }: { machine: number; loader?: string }): string {
  const isLittle = machine !== 22;
  const head = Buffer.alloc(256);
  const short = (value: number, at: number) =>
    isLittle ? head.writeUInt16LE(value, at) : head.writeUInt16BE(value, at);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, isLittle ? 1 : 2, 1]);
  short(2, 16); // ET_EXEC
  short(machine, 18);
  short(56, 54);
  head.writeUInt32LE(64, 32);
  if (loader !== '') {
    short(1, 56);
    head.writeUInt32LE(3, 64); // PT_INTERP
    head.writeUInt32LE(128, 64 + 8);
    head.writeUInt32LE(loader.length + 1, 64 + 32);
    head.write(loader, 128);
  }

  return head.toString('base64');
}

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
      'whose words stand in one string: 127',
      ['node server.js'],
      {
        status: 127,
        code: 'E_NOT_FOUND',
        message: 'Cannot run "node server.js": no such program',
        where: /^PATH=/,
        fix: 'Write each word by itself',
      },
    ],
    [
      'that is an option alone, as of `docker run IMAGE --help`: 127',
      ['--help'],
      {
        status: 127,
        code: 'E_NOT_FOUND',
        message: 'Cannot run "--help": no such program',
        where: /^PATH=/,
        fix: 'Name the program before its options',
      },
    ],
    [
      'that is one of ours, behind --: 127',
      ['bundle'],
      {
        status: 127,
        code: 'E_NOT_FOUND',
        message: 'Cannot run "bundle": no such program',
        where: /^PATH=/,
        fix: 'docker run --entrypoint warp-init IMAGE bundle',
      },
    ],
    [
      'behind a second --: 127',
      ['--', 'true'],
      {
        status: 127,
        code: 'E_NOT_FOUND',
        message: 'Cannot run "--": no such program',
        where: /^PATH=/,
        fix: 'Write -- once',
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
      'that is a named pipe: 126, and nobody waits for it',
      ['./pipe'],
      {
        status: 126,
        code: 'E_NOT_EXECUTABLE',
        message: 'Cannot run "./pipe": it is no regular file',
        where: './pipe',
        fix: 'Name a program in CMD, or make the file executable (chmod +x).',
      },
    ],
    [
      'without an interpreter: 126',
      ['./script'],
      {
        status: 126,
        code: 'E_SPAWN',
        message:
          'Cannot run "./script": it is no program for this machine, and names no interpreter',
        where: './script',
        fix: 'Give a script a first line (#!/bin/sh).',
      },
    ],
    [
      'that is an empty file: 126',
      ['./empty'],
      {
        status: 126,
        code: 'E_SPAWN',
        message: 'Cannot run "./empty": it is empty',
        where: './empty',
        fix: 'Look at how it gets into the image (COPY, a build step).',
      },
    ],
    [
      'for another machine: 126',
      ['./foreign'],
      {
        status: 126,
        code: 'E_SPAWN',
        message:
          /^Cannot run "\.\/foreign": it is a program for s390x, and this machine is (?:x86_64|aarch64)$/,
        where: './foreign',
        fix: 'Build the image for this machine (docker build --platform), or register qemu-user-static',
      },
    ],
    [
      'for another machine, with the loader of that machine: 126',
      ['./foreign-loaded'],
      {
        status: 126,
        code: 'E_SPAWN',
        message:
          /^Cannot run "\.\/foreign-loaded": it is a program for riscv, and this machine is /,
        where: './foreign-loaded',
        fix: 'Build the image for this machine (docker build --platform), or register qemu-user-static',
      },
    ],
    [
      'whose interpreter does not exist: 127',
      ['./interpreted'],
      {
        status: 127,
        code: 'E_SPAWN',
        message: 'Cannot run "./interpreted": its interpreter /no/such/interpreter does not exist',
        where: './interpreted',
        fix: 'Correct its first line (#!), or install that interpreter.',
      },
    ],
    [
      'whose first line ends as on Windows: 127',
      ['./windows'],
      {
        status: 127,
        code: 'E_SPAWN',
        message:
          'Cannot run "./windows": its interpreter "/bin/sh\\r" does not exist: the first line ends with a carriage return',
        where: './windows',
        fix: 'Save the file with the line endings of Unix (LF).',
      },
    ],
    [
      'whose loader does not exist: 127',
      ['./unloadable'],
      {
        status: 127,
        code: 'E_SPAWN',
        message: 'Cannot run "./unloadable": its loader /lib/no-such-loader.so.1 does not exist',
        where: './unloadable',
        fix: 'Take a binary that was built for this image (Alpine has musl, Debian glibc), or install that loader.',
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
      files: {
        script: 'echo no\n',
        empty: '',
        interpreted: '#!/no/such/interpreter\n',
        windows: '#!/bin/sh\r\necho no\r\n',
        // Bytes that are no UTF-8 come by way of base64: a head of s390x, and a program with that loader.
        'foreign.b64': elf({ machine: 22 }),
        'foreign-loaded.b64': elf({ machine: 243, loader: '/lib/ld-linux-riscv64.so.1' }),
        'unloadable.b64': elf({ machine: ownMachine, loader: '/lib/no-such-loader.so.1' }),
      },
      // Where nothing is known of registered formats, those cases are left to exec: run-formats.test.ts.
      before: `${seenFormats}
        mkfifo pipe
        for name in foreign foreign-loaded unloadable; do base64 -d $name.b64 > $name; done
        chmod +x pipe script empty interpreted windows foreign foreign-loaded unloadable`,
      args: ['--', ...command],
    });
    expect(refusalOf(ended)).toEqual(refused(refusal));
    expect(ended.hosts).toBe(hosts);
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
      'for a command without -- behind options, which stay before it',
      ['--user', 'node', '--exec', 'node', 'server.js'],
      {
        message: 'Cannot understand the command line: "node" is not a command of warp-init',
        where: 'command line',
        fix: 'put -- before it: warp-init --user node --exec -- node server.js',
      },
    ],
    [
      'for a command without --, whose options are not ours',
      ['sh', '-c', 'true'],
      {
        message: 'Cannot understand the command line: "sh" is not a command of warp-init',
        where: 'command line',
        fix: 'put -- before it: warp-init -- sh -c true',
      },
    ],
    [
      'for the same behind an option of ours',
      ['--user', 'node', 'node', '--inspect', 'server.js'],
      {
        message: 'Cannot understand the command line: "node" is not a command of warp-init',
        where: 'command line',
        fix: 'put -- before it: warp-init --user node -- node --inspect server.js',
      },
    ],
    [
      'for the same behind run, with an option that we have too',
      ['run', '--debug', 'node', '--version'],
      {
        message: 'Cannot understand the command line: "node" stands before --',
        where: 'command line',
        fix: 'Put -- before the command: warp-init --debug -- node --version',
      },
    ],
    [
      'for the -v of others',
      ['-v'],
      {
        message: 'Cannot understand the command line: there is no option -v',
        where: 'command line',
        fix: 'Did you mean -V',
      },
    ],
    [
      'for a command before --, too',
      ['run', '--user=node', 'node', '--', 'server.js'],
      {
        message: 'Cannot understand the command line: "node" stands before --',
        where: 'command line',
        fix: 'Put -- before the command: warp-init --user=node -- node server.js',
      },
    ],
    [
      'for no command at all',
      [],
      {
        message: 'Cannot start: no command was given',
        where: 'command line',
        fix: 'Name it in CMD, beside ENTRYPOINT ["warp-init", "--"] (without brackets CMD is lost), or in `args` of warp.config.js.',
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
      'for a rewrite of signals that do not exist, with both halves corrected',
      ['--rewrite', 'SIGTREM:SIGQIUT', '--', 'true'],
      {
        message:
          'Cannot use "SIGTREM:SIGQIUT" for --rewrite: expected a signal, such as SIGTERM or 15, in place of "SIGTREM" and "SIGQIUT"',
        where: '--rewrite',
        fix: 'Write SIGTERM:SIGQUIT instead.',
      },
    ],
    [
      'for a rewrite of which one half is like no signal, without half a correction',
      ['--rewrite', 'SIGTREM:BAR', '--', 'true'],
      {
        message: 'Cannot use "SIGTREM:BAR" for --rewrite: expected a signal',
        where: '--rewrite',
        fix: 'Give --rewrite a signal, such as SIGTERM or 15, in place of "SIGTREM" and "BAR".',
      },
    ],
    [
      'for a rewrite without a colon',
      ['--rewrite', 'SIGTERM', '--', 'true'],
      {
        message: 'Cannot use "SIGTERM" for --rewrite: expected two signals',
        where: '--rewrite',
        fix: 'Give --rewrite two signals, such as "SIGTERM:SIGQUIT", or "SIGWINCH:0".',
      },
    ],
    [
      'for a rewrite of a signal that nobody catches',
      ['--rewrite', 'SIGKILL:SIGTERM', '--', 'true'],
      {
        message:
          'Cannot use "SIGKILL:SIGTERM" for --rewrite: expected a signal that can be caught: nobody catches SIGKILL',
        where: '--rewrite',
        fix: 'Give --rewrite a signal that can be caught',
      },
    ],
    [
      'for an exit status that there is not',
      ['--exit-status', '256', '--', 'true'],
      {
        message:
          'Cannot use "256" for --exit-status: expected one or two exit statuses from 0 to 255',
        where: '--exit-status',
        fix: 'Give --exit-status one or two exit statuses from 0 to 255, such as "143" or "143:0".',
      },
    ],
    [
      'for an exit status that cannot be given',
      ['--exit-status', '143:-1', '--', 'true'],
      {
        message: 'Cannot use "143:-1" for --exit-status: expected one or two exit statuses',
        where: '--exit-status',
        fix: 'Give --exit-status one or two exit statuses',
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

  // To a HEALTHCHECK a status of 0 would mean an app that is well.
  test.each([
    ['health', []],
    ['check', ['--json']],
    ['bundle', ['-']],
    ['debug', []],
    ['status', []],
    ['reload', []],
    ['emulator', ['platform.json']],
  ])('for the command %s behind an option', async (command, words) => {
    const ended = await runContainer({ args: ['--log-format', 'json', command, ...words] });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 64,
        code: 'E_USAGE',
        message: `Cannot understand the command line: the command ${command} is not its first word`,
        where: 'command line',
        fix: `Write \`warp-init ${command}\`, and the options behind it.`,
      }),
    );
  });

  test.each([
    ['warm', 'extra'],
    ['status', 'extra', '--json'],
    ['health', '--', 'extra'],
    ['reload', 'extra'],
    ['emulator', 'a.json', 'extra'],
  ])('for a word that %s has no use for', async (...args) => {
    const ended = await runContainer({ args });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 64,
        code: 'E_USAGE',
        message: `Cannot understand the command line: ${args[0]} has no use for "extra"`,
        where: 'command line',
        fix: `see warp-init ${args[0]} --help`,
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
    expect(ended.hosts).toBe(hosts);
  });
});
