// A report made the way `debug` and `run --debug` make it, from a config and a platform in memory.
import { type CertificatesStep, chooseCertificates } from '../../src/core/certificate-files.ts';
import { parseConfig, type VariableRule } from '../../src/core/config.ts';
import { buildReport, type DebugReport } from '../../src/core/debug-report.ts';
import type { ProgramLookup } from '../../src/core/debug-start.ts';
import { envFileMode, planEnvFile } from '../../src/core/env-file.ts';
import type { DotenvLayer } from '../../src/core/environment.ts';
import { planIstFile } from '../../src/core/ist-document.ts';
import { resolveInputs } from '../../src/core/resolve.ts';
import { Secret } from '../../src/core/secret.ts';
import { type OwnedSecretFile, planSecretFiles } from '../../src/core/secret-files.ts';
import { findWantedSecrets, resolveSecrets } from '../../src/core/secret-references.ts';
import { type Settings, resolveSettings } from '../../src/core/settings.ts';
import type { Container, Instance, Snapshot } from '../../src/core/snapshot.ts';
import type { StateDirectory } from '../../src/core/state-directory.ts';

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
  /** @default none that can be used */
  readonly state?: StateDirectory;
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
  const { init } = parsed.config;
  const settings = resolveSettings({ commandLine: {}, environment: {}, init });
  const config = { ...parsed.config, settings };
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
  const state = world.state ?? { kind: 'none', tried: [] };
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
    secretFiles: planSecretFiles(ownSecretFiles(settings.secrets.files), undefined),
    certificates: ownCertificates(settings, snapshot),
    istFile: planIstFile(resolved.ist, { state, settings, uid: 0, gid: 0 }),
    envFile:
      settings.envFile === undefined
        ? undefined
        : planEnvFile({
            envFile: settings.envFile,
            state,
            variables: resolved.variables,
            wanted,
            owner: { mode: envFileMode, uid: 1000, gid: 1000 },
            mediumOf: (path) => (path.startsWith('/dev/shm/') ? 'memory' : 'disk'),
          }),
    program: world.program ?? { kind: 'found', file: '/bin/true' },
    warnings: resolved.warnings,
  });
}

function ownCertificates(
  { certificates: files }: Settings,
  snapshot: Snapshot | null,
): CertificatesStep | undefined {
  const { certificates } = chooseCertificates(snapshot?.certificates ?? []);
  return files === undefined
    ? undefined
    : {
        kind: 'write-certificates',
        path: files.directory,
        owner: { mode: files.mode, uid: 1000, gid: 1000 },
        certificates,
      };
}

function ownSecretFiles(files: Settings['secrets']['files']): readonly OwnedSecretFile[] {
  return files.map((file) => ({ file, owner: { mode: file.mode, uid: 1000, gid: 1000 } }));
}
