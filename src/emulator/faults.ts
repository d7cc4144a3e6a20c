// What goes wrong on demand, and the words for it: `latency=200ms,error-rate=0.3,refused`.
//
// For tests of those who depend on the platform: the command's --fault and setFault of the handle read the same words.
import { parseDurationMs } from '../core/duration.ts';
import { nearest } from '../core/suggest.ts';
import { exitStatus, StartError } from '../errors.ts';

export type Faults = {
  /** How long an answer waits, at least and at most. */
  readonly latencyMs: readonly [from: number, to: number];
  /** The shares of answers, from 0 to 1; of cut and garbage, of notifications, too. */
  readonly errorRate: number;
  readonly cutRate: number;
  readonly garbageRate: number;
  /** Connections are closed as soon as they are made. */
  readonly isRefused: boolean;
  /** Connections are made and read, and nothing ever comes back. */
  readonly isHalfOpen: boolean;
  /** The token is right no longer. */
  readonly isUnauthorized: boolean;
  /** Every so often the socket is gone for so long. */
  readonly restart: { readonly everyMs: number; readonly goneMs: number } | undefined;
  /** Of everything that is left to chance. */
  readonly seed: number;
};

export const noFaults: Faults = {
  latencyMs: [0, 0],
  errorRate: 0,
  cutRate: 0,
  garbageRate: 0,
  isRefused: false,
  isHalfOpen: false,
  isUnauthorized: false,
  restart: undefined,
  seed: 1,
};

type Word = {
  /** For messages. */
  readonly form: string;
  /** Undefined where the value is wrong. `value` is undefined where the word has none. */
  readonly parse: (value: string | undefined) => Partial<Faults> | undefined;
};

const words: Readonly<Record<string, Word>> = {
  latency: { form: 'latency=200ms or latency=50ms-2s', parse: parseLatency },
  'error-rate': {
    form: 'error-rate=RATE, a number from 0 to 1',
    parse: (value) => (value === undefined ? undefined : withRate('errorRate', value)),
  },
  cut: {
    form: 'cut or cut=RATE, a number from 0 to 1',
    parse: (value) => withRate('cutRate', value ?? '1'),
  },
  garbage: {
    form: 'garbage or garbage=RATE, a number from 0 to 1',
    parse: (value) => withRate('garbageRate', value ?? '1'),
  },
  refused: { form: 'refused, without a value', parse: whereBare({ isRefused: true }) },
  'half-open': { form: 'half-open, without a value', parse: whereBare({ isHalfOpen: true }) },
  unauthorized: {
    form: 'unauthorized, without a value',
    parse: whereBare({ isUnauthorized: true }),
  },
  restart: { form: 'restart=EVERY/GONE, such as restart=10s/2s', parse: parseRestart },
  seed: { form: 'seed=N, a whole number from 0 to 4294967295', parse: parseSeed },
};

/**
 * @param text - Words with commas between them; nothing at all means that nothing goes wrong.
 * @throws {StartError} `E_USAGE`, status 64.
 */
export function parseFaults(text: string): Faults {
  const seen = new Set<string>();
  let faults = noFaults;
  for (const given of text.split(',').map((word) => word.trim())) {
    if (given === '') continue;
    const [name = '', ...rest] = given.split('=');
    if (seen.size === seen.add(name).size)
      throw faultError(name, 'is given twice', 'Give it once.');
    faults = { ...faults, ...parseWord(name, rest.length === 0 ? undefined : rest.join('=')) };
  }
  return faults;
}

function parseWord(name: string, value: string | undefined): Partial<Faults> {
  const word = Object.hasOwn(words, name) ? words[name] : undefined;
  if (word === undefined) {
    const known = nearest(name, Object.keys(words));
    throw faultError(
      name,
      'is no fault',
      known === undefined ? `Write ${Object.keys(words).join(', ')}.` : `Did you mean ${known}?`,
    );
  }
  const parsed = word.parse(value);
  if (parsed === undefined) {
    throw faultError(
      value === undefined ? name : `${name}=${value}`,
      'is wrong',
      `Write ${word.form}.`,
    );
  }
  return parsed;
}

function parseLatency(value = ''): Partial<Faults> | undefined {
  const [from = '', to = from, ...more] = value.split('-');
  const fromMs = parseDurationMs(from);
  const toMs = parseDurationMs(to);
  if (fromMs === undefined || toMs === undefined || toMs < fromMs || more.length > 0) {
    return undefined;
  }
  return { latencyMs: [fromMs, toMs] };
}

function withRate(
  name: 'errorRate' | 'cutRate' | 'garbageRate',
  value: string,
): Partial<Faults> | undefined {
  const rate = /^\d*\.?\d+$/.test(value) ? Number(value) : Number.NaN;
  return rate >= 0 && rate <= 1 ? { [name]: rate } : undefined;
}

function whereBare(faults: Partial<Faults>): Word['parse'] {
  return (value) => (value === undefined ? faults : undefined);
}

function parseRestart(value = ''): Partial<Faults> | undefined {
  const [every = '', gone = '', ...more] = value.split('/');
  const everyMs = parseDurationMs(every);
  const goneMs = parseDurationMs(gone);
  if (everyMs === undefined || goneMs === undefined || everyMs === 0 || more.length > 0) {
    return undefined;
  }
  return { restart: { everyMs, goneMs } };
}

function parseSeed(value = ''): Partial<Faults> | undefined {
  const seed = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  return seed < 2 ** 32 ? { seed } : undefined;
}

function faultError(given: string, rule: string, fix: string): StartError {
  return new StartError(
    'E_USAGE',
    `Cannot understand the fault ${JSON.stringify(given)}: it ${rule}`,
    {
      exitCode: exitStatus.usage,
      remedy: { where: '--fault', fix },
    },
  );
}
