// Inputs to resolved: references replaced by values, names by addresses. Pure: what it does not get it does not know.
import type { Config } from './config.ts';
import {
  type ResolvedSecrets,
  type UserVariables,
  type Variable,
  type WrittenLayers,
  buildEnvironment,
} from './environment.ts';
import { identityVariables } from './identity.ts';
import { type IstMap, resolveIst } from './ist.ts';
import { defaultLimits, fitEnvironment, limitsOfStack } from './kernel-limits.ts';
import type { OwnInstance } from './own-instance.ts';
import type { Snapshot } from './snapshot.ts';
import type { Warning } from './warning.ts';

export type Inputs = {
  readonly config: Config;
  /** Undefined in standalone mode. */
  readonly platform: Platform | undefined;
  readonly written: WrittenLayers;
  /** Of `--user`. */
  readonly user: UserVariables | undefined;
  /** Undefined leaves `warp-secret:` references as they are written: `debug` fetches no secret. */
  readonly secrets: ResolvedSecrets | undefined;
  /** The command, for the kernel's limit on all of it. */
  readonly argv: readonly string[];
  /** Soft limit; undefined where it is not known. */
  readonly stackBytes: number | undefined;
  /** Container id to the instance chosen the last time: a choice stays while it is good. */
  readonly chosen?: ReadonlyMap<string, string>;
};

export type Platform = { readonly snapshot: Snapshot; readonly self: OwnInstance };

export type Resolved = {
  readonly ist: IstMap;
  readonly variables: readonly Variable[];
  readonly warnings: readonly Warning[];
};

const emptyMap: IstMap = { services: [], conflicts: [], warnings: [] };

/** @throws {StartError} if the environment is larger than the kernel takes. */
export async function resolveInputs(inputs: Inputs): Promise<Resolved> {
  const { config, platform, written, user, secrets, argv, stackBytes, chosen } = inputs;
  const ist =
    platform === undefined
      ? emptyMap
      : await resolveIst({
          snapshot: platform.snapshot,
          entries: config.ist,
          settings: config.settings.ist,
          selfId: platform.self.selfId,
          ...(chosen !== undefined && { previous: chosen }),
        });
  const environment = buildEnvironment({
    ...written,
    identity: identityVariables({ snapshot: platform?.snapshot, port: config.port }),
    user,
    ist,
    secrets,
    hideToken: config.settings.hideToken,
  });
  const fitted = fitEnvironment(
    { argv, variables: environment.variables },
    stackBytes === undefined ? defaultLimits : limitsOfStack(stackBytes),
  );
  return {
    ist,
    variables: fitted.variables,
    warnings: [
      ...(platform?.self.warnings ?? []),
      ...ist.warnings,
      ...environment.warnings,
      ...fitted.warnings,
    ],
  };
}
