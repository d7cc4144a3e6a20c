// Signals to a process group, which may have ended.

/** False: there is none, or it has become somebody else. Signal 0 only asks. */
export function signalGroup(pid: number | undefined, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined) {
    return false;
  }

  try {
    return process.kill(-pid, signal);
  } catch {
    return false; // ESRCH, EPERM.
  }
}
