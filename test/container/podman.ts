// podman with a storage of its own: nothing of the machine's containers is seen, and nothing stays.
import { execa } from 'execa';

/** Directories of one run of the tests. */
export type Storage = {
  /** Everything lies in it: storage, contexts, what npm has brought. */
  readonly directory: string;
};

export type Ended = {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
};

/** As `--root` and the like ask for: absolute. */
export function optionsOf({ directory }: Storage): readonly string[] {
  return [`--root=${directory}/storage`, `--runroot=${directory}/run`, `--tmpdir=${directory}/tmp`];
}

export const environment = {
  CONTAINERS_CONF: new URL('containers.conf', import.meta.url).pathname,
};

/** Runs podman to its end, whatever that is. */
export async function podman(storage: Storage, words: readonly string[]): Promise<Ended> {
  const { exitCode, stdout, stderr } = await execa('podman', [...optionsOf(storage), ...words], {
    env: environment,
    // conmon leaves a file `oom` where it was started.
    cwd: storage.directory,
    stdin: 'ignore',
    stripFinalNewline: false,
    reject: false,
  });
  return { status: exitCode, stdout, stderr };
}

/** @throws unless it ends with 0. @returns what it has printed, without the last line break. */
export async function podmanSays(storage: Storage, words: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await podman(storage, words);
  if (status !== 0) {
    throw new Error(`podman ${words.join(' ')} ended with ${String(status)}:\n${stdout}${stderr}`);
  }

  return stdout.trimEnd();
}
