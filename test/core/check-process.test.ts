import { describe, expect, test } from 'vitest';

import {
  type ProcessFacts,
  judgeLimits,
  judgeMemory,
  judgeNode,
  judgePid1,
  judgeUser,
} from '../../src/core/check-process.ts';

const everyId = [{ first: 0, count: 4_294_967_295 }];
const setGid = 6;
const setUid = 7;
const sysResource = 24;

/** Root in a container with the powers that matter. */
const root: ProcessFacts = {
  pid: 17,
  uid: 0,
  gid: 0,
  groups: [0],
  capabilities: new Set([setGid, setUid]),
  uidMap: everyId,
  gidMap: everyId,
  maySetGroups: true,
  hardLimits: new Map([[7, 4096n]]),
  mostOpenFiles: 1_048_576n,
};
const node = { uid: 1000, gid: 1000, groups: [1000, 44] };
const setting = { user: 'node', userLabel: 'init.user' };

describe('the user of the app', () => {
  test.each<[string, Partial<ProcessFacts>]>([
    ['both capabilities', {}],
    [
      'SETGID alone, where only the group is another',
      { uid: 1000, capabilities: new Set([setGid]) },
    ],
    ['the last uid of the map', { uidMap: [{ first: 0, count: 1001 }] }],
  ])('is within reach: %s', (_what, change) => {
    const { verdict, reason } = judgeUser(node, setting, { ...root, ...change });

    expect([verdict, reason]).toEqual(['ok', 'the app runs as node: uid 1000, gid 1000']);
  });

  test.each<[string, Partial<ProcessFacts>, string]>([
    ['neither capability', { capabilities: new Set() }, 'the capabilities SETGID and SETUID'],
    ['SETUID alone', { capabilities: new Set([setUid]) }, 'the capability SETGID (EPERM)'],
    ['SETGID alone', { capabilities: new Set([setGid]) }, 'the capability SETUID (EPERM)'],
    ['setgroups denied', { maySetGroups: false }, 'setgroups(2) is denied'],
    ['no such uid', { uidMap: [{ first: 0, count: 1000 }] }, 'uid 1000 does not exist'],
    ['no such gid', { gidMap: [{ first: 0, count: 1000 }] }, 'gid 1000 does not exist'],
    ['no such group', { gidMap: [{ first: 100, count: 65_000 }] }, 'gid 44 does not exist'],
  ])('is out of reach: %s', (_what, change, why) => {
    const { verdict, reason, exitStatus, where, fix } = judgeUser(node, setting, {
      ...root,
      ...change,
    });

    expect([verdict, exitStatus, where]).toEqual(['failure', 78, 'init.user']);
    expect(fix).toContain('or leave init.user out');
    expect(reason).toContain('Cannot become node: ');
    expect(reason).toContain(why);
  });

  test('needs nothing where it is that of init', () => {
    const bare = { ...root, uid: 1000, gid: 1000, capabilities: new Set<number>() };

    expect(judgeUser(undefined, setting, bare).verdict).toBe('ok');
  });
});

function limit(hard: bigint) {
  return [{ resource: 7, name: 'nofile', soft: 10n, hard }];
}

describe('limits', () => {
  const unlimited = 2n ** 64n - 1n;

  test.each<[string, bigint, Partial<ProcessFacts>, string]>([
    ['up to the hard limit', 4096n, {}, 'ok'],
    ['above it', 4097n, {}, 'failure'],
    ['none at all', unlimited, {}, 'failure'],
    ['above it, with SYS_RESOURCE', 4097n, { capabilities: new Set([sysResource]) }, 'ok'],
    [
      'above it, with a SYS_RESOURCE that ends at a user namespace',
      4097n,
      { capabilities: new Set([sysResource]), uidMap: [{ first: 0, count: 65_536 }] },
      'failure',
    ],
    ['where the hard limit is not known', 4097n, { hardLimits: new Map() }, 'ok'],
    [
      'above what the kernel gives anybody, with SYS_RESOURCE',
      1_048_577n,
      { capabilities: new Set([sysResource]) },
      'failure',
    ],
    [
      'above it, where nobody knows what the kernel gives',
      unlimited,
      { capabilities: new Set([sysResource]), mostOpenFiles: undefined },
      'ok',
    ],
  ])('%s', (_what, hard, change, verdict) => {
    expect(judgeLimits(limit(hard), { ...root, ...change })?.verdict).toBe(verdict);
  });

  test('name both numbers', () => {
    expect(judgeLimits(limit(5000n), root)?.reason).toBe(
      'Cannot set the limits of the app: nofile to 5000 where the hard limit is 4096',
    );
  });

  test('are no finding where there are none', () => {
    expect(judgeLimits([], root)).toBeUndefined();
  });
});

test.each([
  ['v20.19.0', 'ok'],
  ['v26.1.0', 'ok'],
  ['v21.7.3', 'warning'],
  ['v27.0.0', 'warning'],
  ['v200.0.0', 'warning'],
])('Node %s: %s', (version, verdict) => {
  expect(judgeNode(version, '/usr/bin/node').verdict).toBe(verdict);
});

test.each([
  ['an ENTRYPOINT', 1, 'node', 'ok'],
  ['beside warp-init', 17, 'warp-init', 'ok'],
  ['beside warp-init as its package names it', 17, 'warp-init-x64', 'ok'],
  ['under docker run --init', 17, 'docker-init', 'warning'],
])('PID 1, %s', (_what, pid, name, verdict) => {
  expect(judgePid1({ pid }, name).verdict).toBe(verdict);
});

test.each([
  [undefined, 'ok'],
  [64 * 2 ** 20, 'ok'],
  [64 * 2 ** 20 - 1, 'warning'],
])('a memory limit of %s bytes: %s', (bytes, verdict) => {
  expect(judgeMemory(bytes).verdict).toBe(verdict);
});
