// What the kernel would say to the command, as the error that a start ends with.
//
// A start loads this only for a program that is not ordinary (inputs/program-file.ts).
import type { StartError } from '../errors.ts';
import { foreseeExec } from '../inputs/foresee-exec.ts';
import { readProcessFacts } from '../inputs/process-facts.ts';
import { type Command, accountOfApp, mayPassBy, visitorFor } from './app-start.ts';
import { execError } from './spawn-error.ts';

export type Foreseen = {
  readonly error: StartError;
  /** Else it is exec that says it, or does not. */
  readonly isCertain: boolean;
};

export function foreseeCommand(file: string, command: Command): Foreseen | undefined {
  const { argv, resolved, config } = command;
  const { settings } = config;
  const obstacle = foreseeExec(file, {
    visitor: visitorFor(accountOfApp(command), readProcessFacts()),
    directory: settings.cwd ?? '.', // Its full name may lead through directories that are closed to us.
    hasMoreRights: mayPassBy(),
  });
  return obstacle === undefined
    ? undefined
    : {
        error: execError(obstacle.errno, { file, argv, variables: resolved.variables, settings }),
        isCertain: obstacle.isCertain,
      };
}

/** @throws {StartError} no kernel would start it. */
export function refuseCommand(file: string, command: Command): void {
  const foreseen = foreseeCommand(file, command);
  if (foreseen?.isCertain === true) {
    throw foreseen.error;
  }
}
