// The command line: argv to an Invocation, and the help. Loaded only where there is an option to parse.
import yargs from 'yargs';

import { type OptionName, type RawOptions, optionNames, runOptions } from './core/run-options.ts';
import { nearest } from './core/suggest.ts';
import { StartError, exitStatus } from './errors.ts';
import { type Invocation, debugFormats } from './invocation.ts';

declare const __VERSION__: string;

const defaultSocket = '/var/run/cycle/api/api.sock';

const usage = `warp-init [run] [OPTIONS] -- COMMAND [ARGS...]

Prepares a container (services, environment, hosts, secrets), then runs COMMAND
as its main process and does the duties of PID 1.`;

const epilogue = `Each option of run is also WARP_INIT_NAME (WARP_INIT_KILL_DELAY=10s) and a key
of init in warp.config.js. \`warp-init --plain -- COMMAND\` is an init without
any of this: no config, no platform, no Node. WARP_INIT_PLAIN=1 means the same.

Exit status: the app's own, or 128+N if signal N ended it. Before the app runs:
   64  the command line or a WARP_INIT_ variable is wrong
   69  the platform did not answer, or not with what it should
   70  warp-init itself failed
   73  a file cannot be written that must be
   77  the platform refused: token or permission
   78  the config, a secret or the user is wrong
  126  COMMAND cannot be executed
  127  COMMAND was not found

In a Dockerfile:
  ENTRYPOINT ["warp-init", "--"]
  CMD ["node", "server.js"]`;

/** @throws {StartError} E_USAGE (64), with the nearest known option or command suggested. */
export async function parseCommandLine(args: readonly string[]): Promise<Invocation> {
  let text: string | undefined;
  const parser = createParser(args);
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

  const words = parsed as Words;
  const [command = 'run', ...positional] = words._.map(String);
  const rest = (words['--'] ?? []).map(String);
  switch (command) {
    case 'run':
      return { command, options: readOptions(words), argv: refusePositional(positional, rest) };
    case 'debug':
      return {
        command,
        options: readOptions(words),
        argv: refusePositional(positional, rest),
        format: debugFormats.find((format) => format === words['format']) ?? 'table',
      };
    case 'emulator':
      return {
        command,
        platformPath: String(words['platform']),
        socketPath: typeof words['socket'] === 'string' ? words['socket'] : defaultSocket,
      };
    default:
      throw unknownCommand(command, args);
  }
}

type Words = {
  readonly [name: string]: unknown;
  readonly _: readonly (string | number)[];
  readonly '--'?: readonly (string | number)[];
};

const commandNames = ['run', 'debug', 'emulator'];

function createParser(args: readonly string[]) {
  const takesRunOptions = args.find((word) => !word.startsWith('-')) !== 'emulator';
  const parser = yargs([])
    .scriptName('warp-init')
    .usage(usage)
    .command('run', 'prepare, start and supervise COMMAND (the default)')
    .command(
      'debug',
      'print the resolved map and all that run would do; change nothing',
      (command) =>
        command
          .usage('warp-init debug [--format FORMAT] [OPTIONS] [-- COMMAND]')
          .option('format', {
            type: 'string',
            requiresArg: true,
            default: 'table',
            choices: debugFormats,
          })
          .example('warp-init debug --format json', ''),
    )
    .command(
      'emulator <platform>',
      'serve the internal API from a JSON file, for a laptop',
      (command) =>
        command
          .usage('warp-init emulator PLATFORM.json [--socket PATH]')
          .positional('platform', {
            type: 'string',
            describe: 'the platform, as docs/emulator.md says',
          })
          .option('socket', {
            type: 'string',
            requiresArg: true,
            default: defaultSocket,
            describe: 'where to listen',
          })
          .example('warp-init emulator platform.json --socket /tmp/api.sock', ''),
    )
    .version(__VERSION__)
    .alias('version', 'V')
    .help()
    .alias('help', 'h')
    .epilogue(epilogue)
    .wrap(80)
    .exitProcess(false)
    .parserConfiguration({
      'populate--': true,
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .strictOptions()
    .fail((message, error) => {
      throw describeFailure(message, error, args);
    });
  return takesRunOptions ? parser.options(runOptionTable()) : parser;
}

function runOptionTable() {
  return Object.fromEntries(
    optionNames().map((name) => {
      const { kind, description, placeholder } = runOptions[name];
      return [
        name,
        kind === 'flag'
          ? { type: 'boolean' as const, describe: description }
          : {
              type: 'string' as const,
              requiresArg: true,
              describe: `${placeholder}: ${description}`,
            },
      ];
    }),
  );
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

function readRepeated(name: OptionName, values: readonly string[]): string | readonly string[] {
  const last = values.at(-1);
  if (runOptions[name].kind !== 'list' && last !== undefined) {
    throw usageError(`--${name} is given ${values.length} times`, `Give --${name} once.`);
  }

  return values;
}

function refusePositional(
  positional: readonly string[],
  rest: readonly string[],
): readonly string[] {
  if (positional.length > 0) {
    const command = [...positional, ...rest].join(' ');
    throw usageError(
      `${JSON.stringify(positional[0])} stands before --`,
      `Put -- before the command: warp-init -- ${command}`,
    );
  }

  return rest;
}

function unknownCommand(word: string, args: readonly string[]): StartError {
  const known = nearest(word, commandNames);
  return usageError(
    `${JSON.stringify(word)} is not a command of warp-init`,
    known === undefined
      ? `To run it as the app, put -- before it: warp-init -- ${args.join(' ')}`
      : `Did you mean \`warp-init ${known}\`? To run it as the app, put -- before it.`,
  );
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
    return usageError(said.replaceAll(/\s+/g, ' '), 'See warp-init --help.');
  }

  const written = args.find((word) => word.replace(/^-+/, '').split('=')[0] === unknown) ?? unknown;
  const known = nearest(unknown, [...optionNames(), 'help', 'version', 'format', 'plain']);
  return usageError(
    `there is no option ${written.split('=')[0] ?? unknown}`,
    known === undefined ? 'See warp-init --help.' : `Did you mean --${known}?`,
  );
}

function usageError(rule: string, fix: string): StartError {
  return new StartError('E_USAGE', `Cannot understand the command line: ${rule}`, {
    exitCode: exitStatus.usage,
    remedy: { where: 'command line', fix },
  });
}
