// `--format shell`: text for `eval "$(warp-init debug --format shell)"` in any POSIX shell.
//
// Values stand between single quotes, where nothing is special. Names that a shell cannot assign stay comments.
import { formatLines } from './debug-lines.ts';
import type { DebugReport } from './debug-report.ts';
import { isWritable, shellQuote } from './debug-text.ts';

export function formatShell(report: DebugReport): string {
  return formatLines(report, { formatLine, holder: 'a shell' });
}

function formatLine(name: string, value: string): string | undefined {
  return isAssignable(name) && isWritable(value)
    ? `export ${name}=${shellQuote(value)}`
    : undefined;
}

/** POSIX.1-2024, 3.216; without the names that a shell keeps to itself, where an assignment may end the script. */
function isAssignable(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !ownNames.test(name);
}

/** Of bash and dash: read-only ones, those that take numbers only, and those that do not keep what they are given. */
const ownNames =
  /^(?:_|BASH(?:|OPTS|PID|_.*)|COMP_WORDBREAKS|DIRSTACK|EPOCH(?:REALTIME|SECONDS)|EUID|FUNCNAME|GROUPS|HISTCMD|LINENO|OPTIND|PIPESTATUS|PPID|S?RANDOM|SECONDS|SHELLOPTS|UID)$/;
