// The log: pino's JSON lines, or the same for people on a terminal. Always stderr, never stdout.
//
// pino costs more than all else of a start, so it is loaded when the first line is due: a start
// without a warning writes none before the app runs. Lines wait in order meanwhile.
import type { Logger } from 'pino';

import type { LogFormat, LogLevel } from './core/settings.ts';
import type { Warning } from './core/warning.ts';
import { type LogFields, describeError, formatPretty, severity } from './log-format.ts';
import { type LineRing, createLineRing } from './log-ring.ts';

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
  /** The last lines that were due, as JSON whatever the format is, also where nobody could read them. */
  readonly recent: () => readonly string[];
};

type LogOptions = {
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
  const ring = createLineRing();

  const write = (entry: Entry, { level, format }: LogOptions): void => {
    if (severity[entry.level] < severity[level]) {
      return;
    }

    logger ??= createLogger(target, format ?? (target.isTerminal() ? 'pretty' : 'json'), ring);
    done = writeAfter(done, logger, entry);
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
    recent: ring.lines,
  };
}

async function writeAfter(
  earlier: Promise<void>,
  logger: Promise<Logger>,
  entry: Entry,
): Promise<void> {
  await earlier;
  (await logger)[entry.level](entry.fields, entry.message);
}

async function createLogger(
  { write }: LogTarget,
  format: LogFormat,
  ring: LineRing,
): Promise<Logger> {
  const { default: pino } = await import('pino');
  return pino(
    { level: 'trace', base: { name: 'warp-init' } },
    {
      write: (line: string) => {
        ring.add(line);
        write(format === 'json' ? line : formatPretty(line));
      },
    },
  );
}
