// What an error that nobody has caught ends once the app runs: a brain, and not the start.
import type { Log } from '../log.ts';

/** Instead of the handler of the start, which would end what has begun. */
export function watchDefects(log: Log): void {
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => void endForDefect(log, error));
}

/** pid1 starts another brain, which begins with what we have left. */
async function endForDefect(log: Log, error: Error): Promise<void> {
  log.open({ level: 'info', format: undefined });
  log.fatal((await import('../inputs/stray-error.ts')).causeOfStray(error));
  await log.flush();
  process.kill(process.pid, 'SIGKILL');
}
