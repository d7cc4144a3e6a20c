// Runs the command that its arguments are and prints what it said and how it ended: a brain in other surroundings than ours.
// TEST_UID: as that user, TEST_DEADLINE_MS: within that time.
import { runCommand } from '../../src/reload/run-command.ts';

const { PATH = '', TEST_UID = '', TEST_DEADLINE_MS = '10000' } = process.env;
const end = await runCommand({
  argv: process.argv.slice(2),
  variables: [{ name: 'PATH', value: PATH, origin: 'inherited' }],
  secrets: [],
  account: TEST_UID === '' ? undefined : { uid: Number(TEST_UID), gid: Number(TEST_UID) },
  directory: undefined,
  deadlineMs: Number(TEST_DEADLINE_MS),
  killDelayMs: 100,
  onLine: (line) => process.stdout.write(`${line}\n`),
});
process.stdout.write(`${end.kind}\n`);
