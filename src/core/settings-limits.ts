// `init.limits`: what setrlimit(2) gives the app.
import type { CheckedInit } from './config-schema.ts';
import type { Parsed } from './suggest.ts';

export type ResourceLimit = {
  /** Its number for the kernel. */
  readonly resource: number;
  readonly name: string;
  /** {@link unlimited} for none. */
  readonly soft: bigint;
  readonly hard: bigint;
};

/** RLIM_INFINITY, as prlimit(2) takes it. */
export const unlimited = 2n ** 64n - 1n;

/** asm-generic/resource.h, which x86-64 and arm64 share. */
export const resourceNumbers = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const;

type ResourceName = keyof typeof resourceNumbers;

/** In the order of their numbers, whatever order they were written in. */
export function resolveLimits(limits: CheckedInit['limits'] = {}): readonly ResourceLimit[] {
  return Object.entries(resourceNumbers).flatMap(([name, resource]) => {
    const limit = isResourceName(name) ? limits[name] : undefined;

    if (limit === undefined) {
      return [];
    }

    const { soft, hard } = typeof limit === 'object' ? limit : { soft: limit, hard: limit };
    return [{ resource, name, soft: amountOf(soft), hard: amountOf(hard) }];
  });
}

/** A number of what the resource counts, or `unlimited`. */
export function parseLimit(value: string | number): Parsed<bigint> {
  if (value === 'unlimited') {
    return { ok: true, value: unlimited };
  }

  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? { ok: true, value: BigInt(value) }
    : { ok: false, expected: 'a whole number from 0 to 2^53 - 1, "unlimited" or {soft, hard}' };
}

/** The schema has let nothing else through. */
function amountOf(value: string | number): bigint {
  const limit = parseLimit(value);
  return limit.ok ? limit.value : unlimited;
}

function isResourceName(name: string): name is ResourceName {
  return Object.hasOwn(resourceNumbers, name);
}
