// `--format dotenv`: a file that dotenv's own parser reads back exactly.
import { formatLines } from './debug-lines.ts';
import type { DebugReport } from './debug-report.ts';
import { formatDotenvLine } from './dotenv-line.ts';

export function formatDotenv(report: DebugReport): string {
  return formatLines(report, { formatLine: formatDotenvLine, holder: 'a dotenv file' });
}
