// Which start a command is to look at: that of its own command line, or where this says nothing, that of the init that is
// PID 1 here. `docker exec web warp-init check` has neither the options nor the command of the container.
import { basename } from 'node:path';

import { StartError } from '../errors.ts';
import { readWordsOfPid1 } from '../inputs/process-facts.ts';
import { type StartWords, parseBareRun } from '../invocation.ts';

export async function startedWith({ options, argv }: StartWords): Promise<StartWords> {
  const running = process.pid === 1 ? undefined : await startOfPid1();
  return {
    options: { ...running?.options, ...options },
    argv: argv.length > 0 ? argv : (running?.argv ?? []),
  };
}

async function startOfPid1(): Promise<StartWords | undefined> {
  const [program = '', ...given] = readWordsOfPid1();
  const words = given[0] === '--plain' ? given.slice(1) : given;
  if (!basename(program).startsWith('warp-init')) {
    return undefined;
  }

  const { parseCommandLine } = await import('../cli.ts');
  try {
    const invocation = parseBareRun(words) ?? (await parseCommandLine(words));
    return invocation.command === 'run' ? invocation : undefined;
  } catch (error) {
    if (!(error instanceof StartError)) {
      throw error;
    }

    return undefined; // An init of another version.
  }
}
