// What `--format dotenv` and `--format shell` have in common: which variables become lines, and which only comments.
//
// Lines are what init adds by itself: identity, IST and `variables`. Inherited variables are there without us,
// those of the app's user (HOME) are wrong for anybody else, and a secret is shown nowhere.
import type { DebugReport } from './debug-report.ts';
import { inertWord } from './debug-text.ts';
import type { DebugVariable } from './debug-variables.ts';

export type LineFormat = {
  /** Undefined where the format cannot hold the name or the value. */
  readonly formatLine: (name: string, value: string) => string | undefined;
  /** A dotenv file, a shell. */
  readonly holder: string;
};

/** Lines first: where a shell joins them all into one (`eval $(...)`), what follows a comment is lost. */
export function formatLines(report: DebugReport, { formatLine, holder }: LineFormat): string {
  const lines: string[] = [];
  const comments: string[] = [];

  for (const variable of report.variables.filter(({ origin }) => origin !== 'inherited')) {
    const line = valueToWrite(variable, formatLine);
    if (line === undefined) {
      comments.push(`# ${describeLeftOut(variable, holder)}`);
    } else {
      lines.push(line);
    }
  }

  for (const variable of report.variables) {
    if (variable.origin === 'inherited' && variable.secret !== null) {
      comments.push(`# ${describeLeftOut(variable, holder)}`);
    }
  }

  return [...lines, ...comments, ''].join('\n');
}

function valueToWrite(
  { name, value, origin }: DebugVariable,
  formatLine: LineFormat['formatLine'],
): string | undefined {
  return value === null || origin === 'user' ? undefined : formatLine(name, value);
}

/** Plain words and words in single quotes only: nothing that a shell could carry out, even without the `#`. */
function describeLeftOut(variable: DebugVariable, holder: string): string {
  const { name, origin, from, hidden, secret } = variable;
  const word = inertWord(name);
  switch (hidden) {
    case 'reference':
    case 'secret':
      return `${word}=warp-secret:${inertWord(secret ?? '')}`;
    case 'token':
      return `${word} has CYCLE_API_TOKEN in it`;
    case 'inherited':
    case 'local':
      return `${word} is taken from ${inertWord(from ?? 'the inherited environment')}`;
    case 'dotenv':
      return `${word} comes from a dotenv file`;
    case null:
      return origin === 'user'
        ? `${word} belongs to the user of the app`
        : `${word} cannot be held by ${holder}`;
  }
}
