// In place of cliui's own entry: it knows colours, emoji and wide letters, and the help is plain ASCII in columns.
import { cliui } from '../../../node_modules/cliui/build/lib/index.js';

// oxlint-disable-next-line import/no-default-export -- that is what yargs imports
export { columns as default };

function columns(options) {
  return cliui(options, { stringWidth: (text) => text.length, stripAnsi: (text) => text, wrap });
}

/** At spaces; those at the ends of a line go. A word that is too long for any line is broken. */
function wrap(text, width) {
  return text
    .split('\n')
    .flatMap((line) => wrapLine(line.trim(), width))
    .join('\n');
}

function wrapLine(line, width) {
  const lines = [''];
  for (const word of line.split(' ')) {
    const row = lines.pop();
    const longer = row === '' ? word : `${row} ${word}`;
    lines.push(...(longer.length <= width ? [longer] : [row, ...pieces(word, width)]));
  }

  return lines.filter((row, index) => row !== '' || index === 0).map((row) => row.trim());
}

function pieces(word, width) {
  return word.match(new RegExp(`.{1,${width}}`, 'g')) ?? [''];
}
