// The words of a command line that stand before `--`: which of them is a command of ours, and where `--` is missing.
import { commandNames } from './core/command-names.ts';
import { optionNames, runOptions } from './core/run-options.ts';
import { nearest } from './core/suggest.ts';
import { StartError, exitStatus } from './errors.ts';

/** Commands that are about a start, and take another one behind --. */
const starters = ['run', 'debug', 'check'];

/** Before the parser looks: options of a command whose -- was forgotten would be taken for ours. */
export function refuseMissingDashes(args: readonly string[]): void {
  const at = findWord(args, 0);
  const word = args[at];
  if (word === undefined) {
    return;
  }

  if (!commandNames.includes(word)) {
    throw unknownCommand(word, args);
  }

  const next = args[findWord(args, at + 1)];
  if (starters.includes(word) && next !== undefined) {
    throw wordBeforeDashes(next, args);
  }
}

/** The index of the first word that is no option and no value of one; -1: there is none, or what stands before it is not known. */
function findWord(args: readonly string[], from: number): number {
  for (let at = from; at < args.length; at += 1) {
    const word = args[at] ?? '';
    if (!word.startsWith('-') || word === '-') {
      return at;
    }

    const option = optionNames().find((name) => word === `--${name}`);
    if (takesValue(word) || (option !== undefined && /^(?:true|false)$/.test(args[at + 1] ?? ''))) {
      at += 1;
    } else if (option === undefined && !/^--[\w-]+=|^--json$/.test(word)) {
      return -1;
    }
  }

  return -1;
}

/** pid1 has taken it for `run`: its own place for a command is the first word. */
export function refuseLateCommand(command: string, args: readonly string[]): void {
  if (command !== 'run' && commandNames.includes(command) && args[0] !== command) {
    throw usageError(
      `the command ${command} is not its first word`,
      `Write \`warp-init ${command}\`, and the options behind it.`,
    );
  }
}

export function wordBeforeDashes(word: string, args: readonly string[]): StartError {
  return usageError(
    `${JSON.stringify(word)} stands before --`,
    `Put -- before the command: ${withDashes(word, args)}`,
  );
}

export function unknownCommand(word: string, args: readonly string[]): StartError {
  const known = nearest(word, commandNames);
  return usageError(
    `${JSON.stringify(word)} is not a command of warp-init`,
    known === undefined
      ? `To run it as the app, put -- before it: ${withDashes(word, args)}`
      : `Did you mean \`warp-init ${known}\`? To run it as the app, put -- before it.`,
  );
}

/** The command line as it is meant: options of ours stay before the first word of the command. */
function withDashes(word: string, args: readonly string[]): string {
  const at = args.findIndex((it, index) => it === word && !takesValue(args[index - 1] ?? ''));
  const own = args.slice(args[0] === 'run' ? 1 : 0, Math.max(0, at));
  const command = args.slice(Math.max(0, at)).filter((it) => it !== '--');
  return ['warp-init', ...own, '--', ...command].join(' ');
}

function takesValue(word: string): boolean {
  const option = optionNames().find((name) => word === `--${name}`);
  return (
    ['--format', '--fault'].includes(word) ||
    (option !== undefined && runOptions[option].kind !== 'flag')
  );
}

export function usageError(rule: string, fix: string): StartError {
  return new StartError('E_USAGE', `Cannot understand the command line: ${rule}`, {
    exitCode: exitStatus.usage,
    remedy: { where: 'command line', fix },
  });
}
