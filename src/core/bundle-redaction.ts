// What may stand in an archive that is sent to strangers: the report of `debug` without any value that the operator has
// written, and no text that has a value of the environment in it.
//
// `debug` is for the operator's own terminal: it shows literal `variables` and the arguments of the command. A config
// function may have put credentials into both.
import { type Redaction, createRedaction } from './redact.ts';
import { Secret } from './secret.ts';

/** Why such a value is not shown; one more word of `hidden` in docs/debug-json.md. */
const hiddenHere = 'bundle';
const hiddenArgument = '[argument]';
const hiddenOutput = '[output]';
const hiddenValue = '[value]';

/** @param report - As `debug --format json` prints it, perhaps of another version. */
export function withoutLiterals(report: unknown): unknown {
  if (!isObject(report)) {
    return report;
  }

  const { variables, start } = report;
  return {
    ...report,
    ...(Array.isArray(variables) && { variables: variables.map(withoutLiteral) }),
    ...(isObject(start) && { start: withoutArguments(start) }),
  };
}

function withoutLiteral(variable: unknown): unknown {
  return isObject(variable) && variable['origin'] === 'variables' && variable['value'] !== null
    ? { ...variable, value: null, hidden: hiddenHere }
    : variable;
}

function withoutArguments(start: Record<string, unknown>): unknown {
  const { command } = start;
  const [program, ...rest] = Array.isArray(command) ? command : [];
  return {
    ...start,
    command: program === undefined ? [] : [program, ...rest.map(() => hiddenArgument)],
  };
}

/** Cuts out what the environment holds, but for variables that say nothing. */
export function redactionOf(environment: ReadonlyMap<string, string>): Redaction {
  const values = [...environment].flatMap(([name, value]) =>
    harmless.test(name) ? [] : [new Secret(value), new Secret(value.trim())],
  );
  return createRedaction(values);
}

/** Where things are, and what they are called. */
const harmless =
  /^(?:PATH|HOME|PWD|OLDPWD|HOSTNAME|USER|LOGNAME|SHELL|SHLVL|TERM|TZ|LANG|LANGUAGE|LC_[A-Z]+|_|container|NODE_ENV|NODE_VERSION|YARN_VERSION|CYCLE_INSTANCE_ID|WARP_INIT_[A-Z_]+)$/;

/** Each text in a value of JSON, keys too: in the JSON itself a quote or a line feed would look different. */
export function redactValue(value: unknown, { redact }: Pick<Redaction, 'redact'>): unknown {
  if (typeof value === 'string') {
    return value
      .split('\n')
      .map((line) => redact(withoutReceived(line)))
      .join('\n');
  }

  if (Array.isArray(value)) {
    return value.map((item) => redactValue(item, { redact }));
  }

  return isObject(value)
    ? Object.fromEntries(
        Object.entries(value).map(([key, item]) => [redact(key), redactValue(item, { redact })]),
      )
    : value;
}

/** What a key of the config has, where a problem says so (core/config-problems.ts). */
function withoutReceived(line: string): string {
  return line.replace(
    /^(  \S.*: expected .*, received )(?:".*"|[-\d].*|true|false)/,
    `$1${hiddenValue}`,
  );
}

/** `from` of a line that a program of the operator's has said (commands/app-actions.ts). */
const fromCommand = 'reload command';

/**
 * Of a log those lines that are ours, without what is to be hidden. A config, or whatever else it loads, may have printed
 * anything to the same stream.
 */
export function redactLog(text: string, redaction: Redaction): string {
  const lines = text.split('\n').flatMap((line) => {
    const entry = parseLine(line);
    if (!isObject(entry) || entry['name'] !== 'warp-init') {
      return [];
    }

    // It may say anything of its environment, in any form.
    const said = entry['from'] === fromCommand ? { ...entry, msg: hiddenOutput } : entry;
    return [`${JSON.stringify(redactValue(said, redaction))}\n`];
  });
  return lines.join('');
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // Not ours.
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
