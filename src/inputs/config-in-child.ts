// warp.config.js in a process of its own, since modules are cached for good, and since a config may block, exit or leave
// timers behind: for an app that runs already, and for commands. What it exports comes back as JSON.
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';

import { StartError, exitStatus } from '../errors.ts';
import { type ConfigAnswer, answerFd, parseAnswer } from './config-answer.ts';
import type { LoadedConfig } from './config-file.ts';
import { closedMemory, hideVariables } from './own-environment.ts';

/** The first argument of such a process; main.ts. */
const configChildRole = 'config-child';

export type ConfigInChild = {
  /** `--config`. */
  readonly path: string | undefined;
  readonly inherited: ReadonlyMap<string, string>;
  /** The process ends itself before that; then it is killed. */
  readonly deadlineMs: number;
  /** Where its console.log goes: for commands, whose stdout is theirs. */
  readonly stdout: 'inherit' | 'stderr';
};

/**
 * @returns Undefined where there is no config file.
 * @throws {StartError} E_CONFIG, as at a start.
 */
export async function loadConfigInChild(
  options: ConfigInChild,
): Promise<(Pick<LoadedConfig, 'path'> & { readonly value: unknown }) | undefined> {
  const answer = await askChild(options);
  switch (answer?.kind) {
    case 'value':
      return answer;
    case 'no-file':
      return undefined;
    case 'error':
      throw new StartError(answer.code, answer.message, answer);
    case undefined:
      throw new StartError(
        'E_CONFIG',
        `Cannot load the config ${options.path ?? 'warp.config.js'}: it ended its process, or did not come to an end within ${options.deadlineMs} ms`,
        {
          exitCode: exitStatus.config,
          remedy: {
            where: options.path ?? 'warp.config.js',
            fix: 'Let the config neither wait nor exit.',
          },
        },
      );
  }
}

async function askChild({
  path,
  inherited,
  deadlineMs,
  stdout,
}: ConfigInChild): Promise<ConfigAnswer | undefined> {
  const { env, stdio } = closedMemory(); // It gets the token.
  const child = spawn(
    process.execPath,
    [...process.execArgv, process.argv[1] ?? '', configChildRole, path ?? ''],
    {
      stdio: ['ignore', stdout === 'stderr' ? 2 : 'inherit', 'inherit', 'pipe', ...stdio],
      env: { ...hideVariables(inherited), ...env },
    },
  );
  child.on('error', () => undefined); // It could not be started: then there is no answer, either.
  const kill = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  try {
    const answers = child.stdio[answerFd];
    return answers instanceof Readable ? parseAnswer(await textOf(answers)) : undefined;
  } finally {
    clearTimeout(kill);
    child.kill('SIGKILL');
  }
}

/** Longer ones are no config. */
const maxLength = 16 * 2 ** 20;

function textOf(stream: Readable): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    stream.setEncoding('utf8');
    stream.on('data', (part: string) => {
      text += part;
      if (text.length > maxLength || text.includes('\n')) {
        resolve(text);
      }
    });
    stream.on('error', () => resolve(''));
    stream.on('close', () => resolve(text));
  });
}
