// A platform that fails while the app runs: the app never notices, and when it is well again all is as it says.
import { expect, test } from 'vitest';

import type { Emulator } from '../../src/emulator/server.ts';
import { describeContainer } from '../helpers/container.ts';
import { allOf, shop, startLive, unnoticed, within } from './live-rig.ts';
import type { Live } from './live-rig.ts';

type Fault = {
  readonly what: string;
  readonly begin: (emulator: Emulator) => unknown;
  readonly end: (emulator: Emulator) => unknown;
  /** What the log says when it was met: of a reload, or of the pipeline. */
  readonly evidence: RegExp;
};

const lost = /W_PIPELINE_LOST/;
const failed = /W_PLATFORM_UNAVAILABLE/;

const faults: readonly Fault[] = [
  { what: 'answers that come too late', begin: words('latency=2s'), end: well, evidence: failed },
  { what: 'nothing but errors', begin: words('error-rate=1'), end: well, evidence: failed },
  { what: 'refused connections', begin: words('refused'), end: well, evidence: lost },
  { what: 'answers and frames that are cut', begin: words('cut'), end: well, evidence: lost },
  { what: 'garbage', begin: words('garbage'), end: well, evidence: failed },
  {
    what: 'a restart of the platform, whose socket file is gone meanwhile',
    begin: (emulator) => void emulator.restart(1500),
    end: (emulator) => emulator.restart(1500), // While it lasts, the same one.
    evidence: lost,
  },
  {
    what: 'connections that end again and again',
    begin: (emulator) => emulator.setFault('restart=200ms/50ms'),
    end: well,
    evidence: lost,
  },
];

describeContainer('the app never notices, and the last state is right, after', () => {
  test.each(faults)('$what', async (fault) => {
    const [lives, killed] = await Promise.all([startIn(fault), startIn(fault)]);
    await killBrain(killed);
    const all = await Promise.all([endAfter(fault, lives), endAfter(fault, killed)]);
    expect(all).toEqual([unnoticed, unnoticed]);
  });

  test('a token that is refused for a while, but not to the pipeline that is connected', async () => {
    const fault = { begin: words('unauthorized'), end: well, evidence: /W_PLATFORM_REFUSED/ };
    expect(await endAfter(fault, await startIn(fault))).toEqual(unnoticed);
  });
});

/** The container is in the fault, and has met it. */
async function startIn({ begin, evidence }: Omit<Fault, 'what'>): Promise<Live> {
  const live = await startLive();
  await within(5000, () => expect(live.shown()).toEqual(allOf(1)));
  await begin(live.emulator);
  await live.emulator.update(shop(2));
  await live.says(evidence);
  return live;
}

/** Its successor is in the fault, and has met it, too. */
async function killBrain({ killBrain: kill, container, emulator }: Live): Promise<void> {
  const before = { said: container.stderr.text().length, requests: emulator.requests.length };
  await kill();
  await within(5000, () => {
    const isRefused = container.stderr.text().slice(before.said).includes('"code":"W_');
    expect(isRefused || emulator.requests.length > before.requests).toBe(true);
  });
}

/** What happens meanwhile nobody tells of again. */
async function endAfter({ end }: Pick<Fault, 'end'>, live: Live) {
  await live.emulator.update(shop(3));
  await end(live.emulator);
  await within(20_000, () => expect(live.shown()).toEqual(allOf(3)));
  return live.end();
}

function words(fault: string) {
  return (emulator: Emulator) => emulator.setFault(fault);
}

function well(emulator: Emulator) {
  emulator.setFault();
}
