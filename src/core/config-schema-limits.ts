// The schema of `init.limits`.
import * as v from 'valibot';
import { closed, parsedNumber } from './config-schema-parts.ts';
import { parseLimit } from './settings-limits.ts';

export function resourceLimits() {
  return closed({
    as: v.optional(limit()),
    core: v.optional(limit()),
    cpu: v.optional(limit()),
    data: v.optional(limit()),
    fsize: v.optional(limit()),
    locks: v.optional(limit()),
    memlock: v.optional(limit()),
    msgqueue: v.optional(limit()),
    nice: v.optional(limit()),
    nofile: v.optional(limit()),
    nproc: v.optional(limit()),
    rss: v.optional(limit()),
    rtprio: v.optional(limit()),
    rttime: v.optional(limit()),
    sigpending: v.optional(limit()),
    stack: v.optional(limit()),
  });
}

function limit() {
  const amount = parsedNumber(parseLimit);
  const both = v.pipe(
    closed({ soft: amount, hard: amount }),
    v.check(
      ({ soft, hard }) => isAtMost(soft, hard),
      'a soft limit that is at most the hard limit',
    ),
  );
  return v.lazy((input) => (typeof input === 'object' && input !== null ? both : amount));
}

/** Where one of them is no amount at all, that is the problem, and not their order. */
function isAtMost(soft: string | number, hard: string | number): boolean {
  const [low, high] = [parseLimit(soft), parseLimit(hard)];
  return !low.ok || !high.ok || low.value <= high.value;
}
