// What the control socket says, checked: the init that answers may be of another version than the command that asks.
import * as v from 'valibot';

import { type ReloadReport, reloadOutcomes } from '../core/reload-report.ts';
import type { Status } from '../core/status.ts';

/** Undefined for what is no status of version 1. */
export function parseStatus(text: string): Status | undefined {
  return parse(text, statusSchema());
}

/** Undefined for what is no report. */
export function parseReport(text: string): ReloadReport | undefined {
  return parse(text, reportSchema());
}

/** The identifiers; undefined for what is no such list of version 1. */
export function parseHeldSecrets(text: string): readonly string[] | undefined {
  return parse(text, v.object({ version: v.literal(1), identifiers: v.array(v.string()) }))
    ?.identifiers;
}

function parse<T>(text: string, schema: v.GenericSchema<unknown, T>): T | undefined {
  try {
    const { success, output } = v.safeParse(schema, JSON.parse(text));
    return success ? output : undefined;
  } catch {
    return undefined; // No JSON.
  }
}

function statusSchema() {
  const number = v.number();
  return v.object({
    version: v.literal(1),
    init: v.object({
      version: v.string(),
      isPid1: v.boolean(),
      uptimeMs: number,
      brainStarts: maybe(number),
    }),
    app: v.object({
      pid: maybe(number),
      starts: number,
      uptimeMs: maybe(number),
      isRestarting: v.boolean(),
    }),
    pipeline: v.object({
      isNeeded: v.boolean(),
      isConnected: v.boolean(),
      connects: number,
      lastConnectedMs: maybe(number),
      eventsSeen: number,
      eventsIgnored: v.record(v.string(), number),
    }),
    reload: v.object({
      phase: v.string(),
      last: maybe(v.object({ outcome: outcome(), agoMs: number, changed: changed() })),
      lastSuccessMs: maybe(number),
      byOutcome: v.record(v.string(), number),
      held: maybe(v.picklist(['signal', 'restart'])),
      restartInMs: perhaps(number),
    }),
    pid1: maybe(v.object({ orphansReaped: number, signalsForwarded: number })),
  });
}

function reportSchema() {
  return v.object({
    outcome: outcome(),
    changed: changed(),
    problem: maybe(v.string()),
    restartInMs: perhaps(v.number()),
  });
}

function outcome() {
  return v.picklist(reloadOutcomes);
}

function changed() {
  const names = v.array(v.string());
  return v.object({ ist: names, secrets: names, certificates: names, config: names });
}

/** `null` stands for undefined; the key is always there. */
function maybe<Input, Output>(schema: v.GenericSchema<Input, Output>) {
  return v.pipe(
    v.nullable(schema),
    v.transform((value) => value ?? undefined),
  );
}

/** As `maybe`, of a key that an older init does not know. */
function perhaps<Input, Output>(schema: v.GenericSchema<Input, Output>) {
  return v.pipe(
    v.optional(v.nullable(schema), null),
    v.transform((value) => value ?? undefined),
  );
}
