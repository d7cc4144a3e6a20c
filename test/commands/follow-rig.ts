// A container that follows an emulator: the app says what it finds, and the control socket what init does.
import { statSync } from 'node:fs';
import { expect } from 'vitest';

import type { Status } from '../../src/core/status.ts';
import type { ReloadReport } from '../../src/core/reload-report.ts';
import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import type { Emulator } from '../../src/emulator/server.ts';
import { askSocket } from '../emulator/rig.ts';
import { blockOf, startContainer, startPlatform } from '../helpers/container.ts';
import type { Container, ContainerOptions } from '../helpers/container.ts';
import { childrenOf, eventually, programOf } from '../helpers/process.ts';

/** With a database that can be moved, and an app that may use a secret. */
export function shop(db = '10.0.0.20', secrets: PlatformFile['secrets'] = {}): PlatformFile {
  return {
    self: 'web',
    services: { web: '10.0.0.10', 'my-db': db, cache: '10.0.0.30' },
    secrets,
  };
}

/**
 * An app that says `start`, and at each of these signals its name, each with the database's address in its environment,
 * in hosts, in ist.json and in the env file, as they are at that moment. It ends by TERM, with status 7.
 */
export function reader(signals: readonly string[] = []): readonly string[] {
  const traps = signals.map((signal) => `trap 'say ${signal}' ${signal}`);
  return ['--', 'sh', '-c', [say, ...traps, "trap 'exit 7' TERM", 'say start', idle].join('\n')];
}

const say = `say() {
  hosts=$(sed -n 's/ my-db.warp .*//p' /etc/hosts)
  ist=$(grep -so '"WARP_IST_my-db":"[^"]*"' /run/warp-init/ist.json | cut -d '"' -f 4)
  env=$(sed -n "s/^WARP_IST_my_db='*\\([^']*\\)'*$/\\1/p" /run/warp-init/env 2>/dev/null)
  echo "$1: $WARP_IST_my_db $hosts $ist $env"
}`;

export const idle = 'while :; do sleep 0.02; done';

/** For a `reload` of the config. */
const quick = { quiet: '20ms', maxWait: '200ms', deadline: '300ms' };

export type FollowedOptions = Omit<ContainerOptions, 'emulator' | 'config'> & {
  readonly platform?: PlatformFile;
  /** `init.reload`, besides `quick`. */
  readonly reload?: object;
  /** The other keys of `init`. */
  readonly init?: object;
  /** The other keys of the config. */
  readonly config?: object;
  /** What the app says when it has begun. @default 'start:' */
  readonly ready?: string | RegExp;
};

export type Followed = Container & {
  readonly emulator: Emulator;
  /** pid1. */
  readonly init: number;
  /** A path of the container, seen from here. */
  readonly inside: (path: string) => string;
  readonly status: () => Promise<Status>;
  readonly reload: () => Promise<ReloadReport>;
  /** As `warp-init reload --now`. */
  readonly reloadNow: () => Promise<ReloadReport>;
  /** How many reloads have come to this. */
  readonly count: (outcome: string) => Promise<number>;
  /** Waits until so many have. */
  readonly counted: (outcome: string, times: number) => Promise<void>;
  /** The addresses of a name in hosts, joined. */
  readonly host: (name: string) => string;
  /** The children of init besides the brain. */
  readonly apps: () => number[];
  readonly brain: (other?: number) => Promise<number>;
  /** Resolves when another one answers, and has done its first reload. */
  readonly killBrain: () => Promise<void>;
};

/** Resolves when the app runs, and the fetch that follows the first connection has found nothing new. */
export async function startFollowed(options: FollowedOptions = {}): Promise<Followed> {
  const { platform = shop(), init = {}, ready = 'start:', ...rest } = options;
  const emulator = await startPlatform(platform);
  const container = startContainer({
    args: reader(),
    ...rest,
    emulator,
    config: configOf({ reload: options.reload ?? {}, init, config: rest.config ?? {} }),
  });
  await container.stdout.waitFor(ready);
  const pid1 = await container.initPid();
  const inside = (path: string): string => `/proc/${pid1}/root${path}`;
  const ask = async (method: string, path: string): Promise<unknown> =>
    (await askSocket(inside('/run/warp-init/control.sock'), path, { method })).body;
  const status = async (): Promise<Status> =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Tested in test/reload/control-socket.test.ts.
    (await ask('GET', '/status')) as Status;
  const reload = async (path: string): Promise<ReloadReport> =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- As above.
    (await ask('POST', path)) as ReloadReport;
  const count = async (outcome: string): Promise<number> =>
    (await status()).reload.byOutcome[outcome] ?? 0;
  const settled = (): Promise<void> =>
    eventually(async () => {
      const { pipeline, reload: state } = await status();
      expect(pipeline.isConnected).toBe(true);
      expect(state.last).not.toBeNull();
      expect(['idle', 'waiting']).toContain(state.phase);
    });
  await settled();

  return {
    ...container,
    emulator,
    init: pid1,
    inside,
    status,
    reload: () => reload('/reload'),
    reloadNow: () => reload('/reload?now'),
    count,
    counted: (outcome, times) =>
      eventually(async () => expect(await count(outcome)).toBeGreaterThanOrEqual(times)),
    host: (name) => addressesIn(container.hosts(), name),
    apps: () => childrenOf(pid1).filter((pid) => !programOf(pid).endsWith('/node')),
    brain: (other) => brainOf(pid1, other),
    killBrain: async () => {
      const brain = await brainOf(pid1);
      process.kill(brain, 'SIGKILL');
      await brainOf(pid1, brain);
      await settled();
    },
  };
}

/** The text of a warp.config.js. */
export function configOf({ reload = {}, init = {}, config = {} }: Record<string, object>): string {
  const all = { ...config, init: { ...init, reload: { ...quick, ...reload } } };
  return `module.exports = ${JSON.stringify(all)};`;
}

function addressesIn(hosts: string, name: string): string {
  return blockOf(hosts)
    .filter((line) => line.split(' ').includes(name))
    .map((line) => line.split(' ')[0])
    .join(' ');
}

/** The brain that runs now, and is not `other`. */
function brainOf(init: number, other?: number): Promise<number> {
  return eventually(() => {
    const brain = childrenOf(init).find((pid) => programOf(pid).endsWith('/node') && pid !== other);
    if (brain === undefined) {
      throw new Error('there is no brain');
    }

    return brain;
  });
}

/** Two of one file are equal if nobody has written to it, nor replaced it. */
export function fingerprint(path: string): string {
  const { ino, mtimeNs, ctimeNs, size } = statSync(path, { bigint: true });
  return [ino, mtimeNs, ctimeNs, size].join(' ');
}
