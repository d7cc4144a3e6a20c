// The command line: argv to an Invocation, and the help. Loaded only where there is an option to parse.
import { createParser } from './cli-parser.ts';
import {
  refuseLateCommand,
  refuseMissingDashes,
  unknownCommand,
  usageError,
  wordBeforeDashes,
} from './cli-words.ts';
import { defaultSocketPath } from './core/default-socket.ts';
import { type OptionName, type RawOptions, optionNames, runOptions } from './core/run-options.ts';
import { nearest } from './core/suggest.ts';
import { type AskedInit, type Invocation, type StartWords, debugFormats } from './invocation.ts';

/** @throws {StartError} E_USAGE (64), with the nearest known option or command suggested. */
export async function parseCommandLine(args: readonly string[]): Promise<Invocation> {
  refuseFlagValues(args);
  refuseMissingDashes(args);
  let text: string | undefined;
  const parser = createParser(args, (message, error) => describeFailure(message, error, args));
  const parsed = await parser.parseAsync(
    [...args],
    {},
    (_error: unknown, _argv: unknown, output: string) => {
      text = output;
    },
  );
  if (text !== undefined && text !== '') {
    return { command: 'print', text };
  }

  return readInvocation({ '--': [], ...parsed }, args);
}

function readInvocation(words: Words, args: readonly string[]): Invocation {
  const command = String(words._[0] ?? 'run');
  refuseLateCommand(command, args);
  switch (command) {
    case 'run':
      return { command, ...readStart(words, args) };
    case 'debug': {
      const format = debugFormats.find((known) => known === words['format']) ?? 'table';
      return { command, ...readStart(words, args), format };
    }
    case 'check':
      return { command, ...readStart(words, args), asJson: words['json'] === true };
    case 'bundle':
      return { command, ...readStart(words, args), file: readFileName(words, args) };
    case 'emulator':
      refuseMore(words, command);
      return {
        command,
        platformPath: String(words['platform']),
        socketPath: typeof words['socket'] === 'string' ? words['socket'] : defaultSocketPath,
        faults: [words['fault'] ?? []].flat().map(String).join(','),
      };
    case 'status':
      refuseMore(words, command);
      return { command, ...readAskedInit(words), asJson: words['json'] === true };
    case 'reload':
      refuseMore(words, command);
      return { command, ...readAskedInit(words), isNow: words['now'] === true };
    case 'health':
      refuseMore(words, command);
      return { command, ...readAskedInit(words) };
    case 'warm':
      refuseMore(words, command);
      return { command };
    default:
      throw unknownCommand(command, args);
  }
}

type Words = {
  readonly [name: string]: unknown;
  readonly _: readonly (string | number)[];
  readonly '--': readonly (string | number)[];
};

function refuseMore(words: Words, command: string): void {
  const [more] = [...words._.slice(1), ...words['--']];
  if (more !== undefined) {
    throw usageError(
      `${command} has no use for ${JSON.stringify(String(more))}`,
      `Leave it out: see warp-init ${command} --help.`,
    );
  }
}

function readStart(words: Words, args: readonly string[]): StartWords {
  const [, positional] = words._;
  if (positional !== undefined) {
    throw wordBeforeDashes(String(positional), args);
  }

  return { options: readOptions(words), argv: words['--'].map(String) };
}

function readOptions(words: Words): RawOptions {
  const options: { [name in OptionName]?: string | boolean | readonly string[] } = {};
  for (const name of optionNames()) {
    const value = words[name];
    if (typeof value === 'string' || typeof value === 'boolean') {
      options[name] = runOptions[name].kind === 'list' ? [String(value)] : value;
    } else if (Array.isArray(value)) {
      options[name] = readRepeated(name, value.map(String));
    }
  }

  return options;
}

/** yargs takes a lone `-` for nothing. */
function readFileName(words: Words, args: readonly string[]): string {
  const name = String(words['file']);
  if (name !== '') {
    return name;
  }

  const end = args.indexOf('--');
  if ((end === -1 ? args : args.slice(0, end)).includes('-')) {
    return '-';
  }

  throw usageError('FILE is empty', 'Write `warp-init bundle FILE.tar.gz`.');
}

function readAskedInit(words: Words): AskedInit {
  const directory = readOptions(words)['state-directory'];
  return { stateDirectory: typeof directory === 'string' ? directory : undefined };
}

/** yargs takes any value of a flag for true. */
function refuseFlagValues(args: readonly string[]): void {
  const end = args.indexOf('--');
  for (const word of end === -1 ? args : args.slice(0, end)) {
    const [, name = '', value = ''] = /^--([\w-]+)=(.*)$/.exec(word) ?? [];
    if (flags().includes(name) && !/^(?:true|false)$/.test(value)) {
      throw usageError(
        `--${name} is given ${JSON.stringify(value)}`,
        `Write --${name}, or --${name}=false.`,
      );
    }
  }
}

/** Of run, and those of other commands. */
function flags(): readonly string[] {
  return [...optionNames().filter((name) => runOptions[name].kind === 'flag'), 'json', 'now'];
}

function readRepeated(name: OptionName, values: readonly string[]): string | readonly string[] {
  const last = values.at(-1);
  if (runOptions[name].kind !== 'list' && last !== undefined) {
    throw usageError(`--${name} is given ${values.length} times`, `Give --${name} once.`);
  }

  return values;
}

/** yargs names unknown options without their dashes, in words that are its own. */
function describeFailure(
  message: string,
  error: Error | undefined,
  args: readonly string[],
): Error {
  if (error !== undefined && error.name !== 'YError') {
    return error;
  }

  const said = error?.message ?? message;
  const unknown = /^Unknown arguments?: (.+)$/.exec(said)?.[1]?.split(', ')[0];
  if (unknown === undefined) {
    const needy = /^Not enough arguments following: (.+)$/.exec(said)?.[1];
    if (needy !== undefined) {
      return usageError(`--${needy} has no value`, `Give it one: see warp-init --help.`);
    }

    if (said.startsWith('Not enough non-option arguments')) {
      return args.includes('bundle')
        ? usageError('FILE is missing', 'Write `warp-init bundle FILE.tar.gz`.')
        : usageError('PLATFORM.json is missing', 'Write `warp-init emulator PLATFORM.json`.');
    }

    return usageError(said.replaceAll(/\s+/g, ' '), 'See warp-init --help.');
  }

  const written = args.find((word) => word.replace(/^-+/, '').split('=')[0] === unknown) ?? unknown;
  const known = nearest(unknown, [...optionNames(), 'help', 'version', 'format', 'json', 'now']);
  if (unknown === 'plain') {
    return usageError('--plain is not its first word', 'Write `warp-init --plain -- COMMAND`.');
  }

  if (written === '-v') {
    return usageError(
      'there is no option -v',
      'Did you mean -V (the version), or --log-level debug?',
    );
  }

  return usageError(
    `there is no option ${written.split('=')[0] ?? unknown}`,
    // Known to another command, perhaps.
    known === undefined || known === unknown ? 'See warp-init --help.' : `Did you mean --${known}?`,
  );
}
