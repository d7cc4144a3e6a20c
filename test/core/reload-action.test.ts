import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type Changes, changeKinds } from '../../src/core/changes.ts';
import { decideAction } from '../../src/core/reload-action.ts';
import { type ReloadSettings, reloadActions } from '../../src/core/settings-reload.ts';

const settings: ReloadSettings = {
  action: 'auto',
  on: {},
  signal: undefined,
  command: ['nginx', '-s', 'reload'],
  deadlineMs: 10_000,
  quietMs: 500,
  maxWaitMs: 10_000,
};

const none = { names: [], isUrgent: false };
const urgent = { names: ['x'], isUrgent: true };

/** Changes of which those named are urgent. */
function changes(...kinds: readonly (keyof Changes)[]): Changes {
  const all = { ist: none, secrets: none, certificates: none, config: none };
  return { ...all, ...Object.fromEntries(kinds.map((kind) => [kind, urgent])) };
}

describe('the action', () => {
  test.each([
    ['auto without a signal', {}, { kind: 'none' }],
    ['auto with a signal', { signal: 12 }, { kind: 'signal', signal: 12 }],
    ['signal', { action: 'signal' }, { kind: 'signal', signal: 1 }],
    ['signal with one', { action: 'signal', signal: 10 }, { kind: 'signal', signal: 10 }],
    ['command', { action: 'command' }, { kind: 'command', argv: ['nginx', '-s', 'reload'] }],
    ['restart', { action: 'restart' }, { kind: 'restart' }],
    ['none with a signal', { action: 'none', signal: 1 }, { kind: 'none' }],
  ] as const)('%s', (_name, change, expected) => {
    expect(decideAction({ ...settings, ...change }, changes('ist'))).toEqual(expected);
  });

  test('of a kind replaces the common one for that kind alone', () => {
    const chosen: ReloadSettings = { ...settings, action: 'restart', on: { ist: 'none' } };

    expect(decideAction(chosen, changes('ist'))).toEqual({ kind: 'none' });
    expect(decideAction(chosen, changes('secrets'))).toEqual({ kind: 'restart' });
  });

  test('`signal` for secrets does not make `auto` a signal for the others', () => {
    const chosen: ReloadSettings = { ...settings, on: { secrets: 'signal' } };

    expect(decideAction(chosen, changes('ist')).kind).toBe('none');
    expect(decideAction(chosen, changes('ist', 'secrets')).kind).toBe('signal');
  });

  test('is none where a change is not urgent', () => {
    const idle: Changes = { ...changes(), ist: { names: ['db'], isUrgent: false } };

    expect(decideAction({ ...settings, action: 'restart' }, idle)).toEqual({ kind: 'none' });
  });

  test('is the strongest of those chosen, in whatever order they come', () => {
    const strongest = ['restart', 'command', 'signal', 'none'];
    fc.assert(
      fc.property(
        fc.record(
          Object.fromEntries(changeKinds.map((kind) => [kind, fc.constantFrom(...reloadActions)])),
        ),
        fc.subarray([...changeKinds]),
        (on, kinds) => {
          const expected = strongest.find(
            (word) => word === 'none' || kinds.some((kind) => on[kind] === word),
          );

          expect(decideAction({ ...settings, on }, changes(...kinds)).kind).toBe(expected);
        },
      ),
    );
  });
});
