// Signals by name and number, and the two tables of `--rewrite` and `--exit-status`.
//
// Numbers: signal(7), the column for x86 and ARM. Real-time signals are 34 to 64: the C library keeps 32 and 33.
import { nearest, suggestion } from './suggest.ts';
import type { Parsed } from './suggest.ts';

// prettier-ignore
const names = [
  'HUP', 'INT', 'QUIT', 'ILL', 'TRAP', 'ABRT', 'BUS', 'FPE', 'KILL', 'USR1', 'SEGV', 'USR2', 'PIPE', 'ALRM', 'TERM',
  'STKFLT', 'CHLD', 'CONT', 'STOP', 'TSTP', 'TTIN', 'TTOU', 'URG', 'XCPU', 'XFSZ', 'VTALRM', 'PROF', 'WINCH', 'IO',
  'PWR', 'SYS',
] as const;

/** Second names that the kernel's headers and the C libraries have. */
const aliases = { IOT: 'ABRT', CLD: 'CHLD', POLL: 'IO' } as const satisfies Record<
  string,
  (typeof names)[number]
>;

const firstRealTime = 34;
const lastRealTime = 64;
const uncatchable: ReadonlySet<number> = new Set([9, 19]);
/** pid1 reads it and forwards none. */
const ownSignal = 17;
const statusPattern = /^\d{1,3}$/;

/** `SIGTERM`, `TERM`, `term`, `15`, `SIGRTMIN+3`, `RTMAX-1` to the number; undefined where there is no such signal. */
export function parseSignalNumber(text: string): number | undefined {
  const number = /^\d{1,2}$/.test(text)
    ? Number(text)
    : numberOf(text.toUpperCase().replace(/^SIG/, ''));
  return number !== undefined && isSignal(number) ? number : undefined;
}

/** {@link parseSignalNumber} with words for what was expected. */
export function parseSignal(text: string): Parsed<number> {
  const value = parseSignalNumber(text);
  return value === undefined ? refuseSignal(text) : { ok: true, value };
}

/** `SIGTERM`, `SIGRTMIN+3`; a number that is no signal stays a number. */
export function signalName(number: number): string {
  const name = names[number - 1];

  if (name !== undefined) {
    return `SIG${name}`;
  }

  if (number < firstRealTime || number > lastRealTime) {
    return String(number);
  }

  // The nearer end names it, as `kill -l` does.
  const above = number - firstRealTime;
  const below = lastRealTime - number;
  const [end, distance] = above <= below ? [`SIGRTMIN+`, above] : ['SIGRTMAX-', below];
  return distance === 0 ? end.slice(0, -1) : `${end}${distance}`;
}

export type Rewrite = { readonly from: number; readonly to: number };

/** `SIGTERM:SIGQUIT`: what init gets, and what the app gets instead; `0` is nothing at all. */
export function parseRewrite(text: string): Parsed<Rewrite> {
  const [fromText, toText, ...rest] = text.split(':');

  if (fromText === undefined || toText === undefined || rest.length > 0) {
    return { ok: false, expected: 'two signals, such as "SIGTERM:SIGQUIT", or "SIGWINCH:0"' };
  }

  const from = parseSignal(fromText);
  const to: Parsed<number> = toText === '0' ? { ok: true, value: 0 } : parseSignal(toText);

  if (from.ok && uncatchable.has(from.value)) {
    return {
      ok: false,
      expected: `a signal that can be caught: nobody catches ${signalName(from.value)}`,
    };
  }

  if (from.ok && from.value === ownSignal) {
    return {
      ok: false,
      expected: `a signal that init forwards: ${signalName(from.value)} tells it of its own children`,
    };
  }

  if (!from.ok || !to.ok) {
    return refuseRewrite([
      { text: fromText, parsed: from },
      { text: toText, parsed: to },
    ]);
  }

  return { ok: true, value: { from: from.value, to: to.value } };
}

/** `143:0`: the app's exit status, and ours in its place; `143` alone means to 0. */
export function parseExitStatus(text: string): Parsed<Rewrite> {
  const [from, to = '0', ...rest] = text.split(':');
  const isRight = rest.length === 0 && isStatus(from) && isStatus(to);
  return isRight
    ? { ok: true, value: { from: Number(from), to: Number(to) } }
    : { ok: false, expected: 'one or two exit statuses from 0 to 255, such as "143" or "143:0"' };
}

function numberOf(name: string): number | undefined {
  const index = names.findIndex((known) => known === name || known === aliasOf(name));

  if (index >= 0) {
    return index + 1;
  }

  const [, end, sign, distanceText = '0'] = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name) ?? [];
  const distance = Number(distanceText);

  if (end === 'MIN' && sign !== '-') {
    return realTime(firstRealTime + distance);
  }

  return end === 'MAX' && sign !== '+' ? realTime(lastRealTime - distance) : undefined;
}

function aliasOf(name: string): string | undefined {
  return Object.entries(aliases).find(([alias]) => alias === name)?.[1];
}

function realTime(number: number): number | undefined {
  return number >= firstRealTime && number <= lastRealTime ? number : undefined;
}

function isSignal(number: number): boolean {
  return (number >= 1 && number <= names.length) || realTime(number) !== undefined;
}

function isStatus(text: string | undefined): boolean {
  return text !== undefined && statusPattern.test(text) && Number(text) <= 255;
}

function refuseSignal(text: string): Parsed<never> {
  // Without SIG, which would make any two names alike.
  const known = nearest(text.replace(/^sig/i, ''), [...names, 'RTMIN', 'RTMAX']);
  return {
    ok: false,
    expected: 'a signal, such as SIGTERM or 15',
    ...suggestion(known === undefined ? undefined : `SIG${known}`),
  };
}

type Half = { readonly text: string; readonly parsed: Parsed<number> };

/** A suggestion only if it corrects both halves: one that is refused in its turn is none. */
function refuseRewrite(halves: readonly Half[]): Parsed<never> {
  const wrong = halves.filter(({ parsed }) => !parsed.ok).map(({ text }) => JSON.stringify(text));
  const corrected = halves.map(({ text, parsed }) => (parsed.ok ? text : parsed.suggestion));
  return {
    ok: false,
    expected: `a signal, such as SIGTERM or 15, in place of ${wrong.join(' and ')}`,
    ...suggestion(corrected.includes(undefined) ? undefined : corrected.join(':')),
  };
}
