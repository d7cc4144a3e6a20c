import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  type Loss,
  type PipelineCommand,
  type PipelineEvent,
  type PipelineState,
  defaultTiming as timing,
  startConnecting,
  transition,
} from '../../src/core/pipeline-state.ts';

const almostOne = 1 - Number.EPSILON;
const ended: Loss = { reason: 'ended', detail: 'it was closed (1006)' };
const unauthorized: Loss = { reason: 'unauthorized', detail: 'the answer was 401' };
const opened: PipelineEvent = { type: 'opened' };
const silentTimer: PipelineEvent = { type: 'timer', hasHeard: false };
const heardTimer: PipelineEvent = { type: 'timer', hasHeard: true };
const lost: PipelineEvent = { type: 'lost', loss: ended };
const refused: PipelineEvent = { type: 'lost', loss: unauthorized };

/** A machine with a clock that its test moves. */
function start(random = almostOne) {
  let [state, commands] = startConnecting(timing);
  let nowMs = 1_000_000;
  return {
    state: (): PipelineState => state,
    commands: (): readonly PipelineCommand[] => commands,
    after: (ms: number, event: PipelineEvent): readonly PipelineCommand[] => {
      nowMs += ms;
      [state, commands] = transition(state, event, { nowMs, random, timing });
      return commands;
    },
    timerMs: (): number | undefined =>
      commands.find((command) => command.type === 'set-timer')?.delayMs,
    reported: (): string | undefined =>
      commands.find((command) => command.type === 'report-lost')?.loss.reason,
  };
}

function connected(random?: number) {
  const machine = start(random);
  machine.after(5, opened);
  return machine;
}

describe('an attempt', () => {
  test('begins at once and has 10 s for its handshake', () => {
    expect(start().commands()).toEqual([
      { type: 'connect' },
      { type: 'set-timer', delayMs: 10_000 },
    ]);
  });

  test('that is not answered in this time is dropped, and made again later', () => {
    const machine = start();

    expect(machine.after(10_000, silentTimer)).toEqual([
      { type: 'drop' },
      { type: 'set-timer', delayMs: 99 },
      {
        type: 'report-lost',
        loss: { reason: 'silent', detail: 'the handshake was not answered within 10000 ms' },
      },
    ]);
    expect(machine.after(99, silentTimer)[0]).toEqual({ type: 'connect' });
  });

  test('that succeeds is reported, each time', () => {
    const machine = start();

    expect(machine.after(5, opened)).toContainEqual({ type: 'report-connected' });
    machine.after(1, lost);
    machine.after(99, silentTimer);
    expect(machine.after(5, opened)).toContainEqual({ type: 'report-connected' });
  });
});

describe('the wait before the next attempt', () => {
  test('doubles from 100 ms to 30 s', () => {
    const machine = start();
    const waitsMs = Array.from({ length: 12 }, () => {
      machine.after(1, lost);
      const waitMs = machine.timerMs();
      machine.after(waitMs ?? 0, silentTimer);
      return waitMs;
    });

    expect(waitsMs).toEqual([
      99, 199, 399, 799, 1599, 3199, 6399, 12_799, 25_599, 29_999, 29_999, 29_999,
    ]);
  });

  test('has full jitter: by chance 0 it is none', () => {
    const machine = start(0);
    machine.after(1, lost);

    expect(machine.timerMs()).toBe(0);
  });

  test.each([
    [9999, 399],
    [10_000, 99],
  ])('after a connection of %i ms, the third attempt, is at most %i ms', (livedMs, waitMs) => {
    const machine = start();
    machine.after(1, lost);
    machine.after(99, silentTimer);
    machine.after(1, lost);
    machine.after(199, silentTimer);
    machine.after(1, opened);
    machine.after(livedMs, lost);

    expect(machine.timerMs()).toBe(waitMs);
  });

  test.each([
    [0, 15_000],
    [almostOne, 29_999],
  ])('after a refused token is long from the first: chance %f gives %i ms', (random, waitMs) => {
    const machine = start(random);
    machine.after(1, refused);

    expect(machine.timerMs()).toBe(waitMs);
  });
});

