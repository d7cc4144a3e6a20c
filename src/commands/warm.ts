// `warp-init warm`, for a Dockerfile: leaves V8's code cache beside warp-init.cjs, so that a start compiles nothing.
//
// V8 caches the functions that have run. So a start is rehearsed, against the emulator and up to the launch; nothing is
// written but the cache, and nothing is started.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { writeHosts } from '../apply/write-hosts.ts';
import { hostsEntries } from '../core/hosts-file.ts';
import { buildPlan } from '../core/plan.ts';
import { StartError, errnoOf, exitStatus } from '../errors.ts';
import { encodeMessage } from '../link/frames.ts';
import type { Log } from '../log.ts';
import { launchMessage } from './launch-message.ts';
import { prepare } from './prepare.ts';
import { stuckReport } from './stuck-report.ts';

/** Of src/build/chunk-loader.cjs. */
declare const codeCache: {
  /** From now on the chunks that are loaded are part of a start. */
  readonly rehearse: () => void;
  /** @returns the path of the file. */
  readonly write: () => string;
};

const config = `module.exports = {
  variables: { A: 'b' },
  ist: [{ service: 'db', variables: 'DB', hostnames: 'db.local' }],
  init: { secrets: { env: { PASSWORD: 'password' } } },
};
`;

/** @returns the exit status, 0. @throws {StartError} E_CACHE (73): the cache cannot be written. */
export async function warm(log: Log): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'warp-init-warm-'));
  try {
    await rehearse(directory, log);
    process.stdout.write(`Wrote ${writeCache()}\n`);
    return 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function rehearse(directory: string, log: Log): Promise<void> {
  const { startEmulator } = await import('../emulator/server.ts');
  const configFile = join(directory, 'warp.config.cjs');
  writeFileSync(configFile, config);
  const emulator = await startEmulator({
    platform: { services: { app: '10.0.0.1', db: '10.0.0.2' }, secrets: { password: 'none' } },
    socketPath: join(directory, 'api.sock'),
  });
  codeCache.rehearse();
  await import('./run.ts'); // Its unit is a part of every start.
  try {
    const prepared = await prepare({
      commandLine: { config: configFile, socket: emulator.socketPath },
      argv: ['app'],
      inherited: new Map(Object.entries({ PATH: '/bin', HOME: '/', ...emulator.environment })),
      log,
      purpose: 'run',
      onStuck: stuckReport({ kind: 'command' }),
    });
    const { settings } = prepared.config;
    const plan = buildPlan({ ...prepared, settings, file: '/bin/app' });
    const entries = hostsEntries(prepared.resolved.ist, settings.hosts.addresses);
    writeHosts(join(directory, 'hosts'), entries, { onError: 'fail', graceMs: 0 });
    encodeMessage({ type: 'launch', launch: launchMessage(plan.start, true) });
  } finally {
    await emulator.close();
  }
}

function writeCache(): string {
  try {
    return codeCache.write();
  } catch (error) {
    throw new StartError(
      'E_CACHE',
      `Cannot write the code cache: ${errnoOf(error) ?? 'unknown error'}`,
      {
        exitCode: exitStatus.cannotWrite,
        remedy: {
          where: process.argv[1] ?? '',
          fix: 'Run `warp-init warm` while the image is built, as the user who installed warp-init.',
        },
        cause: error,
      },
    );
  }
}
