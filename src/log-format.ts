// How a log entry looks: a JSON line as pino writes it, or the same for people on a terminal.
import type { LogFormat, LogLevel } from './core/settings.ts';
import { StartError } from './errors.ts';

export type LogFields = Readonly<Record<string, string | number | boolean>>;

/** pino's numbers. */
export const severity = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: 100,
} as const satisfies Record<LogLevel, number>;

/** An error as one whole line, for a thread that cannot wait for pino. */
export function formatErrorLine(error: StartError, format: LogFormat): string {
  const [fields, msg] = describeError(error);
  const line = JSON.stringify({ level: severity.fatal, name: 'warp-init', ...fields, msg });
  return format === 'json' ? `${line}\n` : formatPretty(line);
}

/** A stack trace only for a defect of ours. */
export function describeError(error: unknown): [fields: LogFields, message: string] {
  if (error instanceof StartError) {
    return [{ code: error.code, ...error.remedy }, error.message];
  }

  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    { code: 'E_INTERNAL', where: 'warp-init', fix: 'Report this as a defect of warp-init.', stack },
    'Cannot go on: internal error',
  ];
}

/** A JSON line of pino as lines for people: the message, then where and what to do. */
export function formatPretty(line: string): string {
  const entry: Map<string, unknown> = new Map(Object.entries(parseObject(line)));
  const take = (key: string): string | undefined => {
    const value = entry.get(key);
    entry.delete(key);
    return value === undefined ? undefined : textOf(value);
  };
  const level = labelOf(Number(take('level')));
  const message = take('msg') ?? '';
  const [code, where, fix, stack] = [take('code'), take('where'), take('fix'), take('stack')];
  entry.delete('time');
  entry.delete('name');
  const rest = [...entry].map(([key, value]) => ` ${key}=${textOf(value)}`).join('');
  const lines = [
    `warp-init: ${level}: ${message}${rest}${code === undefined ? '' : ` [${code}]`}`,
    ...(where === undefined ? [] : [`  where: ${where}`]),
    ...(fix === undefined ? [] : [`  fix:   ${fix}`]),
    ...(stack === undefined ? [] : [stack]),
  ];
  return `${lines.join('\n')}\n`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function parseObject(line: string): object {
  const value: unknown = JSON.parse(line);
  return typeof value === 'object' && value !== null ? value : {};
}

function labelOf(level: number): string {
  if (level >= severity.error) {
    return 'error';
  }

  return level >= severity.warn ? 'warning' : level >= severity.info ? 'info' : 'debug';
}
