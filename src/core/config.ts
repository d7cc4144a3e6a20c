// warp.config.js after validation: every default applied, every shorthand spelled out.
import type { Settings } from './settings.ts';

export type Config = {
  /** The command, where none is given after `--`. */
  readonly args: readonly string[] | undefined;
  /** `deployment.variables` over `variables`. */
  readonly variables: readonly VariableRule[];
  /** `deployment.port`. */
  readonly port: number | undefined;
  readonly ist: readonly IstEntry[];
  readonly settings: Settings;
};

export type VariableRule =
  | { readonly name: string; readonly kind: 'literal'; readonly value: string }
  | { readonly name: string; readonly kind: 'local' | 'empty' | 'undef' };

export type IstEntry = {
  readonly service: string;
  readonly variables: readonly string[];
  readonly hostnames: readonly string[];
};
