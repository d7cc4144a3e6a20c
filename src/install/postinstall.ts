// npm runs this when it has unpacked the package, unless it runs no scripts: PID 1 need not start through a shell, nor Node
// compile the brain.
//
// dist/warp-init-here, which npm links into PATH, is a script that picks a binary (launcher.sh), so that the package works
// without this. Nothing here may fail an installation: what cannot be done is left out.
import { spawnSync } from 'node:child_process';
import { copyFileSync, linkSync, renameSync, rmSync } from 'node:fs';
import { join, sep } from 'node:path';

const warmDeadlineMs = 20_000;

function install(directory: string, environment: NodeJS.ProcessEnv): void {
  // Only an installed package: in the repository there is nothing to replace.
  if (!directory.split(sep).includes('node_modules')) {
    return;
  }

  const binary = join(directory, `warp-init-${process.arch}`);
  // For the Node in PATH: the same that a start will find there. That it works is the proof that the binary runs here.
  const { status } = spawnSync(binary, ['warm'], {
    stdio: 'ignore',
    timeout: warmDeadlineMs,
    killSignal: 'SIGKILL',
  });
  if (status === 0 && linksFiles(environment) && isForThisMachine(environment)) {
    replace(join(directory, 'warp-init-here'), binary);
  }
}

/** Others write scripts into PATH that run the file with the interpreter that it named when it was unpacked. */
function linksFiles(environment: NodeJS.ProcessEnv): boolean {
  return environment['npm_config_user_agent']?.startsWith('npm/') ?? false;
}

/** `npm install --cpu=arm64` on x64: what runs here will not run there. */
function isForThisMachine(environment: NodeJS.ProcessEnv): boolean {
  return (environment['npm_config_cpu'] ?? process.arch) === process.arch;
}

/** By a rename: at no time is there no file, or half of one. */
function replace(launcher: string, binary: string): void {
  const next = `${launcher}.new`;
  rmSync(next, { force: true });
  try {
    linkSync(binary, next);
  } catch {
    copyFileSync(binary, next); // A file system without hard links.
  }

  renameSync(next, launcher);
  rmSync(next, { force: true }); // rename(2) leaves it where both are links to one file already.
}

try {
  install(import.meta.dirname, process.env);
} catch {
  // A read-only or foreign directory: the script picks the binary.
}
