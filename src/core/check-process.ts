// The process as `check` judges it: Node, PID 1, memory, and whether the app could get its user and its limits.
//
// Sources: capabilities(7), user_namespaces(7), setrlimit(2), proc(5).
import { StartError, exitStatus } from '../errors.ts';
import { type Finding, fails, isFine, warns } from './check-report.ts';
import type { Ids } from './plan.ts';
import type { Settings } from './settings.ts';
import { type ResourceLimit, resourceNumbers, unlimited } from './settings-limits.ts';

/** What /proc says of a process that was started as init would be. */
export type ProcessFacts = {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** Effective, by their number in capabilities(7). */
  readonly capabilities: ReadonlySet<number>;
  readonly uidMap: readonly IdRange[];
  readonly gidMap: readonly IdRange[];
  readonly maySetGroups: boolean;
  /** By the number of the resource. */
  readonly hardLimits: ReadonlyMap<number, bigint>;
  /** Of open files, for everybody: proc_sys_fs(5). Undefined where it is not known. */
  readonly mostOpenFiles: bigint | undefined;
};

/** Ids of this user namespace that stand for ids outside of it. */
export type IdRange = { readonly first: number; readonly count: number };

const testedMajors = [20, 22, 24, 26];

/** @param version - `v24.1.0`. */
export function judgeNode(version: string, path: string): Finding {
  const major = Number(/^v(\d+)\./.exec(version)?.[1]);
  return testedMajors.includes(major)
    ? isFine('node', `Node ${version}, ${path}`)
    : warns('node', {
        code: 'W_NODE',
        message: `warp-init is not tested with Node ${version}`,
        where: path,
        fix: `Use Node ${testedMajors.join(', ')}, or name one in WARP_INIT_NODE.`,
      });
}

/** @param name - Of the program that is PID 1. */
export function judgePid1({ pid }: Pick<ProcessFacts, 'pid'>, name: string): Finding {
  if (pid === 1) {
    return isFine('pid1', 'this command is PID 1 here: started in its place, init would be');
  }

  return name.startsWith('warp-init')
    ? isFine('pid1', 'warp-init is PID 1')
    : warns('pid1', {
        code: 'W_NOT_PID1',
        message: `PID 1 is ${name}: an init below it adopts and reaps the orphans of the app, but its own end does not end what they started`,
        where: 'pid 1',
        fix: 'Make warp-init the ENTRYPOINT, in its vector form (["warp-init", "--"]), without `docker run --init` and without a shell before it.',
      });
}

const brainBytes = 64 * 2 ** 20;

/** The brain has 13 MB of its own, and 51 with the parts of Node's binary that are in use (README, measured). */
export function judgeMemory(limitBytes: number | undefined): Finding {
  if (limitBytes === undefined) {
    return isFine('memory', 'no limit');
  }

  const megabytes = Math.round(limitBytes / 2 ** 20);
  return limitBytes >= brainBytes
    ? isFine('memory', `a limit of ${megabytes} MiB`)
    : warns('memory', {
        code: 'W_MEMORY',
        message: `The limit of ${megabytes} MiB leaves little for the app: init holds up to 51 MB of it while it follows the platform`,
        where: 'the memory limit of the container',
        fix: 'Raise it to 64 MiB and what the app needs, or set init.follow to false.',
      });
}

const capSetGid = 6;
const capSetUid = 7;
const capSysResource = 24;

/** @param account - Undefined: who init is. */
export function judgeUser(
  account: Ids | undefined,
  { user: spec, userLabel }: Pick<Settings, 'user' | 'userLabel'>,
  facts: ProcessFacts,
): Finding {
  const { uid, gid } = account ?? facts;
  const who = `uid ${uid}, gid ${gid}`;
  if (account === undefined) {
    return isFine('user', `the app runs as init does: ${who}`);
  }

  const obstacle = obstacleTo(account, facts);
  return obstacle === undefined
    ? isFine('user', `the app runs as ${spec ?? ''}: ${who}`)
    : fails('user', userError({ user: spec, userLabel }, obstacle));
}

