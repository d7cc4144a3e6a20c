// stdout of the commands: the answer, and nothing else.
import { StartError, errnoOf, exitStatus } from '../errors.ts';

/**
 * `warp-init debug | head` closes the pipe early: no failure.
 *
 * @throws {StartError} E_OUTPUT, 73: the disk is full, …
 */
export async function writeOut(text: string | Uint8Array): Promise<void> {
  const error = await new Promise<Error | null | undefined>((resolve) => {
    // The stream reports to both; without a listener the event would end the process.
    process.stdout.on('error', resolve);
    process.stdout.write(text, resolve);
  });
  const errno = errnoOf(error);
  if (error && errno !== 'EPIPE') {
    throw new StartError('E_OUTPUT', `Cannot write to stdout: ${errno ?? error.message}`, {
      exitCode: exitStatus.cannotWrite,
      remedy: { where: 'stdout', fix: 'Give the output a place that takes all of it.' },
    });
  }
}
