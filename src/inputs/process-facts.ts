// What /proc says of this process, and of the one that is PID 1 here. Source: proc(5).
import { readFileSync } from 'node:fs';

import type { IdRange, ProcessFacts } from '../core/check-process.ts';
import { errnoOf } from '../errors.ts';

export function readProcessFacts(): ProcessFacts {
  const status = read('/proc/self/status') ?? '';
  return {
    pid: process.pid,
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    groups: process.getgroups?.() ?? [],
    capabilities: parseSet(fieldOf(status, 'CapEff')),
    uidMap: parseIdMap(read('/proc/self/uid_map')),
    gidMap: parseIdMap(read('/proc/self/gid_map')),
    // Kernels before 3.19 do not have the file.
    maySetGroups: read('/proc/self/setgroups')?.trim() !== 'deny',
    hardLimits: parseHardLimits(read('/proc/self/limits') ?? ''),
    mostOpenFiles: parseCount(read('/proc/sys/fs/nr_open') ?? ''),
  };
}

/** The effective ones; empty where /proc does not tell. */
export function readCapabilities(pid: number | 'self'): ReadonlySet<number> {
  return parseSet(fieldOf(read(`/proc/${pid}/status`) ?? '', 'CapEff'));
}

/** Of PID 1; undefined where /proc does not tell. */
export function readNameOfPid1(): string | undefined {
  return read('/proc/1/comm')?.trimEnd();
}

/** Its command line, the program first; empty where /proc does not tell. */
export function readWordsOfPid1(): readonly string[] {
  return read('/proc/1/cmdline')?.split('\0').slice(0, -1) ?? [];
}

/** Of /proc/self/status, as text. */
export function readStatusFields(names: readonly string[]): Readonly<Record<string, string>> {
  const status = read('/proc/self/status') ?? '';
  return Object.fromEntries(names.map((name) => [name, fieldOf(status, name)]));
}

function fieldOf(status: string, name: string): string {
  const line = status.split('\n').find((text) => text.startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim() ?? '';
}

function parseSet(hex: string): ReadonlySet<number> {
  const bits = /^[0-9a-f]+$/.test(hex) ? BigInt(`0x${hex}`) : 0n;
  return new Set(
    Array.from({ length: 64 }, (_, number) => number).filter(
      (number) => ((bits >> BigInt(number)) & 1n) === 1n,
    ),
  );
}

const everyId: readonly IdRange[] = [{ first: 0, count: 4_294_967_295 }];

/** Lines of `first, first outside, count`. A kernel without user namespaces has no file. */
function parseIdMap(text: string | undefined): readonly IdRange[] {
  return text === undefined
    ? everyId
    : text.split('\n').flatMap((line) => {
        const [first, , count] = line.trim().split(/\s+/).map(Number);
        return first === undefined || count === undefined ? [] : [{ first, count }];
      });
}

/** fs/proc/base.c writes a line for each resource, in the order of their numbers. */
function parseHardLimits(text: string): ReadonlyMap<number, bigint> {
  const lines = text.split('\n').slice(1);
  return new Map(
    lines.flatMap((line, resource): [number, bigint][] => {
      const hard = /^Max .+?\s{2,}(?:\d+|unlimited)\s+(\d+|unlimited)/.exec(line)?.[1];
      return hard === undefined
        ? []
        : [[resource, hard === 'unlimited' ? unlimited : BigInt(hard)]];
    }),
  );
}

function parseCount(text: string): bigint | undefined {
  return /^\d+\n?$/.test(text) ? BigInt(text.trim()) : undefined;
}

/** RLIM_INFINITY, as init.limits has it. */
const unlimited = 2n ** 64n - 1n;

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === undefined) {
      throw error;
    }

    return undefined;
  }
}
