// Faults that take half a minute, all at once, each with a container of its own: one where the brain lives, one where it
// is killed in the fault. A pipeline that fell silent is noticed after 25 s, a refused token is tried twice a minute.
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import type { Emulator } from '../../src/emulator/server.ts';
import { ask } from '../emulator/rig.ts';
import { describeContainer } from '../helpers/container.ts';
import { allOf, liveInit, shop, startLive, unnoticed } from './live-rig.ts';
import type { Live } from './live-rig.ts';

type LongFault = {
  readonly begin: (emulator: Emulator) => unknown;
  /** What the log says when it was met; without it the fault lasts so long. */
  readonly evidence: RegExp | number;
  /** What the successor of a brain says. @default the same */
  readonly again?: RegExp;
  readonly end: (emulator: Emulator) => unknown;
};

const containers = '/v1/environment/containers';
const instances = '/v1/environment/instances';

const faults: Readonly<Record<string, LongFault>> = {
  'down for 30 s': {
    begin: (emulator) => void emulator.restart(30_000),
    evidence: /W_PIPELINE_LOST/,
    end: (emulator) => emulator.restart(30_000), // While it lasts, the same one.
  },
  'silent on connections that stay open': {
    begin: (emulator) => emulator.setFault('half-open'),
    evidence: /W_PIPELINE_LOST.*ping was not answered/,
    again: /W_PIPELINE_LOST.*handshake was not answered/,
    end: (emulator) => emulator.setFault(),
  },
  'slow by 10 s': {
    begin: (emulator) => emulator.setFault('latency=10s'),
    evidence: 12_000,
    end: (emulator) => emulator.setFault(),
  },
  'refusing the token for all that is new': {
    begin: (emulator) => {
      emulator.setFault('unauthorized');
      emulator.dropConnections();
    },
    evidence: /W_PIPELINE_REFUSED/,
    end: (emulator) => emulator.setFault(),
  },
  'giving half a list': {
    begin: async (emulator) => {
      const all = await listOf(emulator, containers);
      emulator.setAnswer(
        containers,
        all.filter(({ name }) => name !== 'my-db' && name !== 'mail'),
      );
    },
    evidence: /W_SERVICES_VANISHED.*2 of 3 services/,
    end: (emulator) => emulator.setAnswer(containers, undefined),
  },
  'giving an empty list': {
    begin: (emulator) => emulator.setAnswer(containers, []),
    evidence: 3000,
    end: (emulator) => emulator.setAnswer(containers, undefined),
  },
  'giving services without instances': {
    begin: (emulator) => emulator.setAnswer(instances, []),
    evidence: /W_SERVICES_VANISHED/,
    end: (emulator) => emulator.setAnswer(instances, undefined),
  },
  'giving another container’s answers': {
    begin: async (emulator) => {
      const all = await listOf(emulator, containers);
      emulator.setAnswer(
        '/v1/container',
        all.find(({ name }) => name === 'my-db'),
      );
    },
    evidence: /W_FOREIGN_ANSWER/,
    end: (emulator) => emulator.setAnswer('/v1/container', undefined),
  },
};

describeContainer('the app never notices, and the last state is right', () => {
  const names = Object.keys(faults);
  const brains = ['lives', 'is killed'] as const;
  test(
    `after a platform that was ${names.join(', ')}; after 10,000 edits and after health that flapped`,
    { timeout: 120_000 },
    async () => {
      const all = await Promise.all([
        ...names.flatMap((name) => brains.map((brain) => survive(name, brain))),
        surviveEdits(),
        surviveFlapping('left'),
        surviveFlapping('right'),
      ]);
      expect(all.filter(({ defects }) => defects.length > 0)).toEqual([]);
    },
  );
});

/** Of one container; the names of what is not as it should be. */
type Survival = { readonly what: string; readonly defects: readonly string[] };

/** As an operator has them. */
const init = { ...liveInit, platform: {}, reload: {} };

