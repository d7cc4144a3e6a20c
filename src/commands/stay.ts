// Beside the running app, for as long as pid1 wants: it ends the link with the app.
import type { Link } from '../link/link.ts';

export function stay(link: Link): void {
  // From here on pid1 starts another one of us; the handler of the start would abort what runs.
  process.removeAllListeners('uncaughtException');
  // Node opens its inspector for SIGUSR1 where nobody listens.
  process.on('SIGUSR1', () => undefined);
  link.follow(
    () => undefined,
    () => undefined,
  );
}
