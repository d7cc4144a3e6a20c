// A command of ours in a process of its own: whatever a config does there, hanging or exiting, it does not do here.
import { execFile } from 'node:child_process';

import { optionNames } from '../core/run-options.ts';
import { hideVariables } from '../inputs/own-environment.ts';
import type { StartWords } from '../invocation.ts';
import { inheritedVariables } from './inherited-variables.ts';

export type OwnRun = {
  readonly stdout: string;
  readonly stderr: string;
  /** Undefined where a signal has ended it. */
  readonly status: number | undefined;
};

/** A config has 5 s, the platform 30. */
const deadlineMs = 60_000;
const maxBytes = 64 * 2 ** 20;

/** @param words - The command and its own options. */
export function runSelf(words: readonly string[], { options, argv }: StartWords): Promise<OwnRun> {
  const args = [...words, ...formatOptions(options), '--', ...argv];
  const env = { ...hideVariables(inheritedVariables()), WARP_INIT_LOG_FORMAT: 'json' };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...process.execArgv, process.argv[1] ?? '', ...args],
      { env, timeout: deadlineMs, killSignal: 'SIGKILL', maxBuffer: maxBytes },
      (_error, stdout, stderr) => resolve({ stdout, stderr, status: child.exitCode ?? undefined }),
    );
    child.stdin?.end();
  });
}

/** As they would stand on the command line; those of the log are ours. */
function formatOptions(options: StartWords['options']): string[] {
  return optionNames()
    .filter((name) => name !== 'log-format' && name !== 'log-level')
    .flatMap((name) => {
      const value = options[name];
      const values: readonly (string | boolean)[] =
        value === undefined ? [] : typeof value === 'object' ? value : [value];
      return values.map((item) => `--${name}=${item}`);
    });
}
