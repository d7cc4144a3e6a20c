// Changes a small text file in place, so that a reader finds whole lines, and misses none, whenever it looks.
//
// /etc/hosts is a bind mount in a container: rename(2) over it fails with EBUSY, so its bytes must change under its
// readers' eyes. One write(2) is not atomic for them: ext4 and tmpfs take no lock in read(2), and a reader in a tight loop
// saw mixtures of two texts, and torn lines, even in files of 300 bytes (measured on Linux 6.18). Only one byte is
// atomic. So a line changes while it is a comment, and while the new text stands at the end of the file:
//
//   tail live -> front commented -> front filled with # -> front new, commented -> front live -> tail hidden, cut off
//
// Commenting out and in changes just the first byte of each line: every mixture of before and after has whole lines.
// Of a run of # and anything commented every mixture is comments. For some milliseconds a reader can find an entry twice;
// only one that is stopped for longer than the grace time in the middle of a read can still find a mixture.
// The format must take a line that begins with # as a comment. Text that only grows at its end needs no second place.
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';

import { errnoOf } from '../errors.ts';

/**
 * What a reader may take from its first byte of the file to its last: the names of 1,000 services, 100 kB, take a resolver
 * about 1 ms. A change waits this long five times, and a reload has 50 ms from the quiet time to the signal.
 */
export const readerGraceMs = 2;

export type InPlaceEdit = {
  /** From the text, as a string of bytes (latin1), to the new one. Called again if the file changes meanwhile. */
  readonly edit: (text: string) => string;
  /** {@link readerGraceMs}, or 0 where nothing reads the file yet. */
  readonly graceMs: number;
};

/**
 * Reads the file and writes what `edit` makes of it. Where that is the same, nothing is written, so a file that
 * is read-only and already right is no error. A missing file is created with mode 0644.
 *
 * @throws the system's error (EROFS, EACCES, EPERM, ENOSPC, …). The text then is the old one, or has the new lines.
 */
export function editInPlace(path: string, { edit, graceMs }: InPlaceEdit): 'written' | 'unchanged' {
  const seen = readIfThere(path);
  const expected = edit(seen);
  if (expected === seen) {
    return 'unchanged';
  }

  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  try {
    const old = readFileSync(file, 'latin1');
    const next = old === seen ? expected : edit(old);
    if (next === old) {
      return 'unchanged';
    }

    rewrite({ file, graceMs }, old, next);
    return 'written';
  } finally {
    closeSync(file);
  }
}

type Target = { readonly file: number; readonly graceMs: number };

function rewrite(target: Target, old: string, next: string): void {
  if (next.startsWith(old) && (old === '' || old.endsWith('\n') || next[old.length] === '\n')) {
    append(target, old, next);
    return;
  }

  const { start, oldEnd, nextEnd } = difference(old, next);
  const oldRegion = old.slice(start, oldEnd);
  const region = next.slice(start, nextEnd);
  const longest = Math.max(old.length, next.length);
  const tail = `${region}\n`;
  // One line feed more than the longer text: it parts the tail from whatever stands before it.
  const tailAt = longest + 1;
  const wait = () => {
    sleep(target.graceMs);
  };

  append(target, old, old + '\n'.repeat(tailAt - old.length) + tail);
  wait();
  const front = region + '\n'.repeat(Math.max(oldRegion.length - region.length, 0));
  put(target.file, commented(oldRegion), start);
  wait();
  put(target.file, filler(front.length), start);
  wait();
  show(target, front, start);
  wait();
  put(target.file, commented(tail), tailAt);
  wait();
  blank(target.file, tail.length, tailAt);
  cutOff(target.file, tailAt + tail.length, next.length);
}

/** Adds what `next` has more than `old`. A full disk leaves the file as it was. */
function append(target: Target, old: string, next: string): void {
  const { file } = target;
  const added = next.slice(old.length);
  const separator = /^\n*/.exec(added)?.[0] ?? '';
  try {
    put(file, separator, old.length);
    show(target, added.slice(separator.length), old.length + separator.length);
  } catch (error) {
    ftruncateSync(file, old.length);
    throw error;
  }
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

/** Over comments, blank lines or nothing: no reader sees a line before all of it is there. */
function show({ file, graceMs }: Target, text: string, position: number): void {
  if (graceMs > 0) {
    put(file, filler(text.length), position);
    put(file, commented(text), position);
  }

  put(file, text, position);
}

/** Over comments. A reader that saw the old size finds line feeds or NULs in place of them, never half a line. */
function blank(file: number, length: number, position: number): void {
  put(file, filler(length), position);
  put(file, '\n'.repeat(length), position);
}

function cutOff(file: number, expectedSize: number, size: number): void {
  // Somebody has appended to the file meanwhile: their line is worth more than blank lines before it.
  if (fstatSync(file).size === expectedSize) {
    ftruncateSync(file, size);
  }
}

function commented(text: string): string {
  return text.replace(/(^|\n)[^\n]/g, '$1#');
}

function filler(length: number): string {
  return length === 0 ? '' : `${'#'.repeat(length - 1)}\n`;
}

/** A short write is continued; the error of a write that does nothing (ENOSPC, EIO) is the system's. */
function put(file: number, text: string, position: number): void {
  const bytes = Buffer.from(text, 'latin1');
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done);
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      return '';
    }

    throw error;
  }
}

/** Blocks: between two steps of one change nothing else of ours may run. */
function sleep(ms: number): void {
  if (ms > 0) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  }
}