/** @param obstacle - Why init cannot become the user. */
export function userError(
  { user, userLabel }: Pick<Settings, 'user' | 'userLabel'>,
  obstacle: string,
): StartError {
  return new StartError('E_USER', `Cannot become ${user ?? 'the user'}: ${obstacle}`, {
    exitCode: exitStatus.config,
    remedy: {
      where: userLabel,
      fix: `Start the container as root with the capabilities SETUID and SETGID, or leave ${userLabel} out.`,
    },
  });
}

/** In the order in which pid1 would meet them: groups, gid, uid. */
function obstacleTo(account: Ids, facts: ProcessFacts): string | undefined {
  const { capabilities, uid, maySetGroups, uidMap, gidMap } = facts;
  const missing = [
    capabilities.has(capSetGid) ? [] : 'SETGID',
    capabilities.has(capSetUid) || account.uid === uid ? [] : 'SETUID',
  ].flat();
  if (missing.length > 0) {
    return `init has not the ${missing.length === 1 ? 'capability' : 'capabilities'} ${missing.join(' and ')} (EPERM)`;
  }

  if (!maySetGroups) {
    return 'setgroups(2) is denied in this user namespace (EPERM)';
  }

  const group = [account.gid, ...account.groups].find((id) => !isMapped(id, gidMap));
  return group !== undefined
    ? `gid ${group} does not exist in this user namespace (EINVAL)`
    : isMapped(account.uid, uidMap)
      ? undefined
      : `uid ${account.uid} does not exist in this user namespace (EINVAL)`;
}

export function isMapped(id: number, map: readonly IdRange[]): boolean {
  return map.some(({ first, count }) => id >= first && id < first + count);
}

/** Undefined where none are configured. */
export function judgeLimits(
  limits: readonly ResourceLimit[],
  facts: ProcessFacts,
): Finding | undefined {
  if (limits.length === 0) {
    return undefined;
  }

  if (beyondOf(limits, facts).length === 0) {
    return isFine('limits', limits.map(({ name }) => name).join(', '));
  }

  return fails('limits', limitsError(limits, facts, 'EPERM'));
}

/** @param errno - What is said where no limit of the machine is the reason. */
export function limitsError(
  limits: readonly ResourceLimit[],
  facts: ProcessFacts,
  errno: string,
): StartError {
  const list = beyondOf(limits, facts).map((limit) => {
    const wanted = limit.hard === unlimited ? 'unlimited' : String(limit.hard);
    return `${limit.name} to ${wanted} where the hard limit is ${mostOf(limit, facts)}`;
  });
  const why = list.length > 0 ? list.join(', ') : errno;
  return new StartError('E_LIMITS', `Cannot set the limits of the app: ${why}`, {
    exitCode: exitStatus.config,
    remedy: {
      where: 'init.limits',
      fix: 'Stay below the hard limits of the container, or raise them there (docker run --ulimit).',
    },
  });
}

function beyondOf(limits: readonly ResourceLimit[], facts: ProcessFacts): readonly ResourceLimit[] {
  return limits.filter((limit) => limit.hard > (mostOf(limit, facts) ?? limit.hard));
}

/** Undefined: as much as one likes, or it is not known. */
function mostOf({ resource }: ResourceLimit, facts: ProcessFacts): bigint | undefined {
  const { hardLimits, capabilities, uidMap, mostOpenFiles } = facts;
  // capable(7): only powers over the whole machine count, not those over a user namespace.
  const mayRaise = capabilities.has(capSysResource) && isWholeMachine(uidMap);
  const bounds = [
    mayRaise ? undefined : hardLimits.get(resource),
    // Above this one not even the kernel's own root gets.
    resource === resourceNumbers.nofile ? mostOpenFiles : undefined,
  ].filter((bound) => bound !== undefined);
  return bounds.toSorted((a, b) => (a < b ? -1 : 1))[0];
}

const allIds = 4_294_967_295;

function isWholeMachine(map: readonly IdRange[]): boolean {
  return map.some(({ first, count }) => first === 0 && count === allIds);
}
