// `init.envFile`: the whole environment of the app as a dotenv file, for a program that reads it again while it runs.
//
// dotenv's own parser reads each line back exactly. What its grammar cannot hold becomes a comment, with a warning.
// Secrets never get onto a disk this way: with one in it, the file must be in memory.
import { StartError, exitStatus } from '../errors.ts';
import { inertWord } from './debug-text.ts';
import { formatDotenvLine } from './dotenv-line.ts';
import type { Variable } from './environment.ts';
import type { Ownership } from './ownership.ts';
import type { WantedSecrets } from './secret-references.ts';
import { Secret } from './secret.ts';
import { type StateDirectory, describeTried } from './state-directory.ts';
import type { Warning } from './warning.ts';

/** A step of the plan. */
export type EnvFileStep = {
  readonly kind: 'write-env-file';
  readonly path: string;
  readonly owner: Ownership;
  readonly variables: readonly Variable[];
  /** Why it must not, or cannot, be written there. */
  readonly refusal: StartError | undefined;
};

export type EnvFileInput = {
  /** `init.envFile`. */
  readonly envFile: true | string;
  readonly state: StateDirectory;
  readonly variables: readonly Variable[];
  /** Secrets that are not among the variables yet: `debug` fetches none. */
  readonly wanted: WantedSecrets;
  readonly owner: Ownership;
  /** Of the file system at a path: `memory` is tmpfs or ramfs. */
  readonly mediumOf: (path: string) => 'memory' | 'disk';
};

export const envFileMode = 0o600;

export function planEnvFile(input: EnvFileInput): EnvFileStep {
  const { envFile, state, variables, wanted, owner, mediumOf } = input;
  const step = { kind: 'write-env-file', owner, variables } as const;
  if (envFile === true && state.kind === 'none') {
    return { ...step, path: 'env', refusal: noPlace(state) };
  }

  const path = envFile === true && state.kind === 'usable' ? `${state.path}/env` : String(envFile);
  const mustHide = holdsSecrets(variables) || wantsVariables(wanted);
  const refusal = mustHide && mediumOf(path) === 'disk' ? onDisk(path) : undefined;
  return { ...step, path, refusal };
}

/** Holds secrets as they are: for the file and nothing else. */
export function formatEnvFile(variables: readonly Variable[]): string {
  const lines: string[] = [];
  const comments: string[] = [];
  for (const variable of variables) {
    const line = lineOf(variable);
    if (line === undefined) {
      comments.push(`# ${inertWord(variable.name)} cannot be held by a dotenv file`);
    } else {
      lines.push(line);
    }
  }

  return [header, ...lines, ...comments, ''].join('\n');
}

const header = '# The environment of the app, written by warp-init: changes are lost.';

/** Names of services are not the operator's to choose, and each has a shell name too: they are left out in silence. */
export function envFileWarnings(variables: readonly Variable[]): readonly Warning[] {
  const leftOut = variables.filter(
    (variable) => variable.origin !== 'ist' && lineOf(variable) === undefined,
  );
  if (leftOut.length === 0) {
    return [];
  }

  // The names in a secret that is a dotenv document are a part of it.
  const named = leftOut.filter(({ origin }) => origin !== 'secret').map(({ name }) => name);
  const secrets = leftOut.length - named.length;
  const subject = [
    ...named.map(inertWord),
    ...(secrets === 0 ? [] : [secrets === 1 ? 'one secret' : `${secrets} secrets`]),
  ];
  return [
    {
      code: 'W_ENV_FILE_LEFT_OUT',
      message: `The env file leaves out ${subject.join(', ')}: the dotenv format cannot hold such a name or value`,
      where: 'init.envFile',
      fix: 'Let the app read these from its environment, or give them other names and values, for example base64.',
    },
  ];
}

function holdsSecrets(variables: readonly Variable[]): boolean {
  return variables.some(({ value }) => value instanceof Secret);
}

function wantsVariables({ secrets, isAll }: WantedSecrets): boolean {
  return isAll || secrets.some(({ kind }) => kind !== 'file');
}

function noPlace(state: Extract<StateDirectory, { kind: 'none' }>): StartError {
  return new StartError(
    'E_ENV_FILE_PLACE',
    `Cannot write the env file: there is no state directory that can be used: ${describeTried(state)}`,
    {
      exitCode: exitStatus.cannotWrite,
      remedy: {
        where: 'init.envFile',
        fix: 'Set init.envFile to a path that init can write, for example "/dev/shm/app.env".',
      },
    },
  );
}

function onDisk(path: string): StartError {
  return new StartError(
    'E_ENV_FILE_DISK',
    `Cannot write the env file ${path}: secrets are in it, and its file system is not in memory (tmpfs)`,
    {
      exitCode: exitStatus.config,
      remedy: {
        where: 'init.envFile',
        fix: 'Set init.envFile to a path in /dev/shm, for example "/dev/shm/app.env", or mount a tmpfs there.',
      },
    },
  );
}

function lineOf({ name, value }: Variable): string | undefined {
  return formatDotenvLine(name, value instanceof Secret ? value.reveal() : value);
}
