// Why pid1 could not start the app, as an error with the right exit status.
import { constants } from 'node:os';

import { limitsError, userError } from '../core/check-process.ts';
import { directoryError } from '../core/directory-error.ts';
import { Secret } from '../core/secret.ts';
import type { StartPlan } from '../core/plan.ts';
import { deepestScript, machineOf } from '../core/program-header.ts';
import { StartError, exitStatus } from '../errors.ts';
import { readProcessFacts } from '../inputs/process-facts.ts';
import { findLack, readProgramHeader } from '../inputs/program-file.ts';
import type { SpawnStage } from '../link/messages.ts';

/** What there is to say of an exec that failed. */
export type ExecutedPlan = Pick<StartPlan, 'file' | 'argv' | 'variables' | 'settings'>;

export type SpawnFailure = { readonly stage: SpawnStage; readonly errno: number };

export function spawnError({ stage, errno }: SpawnFailure, start: StartPlan): StartError {
  const name = errnoName(errno);
  switch (stage) {
    case 'exec':
      return execError(name, start);
    case 'groups':
    case 'gid':
    case 'uid':
    case 'capabilities':
      return userError(start.settings, `${name} (${stage})`);
    case 'limits':
      return limitsError(start.settings.limits, readProcessFacts(), name);
    case 'directory':
      return directoryError(start.settings.cwd, name);
    case 'privileges':
    case 'fork':
    case 'session':
      return new StartError('E_SPAWN', `Cannot start a process: ${name} (${stage})`, {
        exitCode: exitStatus.internal,
        remedy: {
          where: `stage ${stage}`,
          fix: 'Raise the limit on processes of the container, or start it with another terminal.',
        },
      });
  }
}

/** By the system's own table: libuv's, behind `getSystemErrorName`, lacks ENOEXEC (Node 20). */
function errnoName(errno: number): string {
  const found = Object.entries(constants.errno).find(([, number]) => number === errno);
  return found?.[0] ?? `error ${errno}`;
}

/** @param errno - Its name. */
export function execError(
  errno: string,
  { file, argv, variables, settings }: ExecutedPlan,
): StartError {
  // Where PATH is a secret, so is the directory in which the program was found.
  const isHidden = variables.some(({ name, value }) => name === 'PATH' && value instanceof Secret);
  const shown = isHidden ? (argv[0] ?? '') : file;
  const lack = errno === 'ENOENT' || errno === 'ENOTDIR' ? findLack(file) : undefined;
  const { rule, fix, status } =
    lack === undefined ? explain(errno, file) : { ...lack, status: exitStatus.notFound };
  const who = settings.user === undefined || lack !== undefined ? '' : ` as ${settings.user}`;
  return new StartError('E_SPAWN', `Cannot run ${JSON.stringify(shown)}${who}: ${rule}`, {
    exitCode: status,
    remedy: { where: shown, fix },
  });
}

function explain(errno: string, file: string): Explanation {
  return (
    (errno === 'ENOEXEC' ? explainFormat(file) : explanations[errno]) ?? {
      rule: errno,
      fix: 'Run the file by hand in the image to see what it needs.',
      status: exitStatus.notExecutable,
    }
  );
}

/** A file that the kernel does not know how to run. */
function explainFormat(file: string, depth = 0): Explanation {
  const header = readProgramHeader(file);
  if (
    header?.kind === 'script' &&
    header.interpreter?.startsWith('/') === true &&
    depth < deepestScript
  ) {
    const { rule, ...rest } = explainFormat(header.interpreter, depth + 1);
    return { rule: `its interpreter ${header.interpreter} cannot be run: ${rule}`, ...rest };
  }

  const own = machineOf[process.arch] ?? process.arch;
  const status = exitStatus.notExecutable;
  if (header?.kind === 'elf' && header.machine !== own) {
    return {
      rule: `it is a program for ${header.machine}, and this machine is ${own}`,
      fix: 'Build the image for this machine (docker build --platform), or register qemu-user-static on its host.',
      status,
    };
  }

  const rule =
    header?.kind === 'empty'
      ? 'it is empty'
      : header?.kind === 'elf' || header?.kind === 'elf-head'
        ? 'it is no complete program: its ELF headers are cut off or damaged'
        : undefined;
  return rule !== undefined
    ? { rule, fix: 'Look at how it gets into the image (COPY, a build step).', status }
    : {
        rule: 'it is no program for this machine, and names no interpreter',
        fix: 'Give a script a first line (#!/bin/sh).',
        status,
      };
}

type Explanation = { readonly rule: string; readonly fix: string; readonly status: number };

const explanations: Readonly<Record<string, Explanation>> = {
  ENOENT: {
    rule: 'the interpreter that it names does not exist',
    fix: 'Correct its first line (#!), or install the dynamic loader that it was linked for.',
    status: exitStatus.notFound,
  },
  EACCES: {
    rule: 'permission denied',
    fix: 'Make the file and its directories accessible to that user, and the file executable.',
    status: exitStatus.notExecutable,
  },
  EAGAIN: {
    rule: 'its user has as many processes as the limit allows',
    fix: 'Raise init.limits.nproc, or the limit of the container (docker run --ulimit nproc): it counts all processes of that user on the host.',
    status: exitStatus.notExecutable,
  },
  E2BIG: {
    rule: 'arguments and environment are larger than this kernel takes',
    fix: 'Make them smaller: see `warp-init debug`, and init.ist.variables.',
    status: exitStatus.notExecutable,
  },
};
