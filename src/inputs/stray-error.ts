// An error that nobody has caught: of the config, whose timers and promises live on in our process, unless it is ours.
import { configFailure } from './config-failure.ts';

export function causeOfStray(error: Error): Error {
  const programFile = process.argv[1] ?? '';
  // The first frame that names a file by its path; those of Node begin with `node:`.
  const thrower = /[( ](\/.*?):\d+:\d+\)?$/m.exec(error.stack ?? '')?.[1];
  const isOurs = thrower === undefined || thrower === programFile;
  return isOurs ? error : configFailure('warp.config.js', error, programFile);
}
