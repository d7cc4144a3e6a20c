// Whose a file is that init writes, and who else may read it.

export type Ownership = {
  /** Permission bits, 0 to 0o777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
};

/**
 * Of a directory whose files have this mode: whoever may read them may list and enter it. Its owner may also change it: init
 * without root could not remove an old generation otherwise, and nobody can keep a chmod(1) from its owner.
 */
export function directoryMode(mode: number): number {
  const readers = mode & 0o044;
  return 0o700 | readers | (readers >> 2);
}

/** Of a file that is a program: whoever may read it may run it. */
export function executableMode(mode: number): number {
  return mode | ((mode & 0o444) >> 2);
}
