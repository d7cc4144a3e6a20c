import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  type RestartCommand,
  type RestartEvent,
  type RestartState,
  startRestart,
  transition,
} from '../../src/core/restart-policy.ts';

/** All commands of a restart in which these things happen, and the last state. */
function play(...events: readonly RestartEvent[]): [RestartState, RestartCommand[]] {
  const [first, begun] = startRestart(10_000);
  let state = first;
  const commands = [...begun];
  for (const event of events) {
    const [next, more] = transition(state, event);
    state = next;
    commands.push(...more);
  }

  return [state, commands];
}

const exited = { type: 'exited' } as const;
const spawned = { type: 'spawned' } as const;
const notReplaced = { type: 'not-replaced' } as const;
const trialOver = { type: 'trial-over' } as const;
const spawnFailed = { type: 'spawn-failed', exitStatus: 127 } as const;

const stop = { type: 'stop', killDelayMs: 10_000 };
const launchNext = { type: 'launch', which: 'next', trialMs: 5000 };
const launchPrevious = { type: 'launch', which: 'previous', trialMs: 0 };
const wait = { type: 'wait', delayMs: 6500 };

describe('a restart', () => {
  test('launches nothing before the group is empty', () => {
    expect(play(spawned, trialOver, spawnFailed)).toEqual([{ id: 'stopping' }, [stop]]);
  });

  test('is done when the new app outlives its trial', () => {
    expect(play(exited, spawned, trialOver)).toEqual([
      { id: 'settled', outcome: 'restarted' },
      [stop, launchNext, wait],
    ]);
  });

  test.each([
    ['ends within its trial', [spawned, exited]],
    ['cannot be spawned', [spawnFailed]],
  ])('launches the previous app, without a trial, where the new one %s', (_why, events) => {
    const [state, commands] = play(exited, ...events, spawned);

    expect(state).toEqual({ id: 'settled', outcome: 'fell-back' });
    expect(commands.filter(({ type }) => type === 'launch')).toEqual([launchNext, launchPrevious]);
  });

  test('launches nothing, and is over, where the app is not to be replaced', () => {
    expect(play(notReplaced, exited, spawned)).toEqual([
      { id: 'settled', outcome: 'cancelled' },
      [stop],
    ]);
  });

  test('ends init with the status of the failure where the previous app cannot be spawned either', () => {
    const [state, commands] = play(exited, spawnFailed, spawnFailed);

    expect(state).toEqual({ id: 'settled', outcome: 'gave-up' });
    expect(commands.at(-1)).toEqual({ type: 'abort', status: 127 });
  });

  test('whatever happens, launches the new app at most once, the previous at most once, and then no more', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom<RestartEvent>(exited, spawned, trialOver, spawnFailed, notReplaced),
        ),
        (events) => {
          const [, commands] = play(...events);
          const launches = commands.flatMap((it) => (it.type === 'launch' ? [it.which] : []));

          expect([[], ['next'], ['next', 'previous']]).toContainEqual(launches);
          expect(commands.filter(({ type }) => type === 'stop')).toHaveLength(1);
        },
      ),
    );
  });
});
