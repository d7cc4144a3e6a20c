// The parser of the command line: commands, options from the one table, help.
import yargs, { type CommandModule } from 'yargs';

import { epilogue, usage } from './cli-help.ts';
import { defaultSocketPath } from './core/default-socket.ts';
import { optionNames, runOptions } from './core/run-options.ts';
import { debugFormats } from './invocation.ts';

// From package.json, by src/build/bundle.ts.
// oxlint-disable-next-line no-underscore-dangle -- the form that build-time constants have
declare const __VERSION__: string;

/** @param onFailure - What yargs found wrong, as the error to throw. */
export function createParser(
  args: readonly string[],
  onFailure: (message: string, error: Error | undefined) => Error,
) {
  const first = args.find((word) => !word.startsWith('-'));
  const takesRunOptions = first !== 'emulator' && first !== 'warm';
  const parser = yargs([])
    .scriptName('warp-init')
    .usage(usage)
    .command('run', 'prepare, start and supervise COMMAND (the default)')
    .command(debugCommand)
    .command(emulatorCommand)
    .command('warm', 'compile for this Node ahead of time, while an image is built')
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
      throw onFailure(message, error);
    });
  return takesRunOptions ? parser.options(runOptionTable()) : parser;
}

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
      })
      .example('warp-init debug --format json', ''),
  handler: () => undefined,
};

const emulatorCommand: CommandModule = {
  command: 'emulator <platform>',
  describe: 'serve the internal API from a JSON file, for a laptop',
  builder: (command) =>
    command
      .usage('warp-init emulator PLATFORM.json [--socket PATH]')
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
      .example('warp-init emulator platform.json --socket /tmp/api.sock', ''),
  handler: () => undefined,
};

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
