// Runs a command that is no PID 1 as `warp-init ARGS` would, from the sources: its arguments are those of the command line.
import { formatErrorLine } from '../../src/log-format.ts';
import { runCommand } from '../../src/commands/dispatch.ts';
import { StartError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';

const log = createLog({
  write: (line) => void process.stderr.write(line),
  isTerminal: () => false,
});
try {
  process.exitCode = await runCommand(process.argv.slice(2), log);
} catch (error) {
  if (!(error instanceof StartError)) {
    throw error;
  }

  process.stderr.write(formatErrorLine(error, 'json'));
  process.exitCode = error.exitCode;
}
