// Loads a config as the brain does, from a bundle of its own: `load-config DIRECTORY DEADLINE_MS [PATH]`.
//
// Descriptor 1: the config as JSON. Descriptor 2: the error as JSON. Descriptor 3: the abort frame.
import { writeSync } from 'node:fs';
import { configThreadRole } from '../../src/inputs/config-thread.ts';
import { runConfigWatchdog } from '../../src/inputs/config-watchdog.ts';
import { loadConfigFile } from '../../src/inputs/config-file.ts';
import { StartError } from '../../src/errors.ts';

function formatError({ code, message, remedy }: StartError, context: 'thread' | 'main'): string {
  return JSON.stringify({ code, message, remedy, context });
}

async function load(programFile: string, [directory = '.', deadlineMs, path]: string[]) {
  try {
    const loaded = await loadConfigFile({
      path,
      directory,
      deadlineMs: Number(deadlineMs),
      onStuck: {
        programFile,
        messageFd: 2,
        form: 'line',
        abortFd: 3,
        abortFrame: new TextEncoder().encode('abort 78'),
      },
    });
    writeSync(1, JSON.stringify(loaded ?? null));
  } catch (error) {
    if (!(error instanceof StartError)) {
      throw error;
    }

    writeSync(2, formatError(error, 'main'));
    // oxlint-disable-next-line unicorn/no-process-exit -- A config can leave sockets and timers behind.
    process.exit(error.exitCode);
  }
}

const [, programFile = '', role] = process.argv;

if (role !== configThreadRole || !runConfigWatchdog((error) => formatError(error, 'thread'))) {
  void load(programFile, process.argv.slice(2));
}
