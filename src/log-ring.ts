// The last lines of the log, in memory: for `bundle`, and where stderr could not be opened for us.

export type LineRing = {
  readonly add: (line: string) => void;
  /** The oldest first; each with its line feed. */
  readonly lines: () => readonly string[];
};

/** Of the characters: more than a start and a day of reloads say. */
const usualLimit = 64 * 1024;

/** A line that is longer than the limit is not kept. */
export function createLineRing(limit = usualLimit): LineRing {
  const kept: string[] = [];
  let length = 0;
  return {
    add: (line) => {
      if (line.length > limit) {
        return;
      }

      kept.push(line);
      length += line.length;
      while (length > limit) {
        length -= kept.shift()?.length ?? 0;
      }
    },
    lines: () => [...kept],
  };
}
