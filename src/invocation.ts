// What the command line asks for, and the one form of it that needs no parser.
import type { RawOptions } from './core/run-options.ts';

export const debugFormats = ['table', 'json', 'dotenv', 'shell', 'hosts'] as const;

export type DebugFormat = (typeof debugFormats)[number];

export type Invocation =
  | (StartWords & { readonly command: 'run' })
  | (StartWords & { readonly command: 'debug'; readonly format: DebugFormat })
  | (StartWords & { readonly command: 'check'; readonly asJson: boolean })
  /** `file`: where the archive goes; `-` is stdout. */
  | (StartWords & { readonly command: 'bundle'; readonly file: string })
  | {
      readonly command: 'emulator';
      readonly platformPath: string;
      readonly socketPath: string;
      /** Those of all --fault, with commas between them. */
      readonly faults: string;
    }
  | (AskedInit & { readonly command: 'status'; readonly asJson: boolean })
  | (AskedInit & ReloadWords & { readonly command: 'reload' })
  | (AskedInit & { readonly command: 'health' })
  | { readonly command: 'warm' }
  /** `--help` and `--version`: the text is the whole answer. */
  | { readonly command: 'print'; readonly text: string };

/** A start that a command is about. */
export type StartWords = {
  readonly options: RawOptions;
  /** Empty where the config's `args` is meant. */
  readonly argv: readonly string[];
};

/** Which running init a command asks. */
export type AskedInit = {
  /** Of `--state-directory`; undefined: that of the environment, or one of the usual ones. */
  readonly stateDirectory: string | undefined;
};

export type ReloadWords = {
  /** It waits neither for quiet nor for the spacing of restarts. */
  readonly isNow: boolean;
};

/** `-- COMMAND`, as every Dockerfile has it: yargs would cost more than all of the start. */
export function parseBareRun(args: readonly string[]): Invocation | undefined {
  const rest = args[0] === 'run' ? args.slice(1) : args;
  return rest.length === 0 || rest[0] === '--'
    ? { command: 'run', options: {}, argv: rest.slice(1) }
    : undefined;
}