describe('a connection', () => {
  test('is pinged 15 s after the handshake, and again 15 s after each ping', () => {
    const machine = connected();
    expect(machine.timerMs()).toBe(15_000);

    expect(machine.after(15_000, silentTimer)).toEqual([
      { type: 'ping' },
      { type: 'set-timer', delayMs: 15_000 },
    ]);
    expect(machine.after(15_000, heardTimer)).toEqual([{ type: 'set-timer', delayMs: 0 }]);
    expect(machine.after(0, silentTimer)[0]).toEqual({ type: 'ping' });
  });

  test('is pinged although it talks: the server has deadlines, too', () => {
    expect(connected().after(15_000, heardTimer)[0]).toEqual({ type: 'ping' });
  });

  test('that is silent for 15 s after a ping is dropped', () => {
    const machine = connected();
    machine.after(15_000, heardTimer);

    expect(machine.after(15_000, silentTimer)[0]).toEqual({ type: 'drop' });
    expect(machine.reported()).toBe('silent');
    expect(machine.state().id).toBe('waiting');
  });
});

describe('the operator is told', () => {
  test('once an outage, however long it is', () => {
    const machine = connected();
    machine.after(1, lost);
    expect(machine.reported()).toBe('ended');

    for (let attempt = 0; attempt < 50; attempt += 1) {
      machine.after(1, silentTimer);
      machine.after(1, lost);
      expect(machine.reported()).toBeUndefined();
    }
  });

  test('once more when the token is refused, and then no more', () => {
    const machine = start();
    const told = [lost, refused, refused, lost, refused].map((event) => {
      machine.after(1, event);
      const reason = machine.reported();
      machine.after(1, silentTimer);
      return reason;
    });

    expect(told).toEqual(['ended', 'unauthorized', undefined, undefined, undefined]);
  });

  test('again after the next connection', () => {
    const machine = start();
    machine.after(1, refused);
    machine.after(1, silentTimer);
    machine.after(1, opened);
    machine.after(1, lost);

    expect(machine.reported()).toBe('ended');
  });
});

test.each([
  ['connecting', []],
  ['connected', [opened]],
  ['waiting', [lost]],
] as const)('closing while %s drops everything and is for good', (id, events) => {
  const machine = start();
  for (const event of events) {
    machine.after(1, event);
  }

  expect(machine.state().id).toBe(id);
  expect(machine.after(1, { type: 'close' })).toEqual([{ type: 'clear-timer' }, { type: 'drop' }]);
  for (const event of [opened, lost, silentTimer, { type: 'close' } as const]) {
    expect(machine.after(1, event)).toEqual([]);
  }
});

test('whatever happens, a living machine has a timer, connects only from waiting, and drops before', () => {
  const anyEvent = fc.constantFrom(opened, lost, refused, silentTimer, heardTimer);
  fc.assert(
    fc.property(
      fc.array(anyEvent, { maxLength: 40 }),
      fc.double({ min: 0, max: 0.999 }),
      (events, random) => {
        const machine = start(random);
        let isOpen = true; // An attempt or a connection that was not dropped.
        for (const event of events) {
          const before = machine.state();
          const types = machine.after(10, event).map(({ type }) => type);
          const isConnecting = types.includes('connect');
          expect(!isConnecting || (before.id === 'waiting' && !isOpen)).toBe(true);
          isOpen = isConnecting || (isOpen && !types.includes('drop'));
          const hasTimer = machine.timerMs() !== undefined || machine.state() === before;
          expect(hasTimer).toBe(true);
          expect(isOpen).toBe(machine.state().id !== 'waiting');
        }
      },
    ),
  );
});
