// A shop whose every state has a number, and a container that follows it: the rig of the tests about a platform that fails.
//
// State N moves a service to 10.0.1.N and rotates a secret to `password-number-N`. The app is told nothing (`auto` without
// a signal), so that whatever it prints but `ready` and the TERM of the end is a defect.
import { readFileSync } from 'node:fs';
import { expect, vi } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import type { Emulator } from '../../src/emulator/server.ts';
import { startContainer, startPlatform } from '../helpers/container.ts';
import type { Container, ContainerOptions } from '../helpers/container.ts';
import { program } from '../helpers/pid1.ts';
import { childRunning, childrenOf, eventually, programOf } from '../helpers/process.ts';

/** The platform in its state `n`. */
export function shop(n: number): PlatformFile {
  return {
    self: 'web',
    services: { web: '10.0.0.10', 'my-db': `10.0.1.${n}`, cache: '10.0.0.30', mail: '10.0.0.40' },
    secrets: { password: `password-number-${n}` },
  };
}

const passwordPath = '/run/app/password';

/** Of the config: what each reload writes, and quick ones. */
export const liveInit = {
  reload: { quiet: '20ms', maxWait: '200ms' },
  platform: { deadline: '1s' },
  envFile: '/run/app/env',
  secrets: {
    env: { DB_PASSWORD: 'password' },
    files: { secret: 'password', path: passwordPath },
  },
};

export type LiveOptions = Omit<ContainerOptions, 'emulator' | 'config'> & {
  /** @default state 1 of the shop */
  readonly platform?: PlatformFile;
  /** In place of {@link liveInit}. */
  readonly init?: object;
};

export type Live = {
  readonly emulator: Emulator;
  readonly container: Container;
  readonly init: number;
  readonly app: number;
  /** A path of the container, seen from here. */
  readonly path: (path: string) => string;
  /** Of hosts, ist.json, env file and secret file: the number of the state that they show. */
  readonly shown: () => Shown;
  /** Waits for it in the log. */
  readonly says: (evidence: RegExp, timeoutMs?: number) => Promise<void>;
  /** Kills the brain; resolves when there is another. */
  readonly killBrain: () => Promise<void>;
  /** Ends it by TERM. */
  readonly end: () => Promise<Noticed>;
};

/** What the app noticed, and what became of it. */
type Noticed = {
  /** The process that was started. */
  readonly isSame: boolean;
  readonly status: number | NodeJS.Signals;
  readonly stdout: string;
  /** Lines of stderr that are neither log nor a word of pid1. */
  readonly others: readonly string[];
};

/** It heard of nothing but the TERM of the end, and its status is ours. */
export const unnoticed: Noticed = {
  isSame: true,
  status: 33,
  stdout: 'app ready\napp got 15\n',
  others: [],
};

export type Shown = {
  readonly hosts: number;
  readonly ist: number;
  readonly envFile: number;
  readonly secret: number;
};

/** All that the app can read is of one state. */
export function allOf(n: number): Shown {
  return { hosts: n, ist: n, envFile: n, secret: n };
}

/** With a pipeline that is connected, and nothing left to do. */
export async function startLive(given: LiveOptions = {}): Promise<Live> {
  const { platform = shop(1), init = liveInit, ...options } = given;
  const emulator = await startPlatform(platform);
  const container = startContainer({
    args: ['--exit-status', '0:33', '--', program('print-signals'), 'app', '15'],
    ...options,
    emulator,
    config: `module.exports = ${JSON.stringify({ init })};`,
    secrets: Array.from({ length: 100 }, (_, n) => `password-number-${n}`),
  });
  await container.stdout.waitFor('ready');
  const pid1 = await container.initPid();
  const app = await childRunning(pid1, 'print-signals');
  const started = startTimeOf(app);
  const path = (inside: string): string => `/proc/${pid1}/root${inside}`;
  await eventually(() => {
    // The start asks once, and the first connection once more.
    expect(emulator.countRequests('/v1/environment/scoped-variables')).toBeGreaterThan(1);
  });
  return {
    emulator,
    container,
    init: pid1,
    app,
    path,
    shown: () => ({
      hosts: numberIn(read(path('/etc/hosts')), /^10\.0\.1\.(\d+) my-db\.warp #/m),
      ist: numberIn(read(path('/run/warp-init/ist.json')), /"WARP_IST_my-db":"10\.0\.1\.(\d+)"/),
      envFile: numberIn(read(path('/run/app/env')), /^DB_PASSWORD='?password-number-(\d+)'?$/m),
      secret: numberIn(read(path(passwordPath)), /^password-number-(\d+)$/),
    }),
    says: (evidence, timeoutMs = 10_000) =>
      within(timeoutMs, () => expect(container.stderr.text()).toMatch(evidence)),
    killBrain: () => killBrain(pid1),
    end: async () => {
      const isSame =
        (await childRunning(pid1, 'print-signals')) === app && startTimeOf(app) === started;
      await container.signal('SIGTERM');
      const status = await container.ended;
      const lines = container.stderr.text().trimEnd().split('\n');
      return {
        isSame,
        status,
        stdout: container.stdout.text(),
        // Of the brain, and of pid1.
        others: lines.filter((line) => !/^(?:\{"level":.*\}|warp-init: .*|)$/.test(line)),
      };
    },
  };
}

/** As `eventually`, for what may take as long as the backoff of an outage. */
export function within<Value>(timeoutMs: number, condition: () => Value): Promise<Value> {
  return vi.waitFor(condition, { timeout: timeoutMs, interval: 10 });
}

/** The brain that runs now, and is not `other`. */
export function brainOf(init: number, other?: number): Promise<number> {
  return eventually(() => {
    const brain = childrenOf(init).find((pid) => programOf(pid).endsWith('/node') && pid !== other);
    if (brain === undefined) {
      throw new Error('there is no brain');
    }

    return brain;
  });
}

async function killBrain(init: number): Promise<void> {
  const brain = await brainOf(init);
  process.kill(brain, 'SIGKILL');
  await brainOf(init, brain);
}

/** NaN where it does not stand there exactly once. */
function numberIn(text: string, pattern: RegExp): number {
  const all = [...text.matchAll(new RegExp(pattern, `${pattern.flags}g`))];
  return all.length === 1 ? Number(all[0]?.[1]) : Number.NaN;
}

function read(path: string): string {
  return readFileSync(path, 'utf8');
}

/** Field 22 of proc_pid_stat(5): two processes never have pid and this in common. */
function startTimeOf(pid: number): string | undefined {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
}
