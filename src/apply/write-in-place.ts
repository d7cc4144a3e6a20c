// Changes a small text file in place, by the plan of core/in-place-change.ts.
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';

import { type ChangeStep, planChange, recoverText } from '../core/in-place-change.ts';
import { errnoOf } from '../errors.ts';

/**
 * What a reader may take from its first byte of the file to its last: the names of 1,000 services, 100 kB, take a resolver
 * about 1 ms. A change waits this long five times, and a reload has 50 ms from the quiet time to the signal.
 */
export const readerGraceMs = 2;

export type InPlaceEdit = {
  /** From the text, as a string of bytes (latin1), to the new one. Called again if the file changes meanwhile. */
  readonly edit: (text: string) => string;
  /** @default {@link readerGraceMs} */
  readonly graceMs?: number;
};

/**
 * Reads the file and writes what `edit` makes of it. Where that is the same, nothing is written, so a file that
 * is read-only and already right is no error. A missing file is created with mode 0644.
 *
 * What a predecessor was killed in the middle of is finished or undone first.
 *
 * @throws the system's error (EROFS, EACCES, EPERM, ENOSPC, …). The text then is the old one, or has the new lines.
 */
export function editInPlace(
  path: string,
  { edit, graceMs = readerGraceMs }: InPlaceEdit,
): 'written' | 'unchanged' {
  const seen = readIfThere(path);
  const expected = edit(recoverText(seen));
  if (expected === seen) {
    return 'unchanged';
  }

  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  try {
    const old = readFileSync(file, 'latin1');
    const next = old === seen ? expected : edit(recoverText(old));
    if (next === old) {
      return 'unchanged';
    }

    takeSteps({ file, graceMs, oldSize: old.length }, planChange(old, next));
    return 'written';
  } finally {
    closeSync(file);
  }
}

type Target = { readonly file: number; readonly graceMs: number; readonly oldSize: number };

function takeSteps(target: Target, steps: readonly ChangeStep[]): void {
  for (const step of steps) {
    takeStep(target, step);
  }
}

function takeStep(target: Target, step: ChangeStep): void {
  const { file, graceMs, oldSize } = target;
  switch (step.kind) {
    case 'wait':
      return sleep(graceMs);
    case 'put':
      try {
        return put(file, step);
      } catch (error) {
        if (step.isMore) {
          ftruncateSync(file, oldSize); // A full disk leaves the file as it was.
        }

        throw error;
      }
    case 'cut':
      return fstatSync(file).size === step.expectedSize
        ? ftruncateSync(file, step.size)
        : takeSteps(target, step.otherwise);
  }
}

/** A short write is continued; the error of a write that does nothing (ENOSPC, EIO) is the system's. */
function put(file: number, { at, text }: { readonly at: number; readonly text: string }): void {
  const bytes = Buffer.from(text, 'latin1');
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes, done, bytes.length - done, at + done);
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
