// The process that evaluates warp.config.js in our place (inputs/config-in-child.ts): one answer on descriptor 3.
import { writeSync } from 'node:fs';

import { configError, parseConfig } from '../core/config.ts';
import { StartError } from '../errors.ts';
import { answerFd, encodeAnswer, encodeError } from '../inputs/config-answer.ts';
import { configFailure } from '../inputs/config-failure.ts';
import { loadConfigFile } from '../inputs/config-file.ts';
import { currentDirectory } from '../inputs/current-directory.ts';
import { restoreHiddenVariables } from '../inputs/own-environment.ts';
import { configDeadlineMs } from './prepare.ts';
import { stuckReport } from './stuck-report.ts';

/** Ends when the asker has the answer and kills it: the config may have left anything behind. */
export async function runConfigChild(path: string): Promise<void> {
  restoreHiddenVariables(process.env);
  // A promise of the config that nobody has waited for.
  process.once('uncaughtException', (error) => write(encodeError(failureOf(path, error))));
  write(await answerOf(path));
}

async function answerOf(path: string): Promise<string> {
  try {
    const file = await loadConfigFile({
      path: path === '' ? undefined : path,
      directory: currentDirectory(),
      deadlineMs: configDeadlineMs,
      onStuck: stuckReport({ kind: 'config-child' }),
    });
    // What it has left behind rejected shows itself here.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return file === undefined ? encodeAnswer({ kind: 'no-file' }) : encodeValue(file);
  } catch (error) {
    return encodeError(error instanceof StartError ? error : failureOf(path, error));
  }
}

/** Checked here: JSON loses what is wrong, such as a function. @throws {StartError} */
function encodeValue(file: { readonly path: string; readonly value: unknown }): string {
  const result = parseConfig(file.value);
  if (!result.ok) {
    throw configError(file.path, result.problems);
  }

  return encodeAnswer({ kind: 'value', ...file });
}

function failureOf(path: string, error: unknown): StartError {
  return configFailure(path === '' ? 'warp.config.js' : path, error, process.argv[1] ?? '');
}

function write(answer: string): void {
  const bytes = Buffer.from(answer);
  let offset = 0;
  while (offset < bytes.length) {
    offset += writeSync(answerFd, bytes, offset);
  }
}
