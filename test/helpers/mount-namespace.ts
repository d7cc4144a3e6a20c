// A mount namespace with something mounted in it. Its files are reached from here through /proc/PID/root.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

const unshare = process.getuid?.() === 0 ? ['--mount', '--'] : ['--mount', '--map-root-user', '--'];

/** True where the kernel or the sandbox forbids mount namespaces. */
export const cannotMount = spawnSync('unshare', [...unshare, 'true']).status !== 0;

if (cannotMount) {
  const reason = 'This machine forbids mount namespaces (unshare --mount).';
  if (process.env['WARP_INIT_REQUIRE_PID1'] === '1') {
    throw new Error(`${reason} WARP_INIT_REQUIRE_PID1=1 says that they are expected to work.`);
  }

  process.stderr.write(`${reason} Tests of bind mounts are skipped.\n`);
}

export type MountNamespace = {
  /** The same path, seen through the namespace. */
  readonly path: (path: string) => string;
  /** Runs a command in it; gives its status and its two outputs. */
  readonly run: (command: readonly string[]) => { status: number | null; output: string };
  /** Ends it, and with it every mount in it. */
  readonly end: () => Promise<void>;
};

/** @param script - A shell script that mounts, e.g. `mount --bind a b`. */
export async function mountNamespace(script: string): Promise<MountNamespace> {
  const holder = spawn('unshare', [...unshare, 'sh', '-ec', `${script}\necho ready\nexec cat`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(holder, 'exit');
  const ready = await Promise.race([once(holder.stdout, 'data'), ended.then(() => undefined)]);
  if (ready === undefined) {
    throw new Error(`Cannot mount: ${script}`);
  }

  const target = ['--mount', '--preserve-credentials', '--target', String(holder.pid)];
  const user = process.getuid?.() === 0 ? [] : ['--user'];
  return {
    path: (path) => `/proc/${holder.pid}/root${path}`,
    run: (command) => {
      const { status, stdout, stderr } = spawnSync('nsenter', [...target, ...user, ...command], {
        encoding: 'utf8',
      });
      return { status, output: stdout + stderr };
    },
    end: async () => {
      holder.stdin.end();
      await ended;
    },
  };
}
