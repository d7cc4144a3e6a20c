// What a start warns of where warp-init is not PID 1: which process is, what that means, and what to write instead.

import type { Warning } from './warning.ts';

/** A process above init. Its command line is not shown: there may be secrets in it. */
export type Ancestor = {
  readonly pid: number;
  /** As proc(5) has it, of at most 15 bytes. */
  readonly name: string;
};

/**
 * @param ancestors - Of init, its parent first. What came into the container from outside (`docker exec`) has none.
 * @param adopts - Whether init adopts the orphans of the app.
 */
export function processWarnings(ancestors: readonly Ancestor[], adopts: boolean): Warning[] {
  const outer = ancestors.find(({ name }) => name.startsWith('warp-init'));
  return [outer === undefined ? notPid1(ancestors, adopts) : twice(outer)];
}

function twice({ pid }: Ancestor): Warning {
  return {
    code: 'W_TWICE',
    message: `warp-init runs below another warp-init, pid ${pid}: both ask the platform and write the same files, and the outer one takes this one for the app.`,
    where: `pid ${pid}`,
    fix: 'Leave one of them out: beside ENTRYPOINT ["warp-init", "--"], CMD is the app alone.',
  };
}

const shells = new Set(['sh', 'ash', 'bash', 'busybox', 'dash', 'ksh', 'zsh']);

function notPid1(ancestors: readonly Ancestor[], adopts: boolean): Warning {
  const first = ancestors.find(({ pid }) => pid === 1);
  const orphans = adopts
    ? 'warp-init adopts and reaps the orphans of the app, but its own end does not end what they started.'
    : 'warp-init does not adopt orphans: those of the app are reaped by another process, or by none.';
  if (first !== undefined && shells.has(first.name)) {
    return {
      code: 'W_NOT_PID1',
      message: `PID 1 is a shell here (${first.name}), which forwards no signal: a stop of the container kills the app when its time is over. ${orphans}`,
      where: 'pid 1',
      fix: 'Write ENTRYPOINT with brackets, ["warp-init", "--"]; a script starts it by `exec warp-init -- "$@"`.',
    };
  }

  const opening =
    first === undefined ? 'warp-init is not PID 1 here' : `PID 1 is ${first.name} here`;
  return {
    code: 'W_NOT_PID1',
    message: `${opening}. ${orphans}`,
    where: first === undefined ? 'the process above warp-init' : 'pid 1',
    fix: 'Use it as ENTRYPOINT, without `docker run --init` (compose: `init: true`) and without a shell before it.',
  };
}
