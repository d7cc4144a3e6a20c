// `warp-init` as a module: what init makes of names, services and a config, for tools and apps.
//
// A `warp.config.js` may import it, so what only some callers need is loaded when they ask for it. Documented in
// docs/api.md; src/build/api.ts builds it.
import { foldToAscii } from '../core/ascii-folding.ts';
import { type ServiceNames, encodeServiceName as encode } from '../core/ist-names.ts';
import type { WarpConfig, WarpConfigExport } from '../core/warp-config.ts';
import type { IstQuestion, ResolvedIst } from './resolve-ist.ts';

export type { IstDocument, IstDocumentAddress, IstDocumentService } from '../core/ist-document.ts';
export type { IstConflict } from '../core/ist.ts';
export type { ServiceNames } from '../core/ist-names.ts';
export type { Container, Instance } from '../core/snapshot.ts';
export type { Warning } from '../core/warning.ts';
export type {
  Duration,
  FileOwnerInput,
  InitConfig,
  IstEntryInput,
  LimitAmount,
  LimitValue,
  ReloadAction,
  ReloadConfig,
  ResourceName,
  SecretFileInput,
  VariableValue,
  WarpConfig,
  WarpConfigExport,
} from '../core/warp-config.ts';
export type { Remedy, StartError } from '../errors.ts';
export type { IstQuestion, ResolvedIst } from './resolve-ist.ts';

/** The config as it is: an editor then checks and completes it, also in plain JavaScript. */
export function defineConfig<T extends () => WarpConfig | Promise<WarpConfig>>(config: T): T;
export function defineConfig(config: WarpConfig): WarpConfig;
export function defineConfig(config: WarpConfigExport): WarpConfigExport {
  return config;
}

/**
 * The hostname and the variables that a service of this name has by default. Any text is a service name.
 *
 * Whether they reach a container is another question: two services can want one name, see {@link resolveIst}.
 */
export function encodeServiceName(service: string): ServiceNames {
  return encode(service, foldToAscii);
}

/**
 * The IST map that init would make at this moment: which names of which services lead to which addresses, for one container. As
 * in `ist.json`, and in addition the conflicts and warnings. Asks nobody: `snapshot` is what is known.
 *
 * @throws {StartError} `E_CONFIG`: the config has problems; all of them are named.
 */
export async function resolveIst(question: IstQuestion): Promise<ResolvedIst> {
  const { resolve } = await import('./resolve-ist.ts');
  return resolve(question);
}
