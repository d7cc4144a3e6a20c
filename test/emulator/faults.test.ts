import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFaultPlayer } from '../../src/emulator/fault-player.ts';
import { noFaults, parseFaults } from '../../src/emulator/faults.ts';

describe('--fault takes', () => {
  test.each([
    ['', {}],
    [' , ,', {}],
    ['latency=200ms', { latencyMs: [200, 200] }],
    ['latency=50ms-2s', { latencyMs: [50, 2000] }],
    ['error-rate=0.3', { errorRate: 0.3 }],
    ['error-rate=.5', { errorRate: 0.5 }],
    ['error-rate=1', { errorRate: 1 }],
    ['cut', { cutRate: 1 }],
    ['cut=0.1', { cutRate: 0.1 }],
    ['garbage', { garbageRate: 1 }],
    ['refused', { isRefused: true }],
    ['half-open', { isHalfOpen: true }],
    ['unauthorized', { isUnauthorized: true }],
    ['restart=10s/2s', { restart: { everyMs: 10_000, goneMs: 2000 } }],
    ['seed=4294967295', { seed: 4_294_967_295 }],
    [' refused , latency=1s ', { isRefused: true, latencyMs: [1000, 1000] }],
    // A timer of Node's would take a longer one for no delay at all.
  ])('%j', (text, faults) => {
    expect(parseFaults(text)).toEqual({ ...noFaults, ...faults });
  });
});

describe('--fault refuses', () => {
  test.each([
    ['latncy=2s', 'Did you mean latency?'],
    ['toString', 'Write latency, error-rate, cut, garbage'],
    ['latency', 'latency=200ms or latency=50ms-2s'],
    ['latency=49d', 'latency=200ms or latency=50ms-2s'],
    ['latency=2', 'latency=200ms or latency=50ms-2s'],
    ['latency=2s-1s', 'latency=200ms or latency=50ms-2s'],
    ['latency=1s-2s-3s', 'latency=200ms or latency=50ms-2s'],
    ['error-rate', 'a number from 0 to 1'],
    ['error-rate=1.1', 'a number from 0 to 1'],
    ['error-rate=-1', 'a number from 0 to 1'],
    ['cut=often', 'a number from 0 to 1'],
    ['refused=yes', 'refused, without a value'],
    ['restart=10s', 'restart=10s/2s'],
    ['restart=0s/2s', 'restart=10s/2s'],
    ['seed=4294967296', 'from 0 to 4294967295'],
    ['cut,cut=0.5', 'Give it once.'],
  ])('%s with what to write instead', (text, fix) => {
    let thrown: unknown;
    try {
      parseFaults(text);
    } catch (error) {
      thrown = error;
    }

    expect(thrown).toMatchObject({
      code: 'E_USAGE',
      exitCode: 64,
      remedy: { where: '--fault', fix: expect.stringContaining(fix) },
    });
  });
});

describe('chance', () => {
  test('hits the share that was asked for, and the same ones again with the same seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (seed) => {
        const [first, second] = [hitsOf(seed), hitsOf(seed)];

        expect(second).toEqual(first);
        expect(first.filter(Boolean).length / first.length).toBeCloseTo(0.3, 1);
      }),
    );
  });

  test('is another with another seed', () => {
    expect(hitsOf(1)).not.toEqual(hitsOf(2));
  });

  test('is not asked about a fault that is not there', () => {
    const player = createFaultPlayer();
    const hits = Array.from({ length: 100 }, () => {
      player.isHit(0);
      player.isHit(1);
      return player.isHit(0.3);
    });

    player.set(parseFaults('error-rate=0.3'));
    expect(hits).toEqual(Array.from({ length: 100 }, () => player.isHit(0.3)));
  });

  test('decides within the bounds of a latency, and reaches all of them', () => {
    const player = createFaultPlayer();
    player.set(parseFaults('latency=10ms-20ms'));
    const drawn = Array.from({ length: 1000 }, () => player.nextLatencyMs());

    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(10);
    expect(Math.min(...drawn)).toBeLessThan(10.5);
    expect(Math.max(...drawn)).toBeGreaterThan(19.5);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(20);
  });
});

function hitsOf(seed: number): boolean[] {
  const player = createFaultPlayer();
  player.set(parseFaults(`error-rate=0.3,seed=${seed}`));
  return Array.from({ length: 2000 }, () => player.isHit(player.faults.errorRate));
}
