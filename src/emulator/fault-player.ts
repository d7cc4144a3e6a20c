// The faults in force, and the chance that decides whom they hit.
import { noFaults } from './faults.ts';
import type { Faults } from './faults.ts';
import { createRandom } from './random.ts';

export type FaultPlayer = {
  readonly faults: Faults;
  /** From now on these; chance begins anew with their seed. */
  readonly set: (faults: Faults) => void;
  /** How long the next answer waits. */
  readonly nextLatencyMs: () => number;
  /** Whether the next one is hit; `rate` is from 0, never, to 1, always. */
  readonly isHit: (rate: number) => boolean;
  readonly pick: <Item>(items: readonly [Item, ...Item[]]) => Item;
};

export function createFaultPlayer(): FaultPlayer {
  let faults = noFaults;
  let random = createRandom(faults.seed);
  return {
    get faults() {
      return faults;
    },
    set: (given) => {
      faults = given;
      random = createRandom(given.seed);
    },
    nextLatencyMs: () => {
      const [from, to] = faults.latencyMs;
      return from === to ? from : from + (to - from) * random();
    },
    // Chance is asked only where it matters, so that one fault does not disturb the sequence of another.
    isHit: (rate) => rate === 1 || (rate > 0 && random() < rate),
    pick: (items) => items[Math.floor(random() * items.length)] ?? items[0],
  };
}
