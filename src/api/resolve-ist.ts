// The IST map for callers from outside: a config as it is written in, and out what `ist.json` has.
import { type ParsedConfig, configError, parseConfig } from '../core/config.ts';
import { type IstDocument, formatIstDocument } from '../core/ist-document.ts';
import { type IstConflict, resolveIst } from '../core/ist.ts';
import { resolveSettings } from '../core/settings.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Warning } from '../core/warning.ts';
import type { WarpConfigExport } from '../core/warp-config.ts';

export type IstQuestion = {
  /** Who asks, and what there is: `createClient().snapshot()` of `warp-init/client` has it all. */
  readonly snapshot: Pick<Snapshot, 'self' | 'containers' | 'instances'>;
  /** As in `warp.config.js`; `ist`, `init.ist` and `init.hosts.addresses` of it count. @default {} */
  readonly config?: WarpConfigExport | undefined;
  /**
   * `CYCLE_INSTANCE_ID` of the instance that asks: of several good instances each caller chooses its own.
   * @default the id of `snapshot.self`, with which all instances of a container choose alike
   */
  readonly instanceId?: string | undefined;
  /** Container id to the id of the instance chosen the last time: a choice stays while it is good. */
  readonly previous?: ReadonlyMap<string, string> | undefined;
};

export type ResolvedIst = IstDocument & {
  /** Every contested name; only those that the config does not settle are warnings, too. */
  readonly conflicts: readonly IstConflict[];
  readonly warnings: readonly Warning[];
};

/** @throws {StartError} E_CONFIG */
export async function resolve(question: IstQuestion): Promise<ResolvedIst> {
  const { snapshot, config = {}, instanceId, previous } = question;
  const parsed = normalize(typeof config === 'function' ? await config() : config);
  const settings = resolveSettings({ commandLine: {}, environment: {}, init: parsed.init });
  const map = await resolveIst({
    snapshot,
    entries: parsed.ist,
    settings: settings.ist,
    selfId: instanceId === undefined || instanceId === '' ? snapshot.self.id : instanceId,
    ...(previous !== undefined && { previous }),
  });

  return {
    ...readDocument(formatIstDocument(map, settings.hosts.addresses)),
    conflicts: map.conflicts,
    warnings: map.warnings,
  };
}

function normalize(value: unknown): ParsedConfig {
  const result = parseConfig(value);
  if (!result.ok) {
    throw configError('the config', result.problems);
  }

  return result.config;
}

function readDocument(text: string): IstDocument {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- formatIstDocument has just written it.
  return JSON.parse(text) as IstDocument;
}
