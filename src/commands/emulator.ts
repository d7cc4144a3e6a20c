// `warp-init emulator PLATFORM.json [--socket PATH] [--fault FAULTS]`: the platform on a laptop, until a signal ends it.
//
// Loaded by dynamic import: it needs node:http, valibot and ws, which `run` must not pay for.
import { once } from 'node:events';
import { parseFaults } from '../emulator/faults.ts';
import { followFile } from '../emulator/follow-file.ts';
import type { Notification } from '../emulator/notification.ts';
import { completePlatform } from '../emulator/platform.ts';
import { readPlatformFile } from '../emulator/platform-file.ts';
import { signatureOf } from '../emulator/watch-file.ts';
import { servePlatform } from '../emulator/server.ts';
import type { Emulator } from '../emulator/server.ts';
import { StartError } from '../errors.ts';

export type EmulatorCommand = {
  readonly platformPath: string;
  /** Default of the command line: /var/run/cycle/api/api.sock. */
  readonly socketPath: string;
  /** What goes wrong, in the words of emulator/faults.ts. */
  readonly faults?: string;
};

/**
 * Resolves to the exit status, 0, after SIGINT or SIGTERM; the socket is then removed.
 *
 * @throws {StartError} status 64 for unknown faults, 78 for a bad platform file, 73 where the socket cannot be made.
 */
export async function runEmulator(command: EmulatorCommand): Promise<number> {
  const { platformPath, socketPath, faults = '' } = command;
  const ended = new AbortController();
  const end = () => ended.abort();
  // Before anything else: a signal while the platform is being read must not leave a socket behind.
  process.on('SIGINT', end).on('SIGTERM', end);
  // Nobody reads any more, as in `warp-init emulator … | head -1`: it serves on.
  process.stdout.on('error', () => undefined);
  try {
    parseFaults(faults);
    const signature = signatureOf(platformPath);
    const platform = completePlatform(readPlatformFile(platformPath), platformPath);
    const emulator = await servePlatform(platform, { socketPath, onProblem: complain });
    emulator.setFault(faults);
    const watch = followFile(platformPath, emulator, {
      signature,
      onNotifications: (notifications) => {
        say(describeNotifications(notifications, emulator.listenerCount));
      },
      onProblem: (problem) => complain(problem, '\n  The earlier platform stays.'),
    });
    say(describeEmulator(emulator));
    if (!ended.signal.aborted) await once(ended.signal, 'abort');
    watch.close();
    await emulator.close();
    return 0;
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}

/** One line. From the first variable on it can be pasted into a shell. */
function describeEmulator({ platform, environment }: Emulator): string {
  const services = countOf(platform.services.length, 'service');
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${quote(value)}`);
  return `Serving ${services} as ${JSON.stringify(platform.self.name)}: ${variables.join(' ')} warp-init debug`;
}

/** `Changed: 3 notifications to 1 listener: container.state.changed, 2 of container.instances.reconfigured`. */
function describeNotifications(
  notifications: readonly Notification[],
  listenerCount: number,
): string {
  const counts = new Map<string, number>();
  for (const { topic } of notifications) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  const topics = [...counts].map(([topic, count]) =>
    count === 1 ? topic : `${count} of ${topic}`,
  );
  const sent = `${countOf(notifications.length, 'notification')} to ${countOf(listenerCount, 'listener')}`;
  return `Changed: ${sent}: ${topics.join(', ')}`;
}

function countOf(count: number, thing: string): string {
  return count === 1 ? `1 ${thing}` : `${count} ${thing}s`;
}

function quote(value: string): string {
  return /^[\w./:@%+,-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What goes wrong while it serves ends nothing. */
function complain(problem: unknown, consequence = ''): void {
  const text =
    problem instanceof StartError
      ? `${problem.message}\n  ${problem.remedy.fix}`
      : String(problem instanceof Error ? problem.stack : problem);
  process.stderr.write(`warp-init emulator: ${text}${consequence}\n`);
}
