// The log: pino's JSON lines, or the same for people on a terminal. Always stderr, never stdout.
//
// pino costs more than all else of a start, so it is loaded when the first line is due: a start
// without a warning writes none before the app runs. Lines wait in order meanwhile.
import type { Logger } from 'pino';

import type { LogFormat, LogLevel } from './core/settings.ts';
import type { Warning } from './core/warning.ts';
import { StartError } from './errors.ts';

export type Log = {
  /** Lines wait until level and format are known. Only the first call counts. */
  readonly open: (options: LogOptions) => void;
  readonly debug: (message: string, fields?: LogFields) => void;
  readonly info: (message: string, fields?: LogFields) => void;
  readonly warn: (warning: Warning) => void;
  /** Why the app is not started. A stack trace only for a defect of ours. */
  readonly fatal: (error: unknown) => void;
  /** Resolves when each line so far was handed to the sink. */
  readonly flush: () => Promise<void>;
};

export type LogFields = Readonly<Record<string, string | number | boolean>>;

export type LogOptions = {
  readonly level: LogLevel;
  /** Undefined: pretty on a terminal, else JSON. */
  readonly format: LogFormat | undefined;
};

/** Where the lines go. */
export type LogTarget = {
  /** Gets whole lines. */
  readonly write: (line: string) => void;
  readonly isTerminal: () => boolean;
};

type Entry = {
  readonly level: Exclude<LogLevel, 'silent'>;
  readonly fields: LogFields;
  readonly message: string;
};

export function createLog(target: LogTarget): Log {
  let options: LogOptions | undefined;
  let logger: Promise<Logger> | undefined;
  let done: Promise<void> = Promise.resolve();
  let early: Entry[] = [];

  const write = (entry: Entry, { level, format }: LogOptions): void => {
    if (severity[entry.level] < severity[level]) {
      return;
    }

    logger ??= createLogger(target, format ?? (target.isTerminal() ? 'pretty' : 'json'));
    done = Promise.all([logger, done]).then(([ready]) => {
      ready[entry.level](entry.fields, entry.message);
    });
  };

  const emit = (level: Entry['level'], fields: LogFields, message: string): void => {
    const entry = { level, fields, message };
    if (options === undefined) {
      early.push(entry);
    } else {
      write(entry, options);
    }
  };

  return {
    open: (given) => {
      options ??= given;
      const waiting = early;
      early = [];
      for (const entry of waiting) {
        write(entry, options);
      }
    },
    debug: (message, fields = {}) => emit('debug', fields, message),
    info: (message, fields = {}) => emit('info', fields, message),
    warn: ({ message, ...fields }) => emit('warn', fields, message),
    fatal: (error) => emit('fatal', ...describeError(error)),
    flush: async () => done,
  };
}

const severity = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: 100,
} as const satisfies Record<LogLevel, number>;

async function createLogger({ write }: LogTarget, format: LogFormat): Promise<Logger> {
  const { default: pino } = await import('pino');
  return pino(
    { level: 'trace', base: { name: 'warp-init' } },
    { write: format === 'json' ? write : (line: string) => write(formatPretty(line)) },
  );
}

/** An error as one whole line, for a thread that cannot wait for pino. */
export function formatErrorLine(error: StartError, format: LogFormat): string {
  const [fields, msg] = describeError(error);
  const line = JSON.stringify({ level: severity.fatal, name: 'warp-init', ...fields, msg });
  return format === 'json' ? `${line}\n` : formatPretty(line);
}

function describeError(error: unknown): [fields: LogFields, message: string] {
  if (error instanceof StartError) {
    return [{ code: error.code, ...error.remedy }, error.message];
  }

  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    { code: 'E_INTERNAL', where: 'warp-init', fix: 'Report this as a defect of warp-init.', stack },
    'Cannot go on: internal error',
  ];
}

const labels: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warning',
  50: 'error',
  60: 'error',
};

/** A JSON line of pino as lines for people: the message, then where and what to do. */
function formatPretty(line: string): string {
  const { level, time, name, msg, code, where, fix, stack, ...rest } = JSON.parse(line) as Record<
    string,
    string | number
  >;
  const fields = Object.entries(rest).map(([key, value]) => `${key}=${value}`);
  const head = [`warp-init: ${labels[Number(level)] ?? ''}:`, msg, ...fields].join(' ');
  const lines = [code === undefined ? head : `${head} [${code}]`];
  if (where !== undefined) {
    lines.push(`  where: ${where}`);
  }

  if (fix !== undefined) {
    lines.push(`  fix:   ${fix}`);
  }

  if (stack !== undefined) {
    lines.push(String(stack));
  }

  return `${lines.join('\n')}\n`;
}
