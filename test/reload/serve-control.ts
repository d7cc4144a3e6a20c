// A process with a control socket, which ends when its stdin does. With a second argument it opens every descriptor that
// it may have, and closes them for a line on stdin.
import { closeSync, openSync } from 'node:fs';
import { busy } from '../core/status-examples.ts';
import { startControlSocket } from '../../src/reload/control-socket.ts';

const [path = '', isGreedy] = process.argv.slice(2);
const opened: number[] = [];

await startControlSocket({
  path,
  operations: {
    status: () => Promise.resolve(busy),
    ist: () => '',
    secrets: () => [],
    log: () => '',
    reload: () => {
      process.stdout.write('reload\n');
      return new Promise(() => undefined);
    },
  },
  limits: { retryMs: 10 },
  onProblem: ({ message }) => process.stdout.write(`${message}\n`),
});
process.stdin.on('data', () => {
  for (const fd of opened.splice(0)) {
    closeSync(fd);
  }

  process.stdout.write('freed\n');
});
process.stdout.write('listening\n');
if (isGreedy !== undefined) {
  try {
    for (;;) {
      opened.push(openSync('/dev/null', 'r'));
    }
  } catch {
    process.stdout.write('greedy\n'); // EMFILE
  }
}
