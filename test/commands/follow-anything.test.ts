// Whatever is edited while whatever fails: in the end all is as a new start would have it, and the app never noticed.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import { blockOf, describeContainer } from '../helpers/container.ts';
import { startFollowed } from './follow-rig.ts';
import type { Followed } from './follow-rig.ts';
import { within } from './live-rig.ts';

const warpInit = new URL('../../dist/warp-init', import.meta.url).pathname;
const run = promisify(execFile);

/** So many that no edit takes more than half of them away: the old ones would stay for 10 s. */
const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const always = names.slice(0, 5);

describeContainer('after edits at random, with brain and platform killed at random', () => {
  test.each([[[1, 2, 3]], [[4, 5, 6]]])('no last change is lost (seeds %j)', async (seeds) => {
    await Promise.all(seeds.map(survive));
  });
});

async function survive(seed: number): Promise<void> {
  const random = randomOf(seed);
  const it = await startFollowed({
    platform: platformOf(random),
    init: { envFile: true, secrets: { env: { KEY: 'key' } }, platform: { deadline: '2s' } },
    args: ['--exit-status', '7:33', '--', 'sh', '-c', noticesNothing],
    secrets: ['correct-horse'],
  });
  const apps = it.apps();
  const killed: number[] = [];
  for (let step = 0; step < 25; step += 1) {
    await disturb(it, random, killed);
  }

  const last = platformOf(random);
  await it.emulator.update(last);
  await within(20_000, () => expect(shown(it)).toEqual(shownBy(last)));
  expect(blockOf(it.hosts()).toSorted()).toEqual(await hostsOfNewStart(it));
  expect(it.apps()).toEqual(apps);
  expect(await it.status()).toMatchObject({
    app: { starts: 1 },
    init: { brainStarts: killed.length + 1 },
  });
  await it.signal('SIGTERM');
  expect([await it.ended, it.stdout.text()]).toEqual([33, 'start:\n']);
}

const noticesNothing = `
trap 'exit 7' TERM
for signal in HUP INT QUIT USR1 USR2 ALRM CONT; do trap "echo $signal" $signal; done
echo start:
while :; do sleep 0.05; done`;

type Random = () => number;

/** pid1 waits twice as long before each new brain. */
const mostKills = 4;

/** @param killed - Brains, in their order; one that is being killed may not be gone yet, and does not count twice. */
async function disturb(it: Followed, random: Random, killed: number[]): Promise<void> {
  const { emulator } = it;
  const what = random();
  if (what >= 0.6 && what < 0.75 && killed.length < mostKills) {
    const brain = await it.brain(killed.at(-1));
    process.kill(brain, 'SIGKILL');
    killed.push(brain);
  } else if (what < 0.75) {
    await emulator.update(platformOf(random));
  } else if (what < 0.85) {
    emulator.dropConnections();
  } else if (what < 0.95) {
    await emulator.restart(Math.floor(random() * 60));
  } else {
    it.reload().catch(() => undefined);
  }

  // Not to wait for anything: so that the next one comes at any moment of a reload.
  await wait(random() ** 3 * 80);
}

function platformOf(random: Random): PlatformFile {
  const sometimes = names.slice(always.length).filter(() => random() < 0.5);
  const all = [...always, ...sometimes].map((name) => [name, addressBy(random)]);
  return {
    self: 'web',
    services: { web: '10.0.0.10', ...Object.fromEntries(all) },
    secrets: { key: `correct-horse-${Math.floor(random() * 5)}` },
  };
}

function addressBy(random: Random): string {
  return `10.1.${Math.floor(random() * 3)}.${1 + Math.floor(random() * 200)}`;
}

/** Hosts, ist.json and the env file: addresses by name, and the secret. */
function shown(it: Followed): unknown {
  const hosts = blockOf(it.hosts()).map((line) => line.split(' ').slice(0, 2));
  const ist = readFileSync(it.inside('/run/warp-init/ist.json'), 'utf8');
  const env = readFileSync(it.inside('/run/warp-init/env'), 'utf8');
  const variables = [...env.matchAll(/^WARP_IST_(\w+)='?([^'\n]*)'?$/gm)];
  return {
    hosts: toObject(hosts.map(([address, name]) => [name?.replace('.warp', ''), address])),
    ist: toObject(
      [...ist.matchAll(/"WARP_IST_(\w+)":"([^"]*)"/g)].map(([, name, address]) => [name, address]),
    ),
    env: toObject(variables.map(([, name, address]) => [name, address])),
    key: /^KEY='?([^'\n]*)'?$/m.exec(env)?.[1],
  };
}

function shownBy({ services, secrets }: PlatformFile): unknown {
  return { hosts: services, ist: services, env: services, key: secrets?.['key'] };
}

function toObject(entries: readonly (readonly (string | undefined)[])[]): object {
  return Object.fromEntries(entries);
}

/** What `debug` says beside it. */
async function hostsOfNewStart({ emulator, directory }: Followed): Promise<string[]> {
  const { stdout } = await run(warpInit, ['debug', '--format', 'hosts', '--', 'sh'], {
    cwd: directory,
    env: { PATH: process.env['PATH'], ...emulator.environment },
  });
  return blockOf(stdout).toSorted();
}

/** A linear congruential generator (Knuth's MMIX): the same steps for the same seed, though never at the same moments. */
function randomOf(seed: number): Random {
  let state = BigInt(seed);
  return () => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) & (2n ** 64n - 1n);
    return Number(state >> 11n) / 2 ** 53;
  };
}
