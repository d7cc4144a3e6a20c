// The commands that are no PID 1: each loads only what it uses.
import type { Log } from '../log.ts';

/** @returns the exit status. @throws {StartError} */
export async function runCommand(args: readonly string[], log: Log): Promise<number> {
  const { parseCommandLine } = await import('../cli.ts');
  const invocation = await parseCommandLine(args);
  switch (invocation.command) {
    case 'print':
      // Nobody to tell: `warp-init --help | head` has closed the pipe, or the disk is full.
      process.stdout.on('error', () => undefined);
      process.stdout.write(`${invocation.text}\n`);
      return 0;
    case 'debug': {
      const { debug } = await import('./debug.ts');
      return debug(invocation, log);
    }
    case 'emulator': {
      const { runEmulator } = await import('./emulator.ts');
      return runEmulator(invocation);
    }
    case 'warm': {
      const { warm } = await import('./warm.ts');
      return warm(log);
    }
    case 'run':
      throw new TypeError('run is started by pid1, as `warp-init -- COMMAND`');
  }
}
