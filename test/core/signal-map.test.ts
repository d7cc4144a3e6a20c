import { describe, expect, test } from 'vitest';
import { buildSignalMap } from '../../src/core/signal-map.ts';

const [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU] = [
  1, 2, 3, 15, 19, 20, 21, 22,
];

function mapOf(settings: {
  rewrite?: readonly (readonly [number, number])[];
  stopSignal?: number;
  singleChild?: boolean;
  hasTerminal?: boolean;
}): Record<number, number> {
  const { rewrite = [], stopSignal, singleChild = false, hasTerminal = false } = settings;
  return Object.fromEntries(
    buildSignalMap({ rewrite: new Map(rewrite), stopSignal, singleChild }, hasTerminal),
  );
}

const jobControl = { [SIGTSTP]: SIGSTOP, [SIGTTIN]: SIGSTOP, [SIGTTOU]: SIGSTOP };

describe('An app in a session of its own', () => {
  test('gets STOP for the signals of job control, which the kernel would not stop it by', () => {
    expect(mapOf({})).toEqual(jobControl);
  });

  test('gets them as they are rewritten, also to themselves and to nothing', () => {
    const rewrite = [
      [SIGTSTP, SIGTSTP],
      [SIGTTIN, SIGHUP],
      [SIGTTOU, 0],
    ] as const;
    expect(mapOf({ rewrite })).toEqual({ [SIGTSTP]: SIGTSTP, [SIGTTIN]: SIGHUP, [SIGTTOU]: 0 });
  });

  test('gets those that are rewritten to them as they are: a rewrite is not rewritten again', () => {
    expect(mapOf({ rewrite: [[SIGINT, SIGTSTP]] })).toEqual({ ...jobControl, [SIGINT]: SIGTSTP });
  });
});

describe('The signals of job control are sent as they came', () => {
  test('to an app that has the terminal: its group is not orphaned', () => {
    expect(mapOf({ hasTerminal: true })).toEqual({});
  });

  test('to an app that gets signals alone', () => {
    expect(mapOf({ singleChild: true })).toEqual({});
  });
});

describe('The stop signal', () => {
  test('stands for TERM', () => {
    expect(mapOf({ stopSignal: SIGINT, hasTerminal: true })).toEqual({ [SIGTERM]: SIGINT });
  });

  test('gives way to a rewrite of TERM', () => {
    const rewrite = [[SIGTERM, SIGQUIT]] as const;
    expect(mapOf({ stopSignal: SIGINT, rewrite })).toEqual({ ...jobControl, [SIGTERM]: SIGQUIT });
  });

  test('is not swapped when TERM and another signal change places', () => {
    const rewrite = [
      [SIGTERM, SIGINT],
      [SIGINT, SIGTERM],
    ] as const;
    expect(mapOf({ rewrite, hasTerminal: true })).toEqual({ [SIGTERM]: SIGINT, [SIGINT]: SIGTERM });
  });
});
