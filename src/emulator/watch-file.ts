// Whether a file has changed, however its editor writes it: in place, or as a new file with the old name.
//
// inotify(7) on the directory is quick and knows nothing of network mounts, of what lies behind a symlink, or of a
// directory that was replaced. So the file itself is also asked twice a second.
import { statSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import { extendBurst, msUntilDue } from '../core/quiet-time.ts';
import type { Burst } from '../core/quiet-time.ts';

export type FileWatch = { readonly close: () => void };

const pollMs = 500;
/** An editor truncates, then writes: what is read in between is no file that anybody wanted. */
const quietTime = { quietMs: 50, maxWaitMs: 500 };

export type Watcher = {
  /** {@link signatureOf} the file when it was last read: a change since then is one, too. */
  readonly signature: string;
  /** Called after a burst of changes is over, or has lasted half a second. */
  readonly onChange: () => void;
};

export function watchFile(path: string, { signature: known, onChange }: Watcher): FileWatch {
  let signature = known;
  let burst: Burst | undefined;
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const waitMs = burst === undefined ? 0 : msUntilDue(burst, quietTime, performance.now());
    if (waitMs > 0) {
      timer = setTimeout(look, waitMs);
      return;
    }
    timer = undefined;
    burst = undefined;
    signature = signatureOf(path);
    onChange();
  };
  const expect = (): void => {
    burst = extendBurst(burst, performance.now());
    timer ??= setTimeout(look, quietTime.quietMs);
  };

  const watcher = watchDirectory(path, expect);
  const poll = setInterval(() => {
    const now = signatureOf(path);
    if (now === signature) return;
    signature = now;
    expect();
  }, pollMs);
  return {
    close: () => {
      clearInterval(poll);
      clearTimeout(timer);
      watcher?.close();
    },
  };
}

/** Undefined where the system has no watch to give: ENOSPC, EMFILE, ENOSYS. */
function watchDirectory(path: string, onEvent: () => void): FSWatcher | undefined {
  const name = basename(path);
  try {
    const watcher = watch(dirname(path), (_event, changed) => {
      if (changed === null || changed === name) onEvent();
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

/** Differs where the file differs, but for two changes within one tick of the kernel's clock. */
export function signatureOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join();
  } catch {
    return 'none'; // Between two names, or out of reach: reading it will tell why.
  }
}
