// The parser of the command line: commands, options from the one table, help.
import yargs, { type CommandModule, type Options } from 'yargs';

import { epilogue, usage } from './cli-help.ts';
import { defaultSocketPath } from './core/default-socket.ts';
import { type OptionName, optionNames, runOptions } from './core/run-options.ts';
import { debugFormats } from './invocation.ts';
import { version } from './version.ts';

/** @param onFailure - What yargs found wrong, as the error to throw. */
export function createParser(
  args: readonly string[],
  onFailure: (message: string, error: Error | undefined) => Error,
) {
  const first = args.find((word) => !word.startsWith('-'));
  const takesRunOptions = first === undefined || !withoutRunOptions.includes(first);
  const parser = yargs([])
    .scriptName('warp-init')
    .usage(usage)
    .command(runCommand)
    .command(debugCommand)
    .command(checkCommand)
    .command(askingCommand('status', 'the running init: app, pipeline, reloads', statusOptions))
    .command(
      askingCommand('reload', 'resolve everything again; print what has changed', reloadOptions),
    )
    .command(askingCommand('health', 'for HEALTHCHECK: the app runs, changes are followed'))
    .command(bundleCommand)
    .command(emulatorCommand)
    .command(warmCommand)
    .version(version)
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
      throw onFailure(message, error);
    });
  return takesRunOptions ? parser.options(runOptionTable()) : parser;
}

const withoutRunOptions = ['status', 'reload', 'health', 'emulator', 'warm'];

const runCommand: CommandModule = {
  command: 'run',
  describe: 'prepare, start and supervise COMMAND (the default)',
  builder: (command) =>
    command
      .usage('warp-init [run] [OPTIONS] -- COMMAND [ARGS...]')
      .example('warp-init --user node --kill-delay 10s -- node server.js', ''),
  handler: () => undefined,
};

const askingExamples = {
  status: ['docker exec web warp-init status --json'],
  reload: ['docker exec web warp-init reload', 'docker exec web warp-init reload --now'],
  health: ['HEALTHCHECK CMD ["warp-init", "health"]'],
} as const;

/** One that asks a running init. */
function askingCommand(
  name: keyof typeof askingExamples,
  describe: string,
  ownOptions: Readonly<Record<string, Options>> = {},
): CommandModule {
  const usages = Object.keys(ownOptions).map((option) => ` [--${option}]`);
  return {
    command: name,
    describe,
    builder: (command) =>
      command
        .usage(`warp-init ${name}${usages.join('')} [--state-directory DIR]`)
        .options({ ...ownOptions, 'state-directory': optionOf('state-directory') })
        .example(askingExamples[name].map((line): [string, string] => [line, ''])),
    handler: () => undefined,
  };
}

const statusOptions = { json: { type: 'boolean', describe: 'as JSON' } } as const;

const reloadOptions = {
  now: {
    type: 'boolean',
    describe: 'wait neither for quiet nor for the minute between two restarts',
  },
} as const;

const debugCommand: CommandModule = {
  command: 'debug',
  describe: 'print the resolved map and all that run would do; change nothing',
  builder: (command) =>
    command
      .usage('warp-init debug [--format FORMAT] [OPTIONS] [-- COMMAND]')
      .option('format', {
        type: 'string',
        requiresArg: true,
        default: 'table',
        choices: debugFormats,
        describe: 'how it is printed',
      })
      .example('warp-init debug --format json', ''),
  handler: () => undefined,
};

const checkCommand: CommandModule = {
  command: 'check',
  describe: 'is this container fit: each precondition of run; exit 0 or 1',
  builder: (command) =>
    command
      .usage('warp-init check [--json] [OPTIONS] [-- COMMAND]')
      .option('json', { type: 'boolean', describe: 'as JSON' })
      .example('docker exec web warp-init check', '')
      .example('docker run --rm --entrypoint warp-init IMAGE check -- node server.js', ''),
  handler: () => undefined,
};

const bundleCommand: CommandModule = {
  command: 'bundle <file>',
  describe: 'what a maintainer needs to help, in one archive without secrets',
  builder: (command) =>
    command
      .usage('warp-init bundle FILE.tar.gz [OPTIONS] [-- COMMAND]')
      .positional('file', { type: 'string', describe: 'a new file, or - for stdout' })
      .example('docker exec web warp-init bundle - > web.tar.gz', ''),
  handler: () => undefined,
};

const emulatorCommand: CommandModule = {
  command: 'emulator <platform>',
  describe: 'serve the internal API and pipeline from a JSON file, for a laptop',
  builder: (command) =>
    command
      .usage('warp-init emulator PLATFORM.json [--socket PATH] [--fault FAULTS]')
      .positional('platform', {
        type: 'string',
        describe: 'the platform, as docs/emulator.md says',
      })
      .option('socket', {
        type: 'string',
        requiresArg: true,
        default: defaultSocketPath,
        describe: 'where to listen',
      })
      .option('fault', {
        type: 'string',
        requiresArg: true,
        describe:
          'what goes wrong, with commas between: latency=200ms, error-rate=0.3, cut, garbage, ' +
          'refused, half-open, unauthorized, restart=10s/2s, seed=1',
      })
      .example('warp-init emulator platform.json --socket /tmp/api.sock', ''),
  handler: () => undefined,
};

const warmCommand: CommandModule = {
  command: 'warm',
  describe: 'compile for this Node ahead of time, while an image is built',
  builder: (command) =>
    command
      .usage('warp-init warm')
      .example('RUN npm install --global /tmp/warp-init-0.1.0.tgz && warp-init warm', ''),
  handler: () => undefined,
};

function runOptionTable() {
  return Object.fromEntries(optionNames().map((name) => [name, optionOf(name)]));
}

function optionOf(name: OptionName): Options {
  const { kind, description, placeholder } = runOptions[name];
  return kind === 'flag'
    ? { type: 'boolean', describe: description }
    : { type: 'string', requiresArg: true, describe: `${placeholder}: ${description}` };
}
