// The commands that are no PID 1: each loads only what it uses.
import type { Log } from '../log.ts';

/** @returns the exit status. @throws {StartError} */
export async function runCommand(args: readonly string[], log: Log): Promise<number> {
  const { parseCommandLine } = await import('../cli.ts');
  const invocation = await parseCommandLine(args);
  switch (invocation.command) {
    case 'print': {
      const { writeOut } = await import('./write-out.ts');
      // Nobody to tell: `warp-init --help | head` has closed the pipe, or the disk is full.
      await writeOut(`${invocation.text}\n`).catch(() => undefined);
      return 0;
    }
    case 'debug': {
      const { debug } = await import('./debug.ts');
      return debug(invocation, log);
    }
    case 'check': {
      const { check } = await import('./check.ts');
      return check(invocation);
    }
    case 'status': {
      const { status } = await import('./status.ts');
      return status(invocation);
    }
    case 'reload': {
      const { reload } = await import('./reload.ts');
      return reload(invocation);
    }
    case 'health': {
      const { health } = await import('./health.ts');
      return health(invocation);
    }
    case 'bundle': {
      const { bundle } = await import('./bundle.ts');
      return bundle(invocation);
    }
    case 'emulator': {
      const { runEmulator } = await import('./emulator.ts');
      return runEmulator(invocation);
    }
    case 'warm': {
      const { warm } = await import('./warm.ts');
      return warm();
    }
    case 'run':
      throw new TypeError('run is started by pid1, as `warp-init -- COMMAND`');
  }
}
