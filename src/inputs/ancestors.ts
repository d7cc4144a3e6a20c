// The processes above one, up to the first of the container. Source: proc(5).
import { readFileSync } from 'node:fs';

import type { Ancestor } from '../core/process-warnings.ts';
import { errnoOf } from '../errors.ts';

const mostAncestors = 64;

/** The parent first. Ends at PID 1, at one whose parent is outside of the container, or where /proc does not tell. */
export function readAncestors(pid: number): readonly Ancestor[] {
  const ancestors: Ancestor[] = [];
  let next = readStat(pid)?.parent;
  while (next !== undefined && next !== 0 && ancestors.length < mostAncestors) {
    const stat = readStat(next);
    if (stat !== undefined) {
      ancestors.push({ pid: next, name: stat.name });
    }

    next = stat?.parent;
  }

  return ancestors;
}

function readStat(pid: number): { readonly name: string; readonly parent: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name stands in parentheses, and may have some itself.
    const [, name = '', parent] = /^\d+ \((.*)\) \S (\d+) /s.exec(text) ?? [];
    return { name, parent: Number(parent ?? 0) };
  } catch (error) {
    if (errnoOf(error) === undefined) {
      throw error;
    }

    return undefined;
  }
}
