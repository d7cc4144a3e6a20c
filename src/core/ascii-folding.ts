// Lucene's ASCIIFoldingFilter, in a module of its own.
//
// The package builds its table when it is loaded (0.7 ms, 4 % of a start), and few service names need it:
// import this file only by `import()`.
import folder from 'fold-to-ascii';

export function foldToAscii(text: string): string {
  return folder.foldMaintaining(text);
}
