// Beside the running app, for as long as pid1 wants: it ends the link with the app.
import type { Link } from '../link/link.ts';

export function stay(link: Link): void {
  link.follow(
    () => undefined,
    () => undefined,
  );
}
