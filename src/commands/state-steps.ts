// The steps for the state directory: `ist.json`, and the env file where one is wanted.
import type { EnvFileStep } from '../core/env-file.ts';
import { type IstFileStep, planIstFile } from '../core/ist-document.ts';
import { type StateDirectory, describeTried } from '../core/state-directory.ts';
import type { Warning } from '../core/warning.ts';
import type { Prepared } from './prepare.ts';

export type StateSteps = {
  /** Where the control socket belongs, too. */
  readonly state: StateDirectory;
  /** Undefined where there is no state directory. */
  readonly istFile: IstFileStep | undefined;
  readonly envFile: EnvFileStep | undefined;
  readonly warnings: readonly Warning[];
};

/** Never rejects: what is wrong with the env file stands in its step. */
export async function planStateSteps(
  prepared: Prepared,
  state: StateDirectory,
): Promise<StateSteps> {
  const { resolved, config } = prepared;
  const { settings } = config;
  const envFile = await planEnvFile(prepared, state);
  return {
    state,
    istFile: planIstFile(resolved.ist, { state, settings, ...ownIds() }),
    envFile: envFile?.step,
    warnings: [
      ...(state.kind === 'none' ? [noStateDirectory(state)] : []),
      ...(envFile?.warnings ?? []),
    ],
  };
}

/** Of init, whose state directory it is. */
export function ownIds(): { readonly uid: number; readonly gid: number } {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

async function planEnvFile(
  { config, resolved, wanted, account }: Prepared,
  state: StateDirectory,
): Promise<{ step: EnvFileStep; warnings: readonly Warning[] } | undefined> {
  const { envFile } = config.settings;
  if (envFile === undefined) {
    return undefined;
  }

  const [core, { readMedium }] = await Promise.all([
    import('../core/env-file.ts'),
    import('../inputs/file-system.ts'),
  ]);
  const { variables } = resolved;
  const { uid, gid } = account ?? ownIds();
  const step = core.planEnvFile({
    envFile,
    state,
    variables,
    wanted,
    owner: { mode: core.envFileMode, uid, gid },
    mediumOf: readMedium,
  });
  return { step, warnings: core.envFileWarnings(variables) };
}

function noStateDirectory(state: Extract<StateDirectory, { kind: 'none' }>): Warning {
  return {
    code: 'W_STATE_DIRECTORY',
    message: `No state directory can be used: ${describeTried(state)}. There is no ist.json, and the commands status, reload and health do not find this init; all else works`,
    where: 'init.stateDirectory',
    fix: 'Set init.stateDirectory to a directory that init can write, or mount a tmpfs there that is its own (`--tmpfs /run/warp-init:mode=0700`; for a user podman adds U, Docker uid=1000).',
  };
}
