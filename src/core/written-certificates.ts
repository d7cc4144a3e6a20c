// Which certificates on disk are init's own: the fingerprints of what it has written, or is about to write.
//
// They are in the memo before the files are new, so there is no moment at which a brain may end and its successor not know what
// was written. A file is never believed because it lies there: the app may own it.
import type { Knowledge } from './knowledge.ts';

/** Name and fingerprint; a name has several while its files are replaced. */
export type WrittenCertificates = readonly (readonly [name: string, fingerprint: string])[];

/** Those of a reload when its files are in place. */
export function writtenCertificatesOf({
  certificates,
}: Pick<Knowledge, 'certificates'>): WrittenCertificates {
  return [...certificates].filter(([, fingerprint]) => fingerprint !== '');
}

/** While files are replaced: nobody knows how far that has come. */
export function eitherOf(
  before: WrittenCertificates,
  after: WrittenCertificates,
): WrittenCertificates {
  const isBefore = knownIn(before);
  return [...before, ...after.filter(([name, fingerprint]) => !isBefore(name, fingerprint))];
}

/** Says of a name and a fingerprint whether they belong together. */
export function knownIn(
  written: WrittenCertificates,
): (name: string, fingerprint: string) => boolean {
  const known = new Set(written.map((each) => each.join(' ')));
  // No space is in either.
  return (name, fingerprint) => known.has(`${name} ${fingerprint}`);
}
