// How a small text file changes in place, as a plan: every reader finds whole lines and misses none, and whoever is killed
// in the middle leaves a text from which the old or the new one can be told.
//
// /etc/hosts is a bind mount in a container: rename(2) over it fails with EBUSY, so its bytes must change under its
// readers' eyes. One write(2) is not atomic for them: ext4 and tmpfs take no lock in read(2), and a reader in a tight loop
// saw mixtures of two texts, and torn lines, even in files of 300 bytes (measured on Linux 6.18). Only one byte is
// atomic. So a line changes while it is a comment, and while the new text stands at the end of the file:
//
//   copy live -> front commented -> front filled with # -> front new, commented -> front live -> copy hidden, cut off
//
// Commenting out and in changes just the first byte of each line: every mixture of before and after has whole lines.
// Of a run of # and anything commented every mixture is comments. For some milliseconds a reader can find an entry twice;
// only one that is stopped for longer than the grace time in the middle of a read can still find a mixture.
// The format must take a line that begins with # as a comment. Text that only grows at its end needs no second place.
//
// Before the copy stands a comment that says what is replaced by it, behind it one that says whether it is needed:
//
//   <old text> \n… <head> <copy> \n <foot: incomplete or missing> | «+»: the copy counts | «-»: the front is new
//
// Texts are strings of bytes (latin1).

export type ChangeStep =
  /** `isMore`: behind the end of the old text. If that fails, the old text is to be had by cutting it off. */
  | {
      readonly kind: 'put';
      readonly at: number;
      readonly text: string;
      readonly isMore: boolean;
    }
  /** Until no reader is left that has begun before the last step. */
  | { readonly kind: 'wait' }
  /** Somebody may have appended to the file meanwhile: their line is worth more than the blank lines before it. */
  | {
      readonly kind: 'cut';
      readonly expectedSize: number;
      readonly size: number;
      readonly otherwise: readonly ChangeStep[];
    };

/** The end of each line that is not the file's: so it is known as ours wherever it stands. */
export const ownTag = ' # warp-init (generated)';

/** Both texts differ. */
export function planChange(old: string, next: string): readonly ChangeStep[] {
  return isGrowth(old, next) ? growth(old, next) : replacement(old, next);
}

function isGrowth(old: string, next: string): boolean {
  return next.startsWith(old) && (old === '' || old.endsWith('\n') || next[old.length] === '\n');
}

function growth(old: string, next: string): readonly ChangeStep[] {
  const added = next.slice(old.length);
  let size = 0; // Of what is only line ends.
  while (added[size] === '\n') {
    size += 1;
  }

  return [
    put(added.slice(0, size), old.length, 'more'),
    ...show(added.slice(size), old.length + size, 'more'),
  ];
}

function replacement(old: string, next: string): readonly ChangeStep[] {
  const { start, oldEnd, nextEnd } = difference(old, next);
  const oldRegion = old.slice(start, oldEnd);
  const region = next.slice(start, nextEnd);
  const front = region + '\n'.repeat(Math.max(oldRegion.length - region.length, 0));
  const head = headLine({ start, oldEnd, oldSize: old.length, size: region.length });
  const headAt = headPosition(old.length, next.length);
  const copy = `${region}\n`;
  const copyAt = headAt + head.length;
  const footAt = copyAt + copy.length;
  const end = footAt + footLine('-').length;
  return [
    put('\n'.repeat(headAt - old.length) + head, old.length, 'more'),
    ...show(copy, copyAt, 'more'),
    put(footLine('+'), footAt, 'more'),
    wait,
    put(commented(oldRegion), start),
    wait,
    put(filler(front.length), start),
    wait,
    ...show(front, start),
    wait,
    put('-', footAt + footFlagAt),
    put(commented(copy), copyAt),
    wait,
    // A reader that saw the old size finds # or NULs in place of them, never half a line.
    put(filler(copy.length), copyAt),
    {
      kind: 'cut',
      expectedSize: end,
      size: next.length,
      otherwise: [put(filler(end - headAt), headAt), wait, put('\n'.repeat(end - headAt), headAt)],
    },
  ];
}

/** Whole lines from the first to the last that differs; to the end of the file where its length changes. */
function difference(old: string, next: string): { start: number; oldEnd: number; nextEnd: number } {
  let same = 0;
  while (same < old.length && old[same] === next[same]) {
    same += 1;
  }

  const start = same === 0 ? 0 : old.lastIndexOf('\n', same - 1) + 1;
  if (old.length !== next.length) {
    return { start, oldEnd: old.length, nextEnd: next.length };
  }

  let last = old.length - 1;
  while (old[last] === next[last]) {
    last -= 1;
  }

  const lineFeed = old.indexOf('\n', last + 1);
  const end = lineFeed === -1 ? old.length : lineFeed + 1;
  return { start, oldEnd: end, nextEnd: end };
}

