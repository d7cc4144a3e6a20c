// A report made the way `debug` and `run --debug` make it, from a config and a platform in memory.
import { parseConfig, type VariableRule } from '../../src/core/config.ts';
import { buildReport, type DebugReport } from '../../src/core/debug-report.ts';
import type { ProgramLookup } from '../../src/core/debug-start.ts';
import type { DotenvLayer } from '../../src/core/environment.ts';
import { resolveInputs } from '../../src/core/resolve.ts';
import { Secret } from '../../src/core/secret.ts';
import { findWantedSecrets, resolveSecrets } from '../../src/core/secret-references.ts';
import { resolveSettings } from '../../src/core/settings.ts';
import type { Container, Instance, Snapshot } from '../../src/core/snapshot.ts';

export type World = {
  readonly config?: object;
  /** After those of the config. */
  readonly rules?: readonly VariableRule[];
  readonly inherited?: Readonly<Record<string, string>>;
  readonly dotenv?: readonly DotenvLayer[];
  /** `null`: standalone. */
  readonly snapshot?: Snapshot | null;
  /** As the platform serves them to `run`; absent for `debug`. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly argv?: readonly string[];
  readonly program?: ProgramLookup;
  readonly nsswitch?: string;
};

export function instanceOf(containerId: string, change: Partial<Instance> = {}): Instance {
  return {
    id: `i-${containerId}`,
    containerId,
    serverId: 'server-1',
    hostname: 'host',
    readyState: 'active',
    state: 'running',
    isHealthy: true,
    isReady: true,
    isDraining: false,
    ipv4: '10.0.0.1',
    ...change,
  };
}

export function snapshotOf(names: readonly string[], change: Partial<Snapshot> = {}): Snapshot {
  const containers: Container[] = names.map((name, index) => ({
    id: `c${index}`,
    name,
    identifier: 'any',
  }));
  const self = { id: 'c-self', name: 'web', identifier: 'web', state: 'running' };
  return {
    self,
    containers: [self, ...containers],
    instances: [instanceOf('c-self'), ...containers.map(({ id }) => instanceOf(id))],
    hub: { id: 'h1', name: 'acme' },
    environment: { id: 'e1', name: 'shop' },
    server: { id: 's1', hostname: 'laptop-1' },
    certificates: [],
    ...change,
  };
}

export async function reportOf(world: World): Promise<DebugReport> {
  const parsed = parseConfig(world.config ?? {});
  if (!parsed.ok) throw new TypeError(JSON.stringify(parsed.problems));
  const { init, ...rest } = parsed.config;
  const settings = resolveSettings({ commandLine: {}, environment: {}, init });
  const config = { ...rest, settings };
  const snapshot = world.snapshot === undefined ? snapshotOf([]) : world.snapshot;
  const instance = snapshot?.instances.find(({ containerId }) => containerId === snapshot.self.id);
  const self = { selfId: instance?.id ?? '', instance, warnings: [] };
  const platform = snapshot === null ? undefined : { snapshot, self };
  const written = {
    inherited: new Map(Object.entries(world.inherited ?? {})),
    dotenv: world.dotenv ?? [],
    rules: [...config.variables, ...(world.rules ?? [])],
  };
  const wanted = findWantedSecrets(written, settings.secrets);
  const fetched = Object.entries(world.secrets ?? {}).map(([name, text]): [string, Secret] => [
    name,
    new Secret(text),
  ]);
  const secrets =
    world.secrets === undefined
      ? undefined
      : resolveSecrets(wanted, new Map(fetched), {
          allowEmpty: new Set(),
          parseDotenv: (text) => new Map([[text, text]]),
        });
  const argv = world.argv ?? ['true'];
  const resolved = await resolveInputs({
    config,
    platform,
    written,
    user: undefined,
    secrets,
    argv,
    stackBytes: undefined,
  });
  return buildReport({
    config,
    platform,
    written,
    wanted,
    account: undefined,
    argv,
    resolved,
    nsswitch: {
      path: '/etc/nsswitch.conf',
      text: world.nsswitch ?? 'hosts: files dns\n',
      libc: 'glibc',
    },
    program: world.program ?? { kind: 'found', file: '/bin/true' },
    warnings: resolved.warnings,
  });
}
