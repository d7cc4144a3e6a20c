// `warp-init emulator PLATFORM.json [--socket PATH]`: the internal API for a laptop, until a signal ends it.
//
// Loaded by dynamic import: it needs node:http and valibot, which `run` must not pay for.
import { once } from 'node:events';
import { completePlatform } from '../emulator/platform.ts';
import { readPlatformFile } from '../emulator/platform-file.ts';
import { servePlatform } from '../emulator/server.ts';
import type { Emulator } from '../emulator/server.ts';

export type EmulatorCommand = {
  readonly platformPath: string;
  /** Default of the command line: /var/run/cycle/api/api.sock. */
  readonly socketPath: string;
  /** Called once the socket listens. */
  readonly onReady?: (emulator: Emulator) => void;
};

/**
 * Resolves to the exit status, 0, after SIGINT or SIGTERM; the socket is then removed.
 *
 * @throws {StartError} status 78 for a bad platform file, 73 where the socket cannot be made.
 */
export async function runEmulator(command: EmulatorCommand): Promise<number> {
  const ended = new AbortController();
  const end = () => ended.abort();
  // Before anything else: a signal while the platform is being read must not leave a socket behind.
  process.on('SIGINT', end).on('SIGTERM', end);
  try {
    const platform = completePlatform(readPlatformFile(command.platformPath), command.platformPath);
    const emulator = await servePlatform(platform, { socketPath: command.socketPath });
    process.stdout.write(`${describeEmulator(emulator)}\n`);
    command.onReady?.(emulator);
    if (!ended.signal.aborted) await once(ended.signal, 'abort');
    await emulator.close();
    return 0;
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}

/** One line. From the first variable on it can be pasted into a shell. */
function describeEmulator({ platform, environment }: Emulator): string {
  const services =
    platform.services.length === 1 ? '1 service' : `${platform.services.length} services`;
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${quote(value)}`);
  return `Serving ${services} as ${JSON.stringify(platform.self.name)}: ${variables.join(' ')} warp-init debug`;
}

function quote(value: string): string {
  return /^[\w./:@%+,-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
}
