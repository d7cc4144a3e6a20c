// Where init keeps what others may ask for: `ist.json`, the env file, the control socket.
//
// Nobody else may plant a file there. Init as root makes it 0711, so that an app of any user opens `ist.json` by its name
// and lists nothing; any other init 0700, because its app is the same user for good.

/** Tried in this order. */
export type StateCandidate = {
  readonly path: string;
  /** Of the directory, where it has to be made. */
  readonly mode: number;
};

export type StateDirectory =
  | { readonly kind: 'usable'; readonly path: string }
  | {
      readonly kind: 'none';
      readonly tried: readonly { readonly path: string; readonly reason: string }[];
    };

/** What lstat(2) says of it. */
export type DirectoryFacts = {
  readonly isDirectory: () => boolean;
  readonly isSymbolicLink: () => boolean;
  readonly uid: number;
  /** Permission bits, perhaps with those of the type. */
  readonly mode: number;
};

/**
 * @param configured - `init.stateDirectory`; no other is tried then.
 * @param uid - Effective, of init.
 */
export function stateCandidates(
  configured: string | undefined,
  uid: number,
): readonly StateCandidate[] {
  const mode = uid === 0 ? 0o711 : 0o700;
  const paths = configured === undefined ? [usualPath, fallbackPath(uid)] : [configured];
  return paths.map((path) => ({ path, mode }));
}

const usualPath = '/run/warp-init';

function fallbackPath(uid: number): string {
  return `/dev/shm/warp-init-${uid}`;
}

/** The user whose fallback the path is. */
export function fallbackOwner(path: string): number | undefined {
  const uid = Number(/-(\d{1,10})$/.exec(path)?.[1]);
  return path === fallbackPath(uid) ? uid : undefined;
}

/** Why a directory that is there must not be used, as the end of a sentence; undefined: it may. */
export function distrustDirectory(facts: DirectoryFacts, uid: number): string | undefined {
  const { uid: owner, mode } = facts;
  if (facts.isSymbolicLink()) {
    return 'it is a symbolic link';
  }

  if (!facts.isDirectory()) {
    return 'it is not a directory';
  }

  if (owner !== uid) {
    return `it belongs to uid ${owner}, and init is uid ${uid}`;
  }

  return (mode & othersMayWrite) === 0
    ? undefined
    : `others may write to it (mode 0${(mode & 0o7777).toString(8)})`;
}

const othersMayWrite = 0o022;

/** «/run/warp-init (why), /dev/shm/warp-init-0 (why)» */
export function describeTried({ tried }: Extract<StateDirectory, { kind: 'none' }>): string {
  return tried.map(({ path, reason }) => `${path} (${reason})`).join(', ');
}
