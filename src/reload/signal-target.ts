// Which process gets a signal of ours: one that catches it, and never a group, whose workers may have reset it.
//
// SigCgt of /proc/PID/status, see proc(5). It can only veto a signal: a process that catches one may still end by it, as
// the runtimes of Go and Java do with HUP. And Node catches USR1 for its inspector, so behind `npm start` another is better.
import { readFileSync, readdirSync } from 'node:fs';

import { errnoOf } from '../errors.ts';

/**
 * The app if it catches the signal, else the nearest of its descendants that does, as long as each generation is an only
 * child: `npm start` and `sh -c` wrap one program. Where there are several children nobody can tell which one is meant.
 *
 * @returns Undefined: none catches it, or not yet.
 */
export function findSignalTarget(
  appPid: number,
  signal: number,
  procRoot = '/proc',
): number | undefined {
  let pid: number | undefined = appPid;
  for (let depth = 0; depth < longestChain && pid !== undefined; depth += 1) {
    if (catches(readStatus(procRoot, pid), signal)) {
      return pid;
    }

    pid = onlyChildOf(procRoot, pid);
  }

  return undefined;
}

/** A process and its parent may change while we look; a chain of this length is none. */
const longestChain = 32;

function catches(status: string | undefined, signal: number): boolean {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status ?? '')?.[1];
  return mask !== undefined && ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

function onlyChildOf(procRoot: string, pid: number): number | undefined {
  const children = childrenOf(procRoot, pid).filter((child) => {
    const status = readStatus(procRoot, child);
    return status !== undefined && !/^State:\s*[ZX]/m.test(status);
  });
  return children.length === 1 ? children[0] : undefined;
}

/** Of all threads: a child belongs to the one that forked it. */
function childrenOf(procRoot: string, pid: number): readonly number[] {
  const threads = listNumbers(`${procRoot}/${pid}/task`);
  const lists = threads.map((thread) => read(`${procRoot}/${pid}/task/${thread}/children`));
  return lists.every((list) => list === undefined)
    ? childrenByParent(procRoot, pid)
    : lists.flatMap((list) => list?.match(/\d+/g) ?? []).map(Number);
}

/** For kernels without CONFIG_PROC_CHILDREN. */
function childrenByParent(procRoot: string, parent: number): readonly number[] {
  return listNumbers(procRoot).filter((pid) => {
    const ppid = /^PPid:\s*(\d+)$/m.exec(readStatus(procRoot, pid) ?? '')?.[1];
    return Number(ppid) === parent;
  });
}

function readStatus(procRoot: string, pid: number): string | undefined {
  return read(`${procRoot}/${pid}/status`);
}

/** Undefined for what has ended meanwhile. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return ignoreErrno(error);
  }
}

function listNumbers(path: string): readonly number[] {
  try {
    return readdirSync(path)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch (error) {
    return ignoreErrno(error) ?? [];
  }
}

function ignoreErrno(error: unknown): undefined {
  if (errnoOf(error) === undefined) {
    throw error;
  }
}