async function survive(name: string, brain: 'lives' | 'is killed'): Promise<Survival> {
  const { begin, evidence, again = evidence, end } = faults[name] ?? noFault;
  const live = await startLive({ init });
  await begin(live.emulator);
  await live.emulator.update(shop(2));
  const checks = { met: await meets(live, evidence) };
  if (brain === 'is killed') {
    const saidBefore = live.container.stderr.text().length;
    await live.killBrain();
    checks.met &&= await meets(live, again, saidBefore);
  }

  const isKept = shows(live, 1);
  await live.emulator.update(shop(3));
  await end(live.emulator);
  const isRight = await comes(() => shows(live, 3));
  return surviving(`${name}, the brain ${brain}`, live, { ...checks, isKept, isRight });
}

const noFault: LongFault = { begin: () => {}, evidence: 0, end: () => {} };

async function surviving(
  what: string,
  live: Live,
  checks: Readonly<Record<string, boolean>>,
): Promise<Survival> {
  const isUnnoticed = isDeepStrictEqual(await live.end(), unnoticed);
  const defects = Object.entries({ ...checks, isUnnoticed }).flatMap(([name, isFine]) =>
    isFine ? [] : [name],
  );
  return { what, defects: defects.length > 0 ? [...defects, live.container.stderr.text()] : [] };
}

async function meets(live: Live, evidence: RegExp | number, saidBefore = 0): Promise<boolean> {
  if (typeof evidence === 'number') {
    await wait(evidence);
    return true;
  }

  return comes(() => evidence.test(live.container.stderr.text().slice(saidBefore)));
}

/** Within the 70 s that the longest fault and the longest backoff may take. */
async function comes(isThere: () => boolean): Promise<boolean> {
  const deadlineMs = performance.now() + 70_000;
  while (!isThere() && performance.now() < deadlineMs) {
    await wait(20);
  }

  return isThere();
}

function shows(live: Live, n: number): boolean {
  return isDeepStrictEqual(live.shown(), allOf(n));
}

/** 1,000 edits a second for 10 s: the quiet never comes, and after 10 s something is written all the same. */
async function surviveEdits(): Promise<Survival> {
  const live = await startLive({ init });
  const { emulator } = live;
  const startMs = performance.now();
  const before = emulator.countRequests(containers);
  for (let edits = 0; edits < 10_000;) {
    await wait(5);
    for (; edits < performance.now() - startMs; edits += 1) {
      await emulator.update(shop((edits % 99) + 1));
    }
  }

  await emulator.update(shop(3));
  const isRight = await comes(() => shows(live, 3));
  const reloads = emulator.countRequests(containers) - before;
  return surviving('10,000 edits', live, { isRight, isAboutOnce: reloads <= 3 });
}

/** Two containers that use each other, each restarted at a change; of each the instance in use is ill every second time. */
async function surviveFlapping(self: string): Promise<Survival> {
  const restarting = { ...liveInit, reload: { ...liveInit.reload, action: 'restart' } };
  const live = await startLive({ platform: { self, ...ill() }, init: restarting });
  for (const service of ['left', 'right', 'left', 'right', 'left', 'right', 'left']) {
    await live.emulator.update({ self, ...ill(service) });
    await wait(1000);
  }

  const isRight = await comes(
    () =>
      live.container
        .hosts()
        .match(/^.* left\.warp .*$/gm)
        ?.join() === usable,
  );
  return surviving(`health that flaps, seen by ${self}`, live, { isRight });
}

const usable = '10.0.2.2 left.warp # warp-init (generated)';

/** Each service has two instances; of the one that is ill it is the first that is not healthy. */
function ill(service?: string): Pick<PlatformFile, 'services' | 'secrets'> {
  const instancesOf = (name: string, net: number) => [
    { ipv4: `10.0.${net}.1`, healthy: name !== service },
    { ipv4: `10.0.${net}.2`, healthy: true },
  ];
  return {
    services: { left: instancesOf('left', 2), right: instancesOf('right', 3) },
    secrets: { password: 'password-number-1' },
  };
}

type Named = { readonly name: string };

async function listOf(emulator: Emulator, path: string): Promise<readonly Named[]> {
  const { body } = await ask(emulator, path);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- The contract's tests check the shape.
  return (body as { readonly data: readonly Named[] }).data;
}
