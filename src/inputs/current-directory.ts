/** One that was removed is still there under this name, and empty. */
export function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '/proc/self/cwd';
  }
}
