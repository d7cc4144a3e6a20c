// warp-init in the two ways in which the inits before it are used: plain, and with a brain that finds no platform.
import { expect } from 'vitest';

import { program, startInit } from '../helpers/pid1.ts';
import type { Init, InitOptions } from '../helpers/pid1.ts';
import { childRunning, eventually, statusField } from '../helpers/process.ts';

/** Quiet: that there is no platform here is not news. */
export const quiet = ['--log-level', 'error'] as const;

/** What init is told before `--`, by the name of the way. `--plain` takes no options. */
export const ways: readonly (readonly [way: string, options: readonly string[]])[] = [
  ['plain', ['--plain']],
  ['with a brain', quiet],
];

/** Starts print-signals, or another program of fixtures/programs, as the app, and waits until it is ready. */
export async function startApp(
  options: readonly string[],
  { app = 'print-signals', ...rest }: InitOptions & { readonly app?: string } = {},
): Promise<Init & { readonly appPid: number }> {
  const words = app === 'print-signals' ? ['app', '40'] : [];
  const init = startInit([...options, '--', program(app), ...words], rest);
  await init.stdout.waitFor('ready');
  return { ...init, appPid: await childRunning(await init.initPid(), app) };
}

/** The numbers that print-signals has got. */
export function numbersGot({ stdout }: Init): number[] {
  return [...stdout.text().matchAll(/ got (\d+)$/gm)].map(([, number]) => Number(number));
}

/** Waits until a process is stopped (`T`), or is not any more. */
export function becomes(pid: number, state: 'stopped' | 'running'): Promise<void> {
  return eventually(() => {
    expect(statusField(pid, 'State').startsWith('T')).toBe(state === 'stopped');
  });
}

/** Waits until init has read every signal that was sent to it. */
export async function hasReadSignals(init: Init): Promise<void> {
  const pid = await init.initPid();
  await eventually(() => expect(statusField(pid, 'ShdPnd')).toBe('0'.repeat(16)));
}
