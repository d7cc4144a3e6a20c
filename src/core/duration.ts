// Lengths of time as people write them: a number and its unit, `500ms`, `10s`, `2m`.
import type { Parsed } from './suggest.ts';

const pattern = /^(\d{1,10}(?:\.\d{1,3})?)(ms|s|m)$/;

const unitsMs = { ms: 1, s: 1000, m: 60_000 } as const;

/** Node's timers have 31 bits, and one that is set to more fires at once: 24.8 days. pid1 has 32. */
const limitMs = 2 ** 31 - 1;

/** @returns Whole milliseconds from 0 to 2^31 - 1, or undefined where `text` is not such a duration. */
export function parseDurationMs(text: string): number | undefined {
  const [, amount, unit] = pattern.exec(text) ?? [];

  if (amount === undefined || !isUnit(unit)) {
    return undefined;
  }

  // Three decimals at most: in thousandths of its unit every amount is a whole number, exactly.
  const durationMs = (Math.round(Number(amount) * 1000) * unitsMs[unit]) / 1000;
  return Number.isInteger(durationMs) && durationMs <= limitMs ? durationMs : undefined;
}

/** {@link parseDurationMs} with words for what was expected. */
export function parseDuration(text: string): Parsed<number> {
  const value = parseDurationMs(text);
  return value === undefined
    ? { ok: false, expected: 'a duration of at most 24 days, such as "500ms", "10s" or "2m"' }
    : { ok: true, value };
}

function isUnit(unit: string | undefined): unit is keyof typeof unitsMs {
  return unit !== undefined && Object.hasOwn(unitsMs, unit);
}
