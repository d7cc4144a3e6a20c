// A stream of text as lines, of bounded length: what stands behind the bound in a line is dropped.

export type LineSplitter = {
  readonly write: (text: string) => void;
  /** The last line, if it has no line feed. */
  readonly end: () => void;
};

export function createLineSplitter(
  maxLength: number,
  onLine: (line: string) => void,
): LineSplitter {
  let line = '';
  const add = (text: string): void => {
    line += text.slice(0, maxLength - line.length);
  };
  const end = (): void => {
    onLine(line.replace(/\r$/, ''));
    line = '';
  };

  return {
    write: (text) => {
      const [first = '', ...rest] = text.split('\n');
      add(first);
      for (const next of rest) {
        end();
        add(next);
      }
    },
    end: () => {
      if (line !== '') {
        end();
      }
    },
  };
}
