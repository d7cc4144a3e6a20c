// What a directory that init writes as a whole holds: certificates, an unpacked secret.
import type { SecretBytes } from './secret.ts';

/**
 * Paths are relative and have neither `.` nor `..`; each path is there once, a directory before what is in it. All
 * entries have the same owner, and modes that follow from the one of that owner (core/ownership.ts).
 */
export type TreeEntry =
  | { readonly kind: 'directory'; readonly path: string }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly content: SecretBytes;
      readonly isExecutable: boolean;
    }
  /** A symbolic link; where it points to is within the directory. */
  | { readonly kind: 'link'; readonly path: string; readonly target: string };
