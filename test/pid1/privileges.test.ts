// Between fork and exec: whatever fails there ends the attempt, and nobody runs with half of the privileges dropped.
import { statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { describeRoles, isRoot, launchOf, program, startLed } from '../helpers/pid1.ts';
import type { LedInit } from '../helpers/pid1.ts';
import {
  childRunning,
  childrenOf,
  eventually,
  startProcess,
  statusField,
} from '../helpers/process.ts';

const [EPERM, EAGAIN, EACCES, ENOSYS] = [1, 11, 13, 38];
const [PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT] = [38, 47];
const RLIMIT_NPROC = 6;
const ids = { uid: 1234, gid: 2345, groups: [2345, 7] };

describe.skipIf(!isRoot)('needs root', () => {
  describeRoles('a step that a sandbox refuses ends the attempt at its stage', (role) => {
    test.each([
      ['groups', `setgroups=${EPERM}`, ids, EPERM],
      ['gid', `setresgid=${EPERM}`, ids, EPERM],
      ['uid', `setresuid=${EAGAIN}`, ids, EAGAIN],
      ['capabilities', `prctl:${PR_CAP_AMBIENT}=${EPERM}`, ids, EPERM],
      ['limits', `prlimit64=${EPERM}`, { limits: [limitOf(RLIMIT_NPROC, 9n)] }, EPERM],
      ['directory', `chdir=${EACCES}`, { directory: '/usr' }, EACCES],
      ['privileges', `prctl:${PR_SET_NO_NEW_PRIVS}=${ENOSYS}`, { noNewPrivileges: true }, ENOSYS],
    ] as const)('%s (%s)', async (stage, refusal, change, errno) => {
      const init = await startLed({ role, through: [program('refuse-calls'), refusal, '--'] });
      expect(await refusalOf(init, change)).toEqual({ type: 'spawn-failed', stage, errno });
    });
  });

  // The sandboxes of package builds do that, so that chown and the like «work».
  describeRoles(
    'a step to which a sandbox says yes without doing it ends the attempt, too',
    (role) => {
      test.each([
        ['groups', 'setgroups=0', { groups: [7] }],
        ['groups', 'setgroups=0', { groups: [] }],
        ['groups', 'setgroups=0', { groups: [5, 7] }],
        ['gid', 'setresgid=0', { gid: 2345 }],
        ['uid', 'setresuid=0', { uid: 1234 }],
      ] as const)('%s (%s, %j)', async (stage, pretence, change) => {
        const through = ['setpriv', '--groups=5', program('refuse-calls'), pretence, '--'];
        const init = await startLed({ role, through });
        expect(await refusalOf(init, change)).toEqual({
          type: 'spawn-failed',
          stage,
          errno: EPERM,
        });
      });
    },
  );

  describeRoles('without the capability', (role) => {
    test.each([
      ['SETGID', 'groups', ids],
      ['SETGID', 'gid', { uid: 1234, gid: 2345 }],
      ['SETUID', 'uid', ids],
    ] as const)('%s the attempt ends at the stage %s', async (capability, stage, change) => {
      const through = ['setpriv', `--bounding-set=-${capability.toLowerCase()}`];
      const init = await startLed({ role, through });
      expect(await refusalOf(init, change)).toEqual({ type: 'spawn-failed', stage, errno: EPERM });
    });
  });

  describe('a user that has as many processes as it may have', () => {
    test('is told at the exec: setresuid(2) itself does not fail of it', async () => {
      for (let count = 0; count < 2; count += 1) {
        const other = startProcess('setpriv', ['--reuid=54321', '--clear-groups', program('stay')]);
        await other.stdout.waitFor('ready');
      }

      const init = await startLed();
      const change = { uid: 54_321, limits: [limitOf(RLIMIT_NPROC, 1n)] };
      expect(await refusalOf(init, change)).toEqual({
        type: 'spawn-failed',
        stage: 'exec',
        errno: EAGAIN,
      });
    });

    test('and is init itself is told at the fork', async () => {
      const through = ['prlimit', '--nproc=2', 'setpriv', '--reuid=54322', '--clear-groups'];
      const init = await startLed({ through });
      expect(await refusalOf(init, {})).toEqual({
        type: 'spawn-failed',
        stage: 'fork',
        errno: EAGAIN,
      });
    });
  });

  describeRoles('the app has no capability as another user', (role) => {
    test.each([
      ['that a change of user would keep', ['--securebits=+no_setuid_fixup']],
      [
        'that an exec would give it then',
        ['--securebits=+no_setuid_fixup', '--inh-caps=+net_raw', '--ambient-caps=+net_raw'],
      ],
    ])('%s', async (_what, options) => {
      const init = await startLed({ role, through: ['setpriv', ...options] });
      const brain = await init.nextBrain();
      brain.send(launchOf(['stay'], ids));
      await init.stdout.waitFor('ready');
      const app = await childRunning(await init.initPid(), 'stay');
      for (const set of ['CapPrm', 'CapEff', 'CapAmb']) {
        expect(statusField(app, set)).toBe('0000000000000000');
      }
    });
  });
});

describe.skipIf(!isRoot)('the memory of init (needs root)', () => {
  const through = ['setpriv', '--reuid=1234', '--regid=1234', '--clear-groups'];

  test('stays open unless the launch closes it; that of the app is open', async () => {
    for (const notDumpable of [false, true]) {
      const init = await startLed({ through });
      const brain = await init.nextBrain();
      brain.send(launchOf(['stay'], { notDumpable }));
      await init.stdout.waitFor('ready');
      const app = await childRunning(init.pid, 'stay');
      expect([ownerOf(init.pid), ownerOf(app)]).toEqual([notDumpable ? 0 : 1234, 1234]);
    }
  });

  test('is closed while the app runs when the brain says so', async () => {
    const init = await startLed({ through });
    const brain = await init.nextBrain();
    brain.send(launchOf(['stay']));
    await init.stdout.waitFor('ready');
    brain.send({ type: 'not-dumpable' });
    await eventually(() => expect(ownerOf(init.pid)).toBe(0));
    await init.signal('SIGTERM');
    expect(await init.ended).toBe(143);
  });
});

/** Of what the kernel has closed it is root, whoever the process is (proc_pid(5)). */
function ownerOf(pid: number): number {
  return statSync(`/proc/${pid}/environ`).uid;
}

/** What pid1 answers to a launch that fails. Nothing ran, and nothing of the attempt is left. */
async function refusalOf(init: LedInit, change: Parameters<typeof launchOf>[1]): Promise<unknown> {
  const brain = await init.nextBrain();
  brain.send(launchOf(['/bin/echo', 'it ran'], change));
  const answer = await brain.receive();
  expect(childrenOf(await init.initPid())).toHaveLength(1);
  brain.send({ type: 'abort', status: 78 });
  expect(await init.ended).toBe(78);
  expect(init.stdout.text()).toBe('');
  return answer;
}

function limitOf(resource: number, amount: bigint) {
  return { resource, soft: amount, hard: amount };
}
