// The start as `debug` shows it: what is done before it, what is started as whom, and what would stop it.
//
// Part of the shape that docs/debug-json.md documents: see core/debug-report.ts for its rules.
import { StartError, exitStatus } from '../errors.ts';
import {
  type ChosenCertificate,
  certificatePaths,
  refuseCertificates,
} from './certificate-files.ts';
import type { Config } from './config.ts';
import { withoutToken } from './debug-variables.ts';
import type { WrittenLayers } from './environment.ts';
import type { Ownership } from './ownership.ts';
import type { Ids, PlanStep } from './plan.ts';
import type { Platform } from './resolve.ts';
import type { SecretFileStep } from './secret-files.ts';
import { type WantedSecrets, refuseWithoutPlatform } from './secret-references.ts';
import type { Settings } from './settings.ts';

export type DebugStep =
  | {
      readonly kind: 'nsswitch';
      readonly path: string;
      readonly action: 'leave' | 'warn' | 'fix' | 'fail';
    }
  | {
      readonly kind: 'write-hosts';
      readonly path: string;
      readonly onError: Settings['hosts']['onError'];
      readonly entries: readonly { readonly address: string; readonly names: readonly string[] }[];
    }
  | (DebugOwner & {
      readonly kind: SecretFileStep['kind'];
      readonly path: string;
      /** The secret's. */
      readonly identifier: string;
    })
  | (DebugOwner & {
      readonly kind: 'write-certificates';
      /** The directory. */
      readonly path: string;
      readonly certificates: readonly DebugCertificateFiles[];
    })
  | (DebugOwner & { readonly kind: 'write-env-file' | 'write-ist'; readonly path: string });

export type DebugOwner = {
  /** Octal, `0400`; of a directory that of its files. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
};

export type DebugCertificateFiles = {
  readonly certificateId: string;
  readonly domains: readonly string[];
  readonly fullchain: string;
  readonly privkey: string;
};

export type DebugStart = {
  /** Empty where there is none. */
  readonly command: readonly string[];
  /** The file that its first word is; `null` unless it was found. */
  readonly program: string | null;
  /** `not-looked-up`: there is no command, or PATH is a secret. */
  readonly lookup: ProgramLookup['kind'];
  /** `null`: as init itself. */
  readonly user: {
    /** As the operator wrote it. */
    readonly spec: string;
    readonly name: string | null;
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly number[];
    readonly home: string;
  } | null;
};

/** An error that `run` would end with. */
export type DebugProblem = {
  readonly code: string;
  readonly message: string;
  readonly where: string;
  readonly fix: string;
  readonly exitStatus: number;
};

export type StartInput = {
  readonly config: Config;
  readonly platform: Platform | undefined;
  readonly written: WrittenLayers;
  readonly wanted: WantedSecrets;
  readonly account:
    | (Ids & { readonly name: string | undefined; readonly home: string })
    | undefined;
  readonly argv: readonly string[];
  readonly program: ProgramLookup;
};

export type ProgramLookup =
  | { readonly kind: 'found'; readonly file: string }
  /** No command, or a PATH that is a secret. */
  | { readonly kind: 'not-looked-up' }
  | { readonly kind: 'failed'; readonly error: StartError };

export function describeStep(step: PlanStep): DebugStep {
  switch (step.kind) {
    case 'nsswitch':
      return { kind: step.kind, path: step.path, action: step.decision.kind };
    case 'write-hosts': {
      const entries = step.entries.map(({ address, names }) => ({ address, names }));
      return { kind: step.kind, path: step.path, onError: step.onError, entries };
    }
    case 'write-secret':
    case 'unpack-secret': {
      const { kind, path, identifier, owner } = step;
      return { kind, path, identifier, ...describeOwner(owner) };
    }
    case 'write-certificates': {
      const { kind, path, owner, certificates } = step;
      const files = certificates.map((certificate) => describeFiles(path, certificate));
      return { kind, path, ...describeOwner(owner), certificates: files };
    }
    case 'write-env-file':
    case 'write-ist':
      return { kind: step.kind, path: step.path, ...describeOwner(step.owner) };
  }
}

function describeFiles(
  directory: string,
  { id, domains, name }: ChosenCertificate,
): DebugCertificateFiles {
  const [fullchain, privkey] = certificatePaths(name);
  return {
    certificateId: id,
    domains,
    fullchain: `${directory}/${fullchain}`,
    privkey: `${directory}/${privkey}`,
  };
}

function describeOwner({ mode, uid, gid }: Ownership): DebugOwner {
  return { mode: mode.toString(8).padStart(4, '0'), uid, gid };
}

export function describeStart({ argv, program, account, config, written }: StartInput): DebugStart {
  return {
    command: argv.map((word) => withoutToken(word, written.inherited)),
    program: program.kind === 'found' ? program.file : null,
    lookup: program.kind,
    user:
      account === undefined
        ? null
        : {
            spec: config.settings.user ?? '',
            name: account.name ?? null,
            uid: account.uid,
            gid: account.gid,
            groups: account.groups,
            home: account.home,
          },
  };
}

/** What would stop `run`, and does not stop `debug`. */
export function describeProblems(input: StartInput, steps: readonly PlanStep[]): DebugProblem[] {
  const { platform, wanted, argv, program, config } = input;
  return [
    ...(platform === undefined
      ? [
          refuseWithoutPlatform(wanted),
          config.settings.certificates === undefined ? undefined : refuseCertificates(),
        ]
      : []),
    argv.length === 0 ? noCommand() : undefined,
    program.kind === 'failed' ? program.error : undefined,
    ...steps.map(failureOf),
  ]
    .filter((problem) => problem !== undefined)
    .map(describeProblem);
}

function noCommand(): StartError {
  return new StartError('E_USAGE', 'Cannot start: no command was given', {
    exitCode: exitStatus.usage,
    remedy: {
      where: 'command line',
      fix: 'Name it after `--`, or in `args` of warp.config.js; `debug` takes it the same way.',
    },
  });
}

function failureOf(step: PlanStep): StartError | undefined {
  if (step.kind === 'write-env-file') {
    return step.refusal;
  }

  if (step.kind !== 'nsswitch' || step.decision.kind !== 'fail') {
    return undefined;
  }

  const { message, where, fix } = step.decision.warning;
  return new StartError('E_NSSWITCH', `Cannot rely on IST hostnames: ${message}`, {
    exitCode: exitStatus.config,
    remedy: { where, fix },
  });
}

function describeProblem({ code, message, remedy, exitCode }: StartError): DebugProblem {
  return { code, message, where: remedy.where, fix: remedy.fix, exitStatus: exitCode };
}
