// What the command line asks for, and the one form of it that needs no parser.
import type { RawOptions } from './core/run-options.ts';

export const debugFormats = ['table', 'json', 'dotenv', 'shell', 'hosts'] as const;

export type DebugFormat = (typeof debugFormats)[number];

export type Invocation =
  | { readonly command: 'run'; readonly options: RawOptions; readonly argv: readonly string[] }
  | {
      readonly command: 'debug';
      readonly options: RawOptions;
      readonly argv: readonly string[];
      readonly format: DebugFormat;
    }
  | { readonly command: 'emulator'; readonly platformPath: string; readonly socketPath: string }
  | { readonly command: 'warm' }
  /** `--help` and `--version`: the text is the whole answer. */
  | { readonly command: 'print'; readonly text: string };

/** `-- COMMAND`, as every Dockerfile has it: yargs would cost more than all of the start. */
export function parseBareRun(args: readonly string[]): Invocation | undefined {
  const rest = args[0] === 'run' ? args.slice(1) : args;
  return rest.length === 0 || rest[0] === '--'
    ? { command: 'run', options: {}, argv: rest.slice(1) }
    : undefined;
}
