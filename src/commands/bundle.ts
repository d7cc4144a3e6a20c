// `warp-init bundle FILE.tar.gz`: what a maintainer needs to help, in one archive, with no secret in it.
import { writeFileSync } from 'node:fs';

import { packArchive } from '../apply/pack-archive.ts';
import { describeErrno } from '../apply/describe-errno.ts';
import { StartError, errnoOf, exitStatus } from '../errors.ts';
import type { Invocation } from '../invocation.ts';
import { collectFiles } from './bundle-files.ts';
import { startedWith } from './started-with.ts';
import { writeOut } from './write-out.ts';

/**
 * @returns the exit status, 0, whatever is wrong with the container: that is what the archive is for.
 * @throws {StartError} E_FILE, 73: it cannot be written.
 */
export async function bundle(
  invocation: Extract<Invocation, { command: 'bundle' }>,
): Promise<number> {
  const madeAtMs = Date.now();
  const files = await collectFiles(await startedWith(invocation), madeAtMs);
  const bytes = packArchive({ directory: 'warp-init-bundle', files, madeAtMs });
  const { file } = invocation;
  if (file === '-') {
    await writeOut(bytes);
    return 0;
  }

  write(file, bytes);
  const list = [...files.keys()].join(', ');
  await writeOut(
    `Wrote ${file}, ${bytes.length} bytes: ${list}.\nSecrets and values of the environment are left out; names, addresses and hostnames are in it.\n`,
  );
  return 0;
}

function write(path: string, bytes: Uint8Array): void {
  try {
    // A file that is there may be the operator's.
    writeFileSync(path, bytes, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) {
      throw error;
    }

    throw new StartError('E_FILE', `Cannot write ${path}: ${describeErrno(errno)}`, {
      exitCode: exitStatus.cannotWrite,
      remedy: {
        where: path,
        fix: 'Name a new file in a directory that can be written, or - for stdout.',
      },
      cause: error,
    });
  }
}