const wait: ChangeStep = { kind: 'wait' };

function put(text: string, at: number, where: 'more' | 'over' = 'over'): ChangeStep {
  return { kind: 'put', at, text, isMore: where === 'more' };
}

/** Over a run of # or nothing: no reader sees a line before all of it is there. */
function show(text: string, at: number, where: 'more' | 'over' = 'over'): readonly ChangeStep[] {
  return [put(commented(text), at, where), put(text, at, where)];
}

function commented(text: string): string {
  return text.replace(/(^|\n)[^\n]/g, '$1#');
}

function filler(length: number): string {
  return length === 0 ? '' : `${'#'.repeat(length - 1)}\n`;
}

/** One line feed more than the longer text: it parts the head from whatever stands before it. */
function headPosition(oldSize: number, nextSize: number): number {
  return Math.max(oldSize, nextSize) + 1;
}

type Head = {
  /** Of the old text, the bytes that are replaced: from the first to before the last. */
  readonly start: number;
  readonly oldEnd: number;
  readonly oldSize: number;
  /** Of what replaces them. */
  readonly size: number;
};

function headLine({ start, oldEnd, oldSize, size }: Head): string {
  return `# for ${start}-${oldEnd} of ${oldSize}: ${size}${ownTag}\n`;
}

const headStart = '\n# for ';

const headPattern = /# for (\d+)-(\d+) of (\d+): (\d+) # warp-init \(generated\)\n/y;

const footStart = '# is needed: ';
const footFlagAt = footStart.length;

function footLine(flag: '+' | '-'): string {
  return `${footStart}${flag}${ownTag}\n`;
}

/**
 * The text before or after a change that somebody did not finish; the same text where there is none. Lines with
 * {@link ownTag} may be left: whose they are, they say.
 */
export function recoverText(text: string): string {
  const found = findHead(text);
  if (found === undefined) {
    return text; // There is none, or somebody has edited the file since then.
  }

  const { start, oldEnd, oldSize, size, nextSize, copyAt } = found;
  const footAt = copyAt + size + 1;
  const restAt = footAt + footLine('+').length;
  switch (text.slice(footAt, restAt)) {
    case footLine('+'): {
      const copy = text.slice(copyAt, copyAt + size);
      return join(text.slice(0, start) + copy + text.slice(oldEnd, oldSize), text.slice(restAt));
    }
    case footLine('-'):
      return join(text.slice(0, nextSize), text.slice(restAt));
    default: {
      const old = text.slice(0, oldSize);
      return recoverText(join(old, linesOfOthers(old, text.slice(copyAt))));
    }
  }
}

type FoundHead = Head & { readonly nextSize: number; readonly copyAt: number };

/** The last one that stands where it must: a comment of somebody else may begin as it does. */
function findHead(text: string): FoundHead | undefined {
  for (
    let at = text.lastIndexOf(headStart);
    at !== -1;
    at = at === 0 ? -1 : text.lastIndexOf(headStart, at - 1)
  ) {
    const headAt = at + 1;
    headPattern.lastIndex = headAt;
    const [line = '', ...numbers] = headPattern.exec(text) ?? [];
    const [start = 0, oldEnd = 0, oldSize = 0, size = 0] = numbers.map(Number);
    const nextSize = oldSize - oldEnd + start + size;
    if (line !== '' && headAt === headPosition(oldSize, nextSize)) {
      return { start, oldEnd, oldSize, size, nextSize, copyAt: headAt + line.length };
    }
  }

  return undefined;
}

/** What somebody has appended behind a copy that was begun. The copy is of lines of ours and of the old text. */
function linesOfOthers(old: string, rest: string): string {
  const known = new Set(commented(old).split('\n'));
  const lines = rest.split('\n');
  const last = lines.pop() ?? '';
  const others = lines.filter(
    (line) => !/^#*$/.test(line) && !line.endsWith(ownTag) && !known.has(commented(line)),
  );
  return [...others, last.startsWith('#') ? '' : last].join('\n');
}

function join(text: string, more: string): string {
  return more === '' || text === '' || text.endsWith('\n') ? text + more : `${text}\n${more}`;
}
