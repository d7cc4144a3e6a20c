// `warp-init warm`, for a Dockerfile: leaves V8's code cache beside warp-init.cjs, so that a start compiles nothing.
//
// V8 caches the functions that have run. So a start is rehearsed, against the emulator and up to the launch; nothing is
// left but the cache, and nothing is started.
import { existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

import { applySteps } from '../apply/apply-steps.ts';
import type { PlanStep } from '../core/plan.ts';
import type { Emulator } from '../emulator/server.ts';
import { StartError, errnoOf, exitStatus } from '../errors.ts';
import { requestEarly } from '../inputs/early-requests.ts';
import { parseEnvironment } from '../inputs/own-environment.ts';
import { parseBareRun } from '../invocation.ts';
import { createLogSink } from '../log-sink.ts';
import { createLog } from '../log.ts';
import { rehearsedLink } from './rehearsed-link.ts';
import { decide, launch } from './run.ts';
import { warnOnce } from './warn-once.ts';

/** Of src/build/chunk-loader.cjs. */
declare const codeCache: {
  /** From now on the chunks that are loaded are part of a start. */
  readonly rehearse: () => void;
  /** @returns the path of the file. */
  readonly write: () => string;
};

const platform = {
  services: { app: '10.0.0.1', db: { instances: [{ ipv4: '10.0.0.2', ipv6: 'fd00::2' }] } },
  secrets: { password: 'none' },
};

const config = `module.exports = {
  variables: { A: 'b' },
  ist: [{ service: 'db', variables: 'DB', hostnames: 'db.local' }],
  init: { secrets: { env: { PASSWORD: 'password' } } },
};
`;

/** @returns the exit status, 0. @throws {StartError} E_CACHE (73): the cache cannot be written. */
export async function warm(): Promise<number> {
  const directory = makeDirectory();
  try {
    const { startEmulator } = await import('../emulator/server.ts');
    const emulator = await startEmulator({ platform, socketPath: join(directory, 'api.sock') });
    try {
      await rehearse(directory, emulator);
    } finally {
      await emulator.close();
    }

    process.stdout.write(`Wrote ${writeCache()}\n`);
    return 0;
  } finally {
    process.chdir('/');
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Below /tmp, so that the path of the socket is short; an image from scratch has none. */
function makeDirectory(): string {
  const parent = existsSync(tmpdir()) ? tmpdir() : dirname(process.argv[1] ?? '');
  return mkdtempSync(join(resolve(parent), 'warp-init-warm-'));
}

/** All that `run` does, but for what changes anything outside of `directory`. */
async function rehearse(
  directory: string,
  { environment: platformVariables, socketPath }: Emulator,
): Promise<void> {
  codeCache.rehearse();
  writeFileSync(join(directory, 'warp.config.cjs'), config);
  process.chdir(directory);
  const argv = ['warp-init', '--', basename(process.execPath)];
  const environment = [
    `PATH=${directory}:${dirname(process.execPath)}`,
    `WARP_INIT_SOCKET=${socketPath}`,
    `WARP_INIT_STATE_DIRECTORY=${join(directory, 'state')}`,
    ...Object.entries(platformVariables).map(([name, value]) => `${name}=${value}`),
  ];
  const link = rehearsedLink(join(directory, 'link'), { argv, environment });
  const inherited = parseEnvironment(link.hello.environment);
  const sink = createLogSink({ fd: openSync(join(directory, 'log'), 'w'), isShared: false });
  const log = warnOnce(createLog({ write: sink.write, isTerminal: () => false }));
  log.open({ level: 'silent', format: 'json' });
  const brain = { link, log, sink, inherited };
  const early = requestEarly(inherited, () => undefined);
  const invocation = parseBareRun(link.hello.argv.slice(1));
  if (invocation?.command !== 'run') {
    throw new RangeError('The rehearsed command line is none of a start');
  }

  const decided = await decide({ ...brain, early }, invocation);
  await applySteps(
    decided.plan.steps.flatMap((step) => moveInto(directory, step)),
    'start',
  );
  await launch(brain, decided);
}

function moveInto(directory: string, step: PlanStep): PlanStep[] {
  switch (step.kind) {
    case 'write-hosts':
      return [{ ...step, path: join(directory, 'hosts') }];
    case 'write-ist':
      return [step]; // It is in the state directory.
    case 'nsswitch':
    case 'write-secret':
    case 'unpack-secret':
    case 'write-certificates':
    case 'write-env-file':
      return [];
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
