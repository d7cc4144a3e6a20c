// What init takes from its surroundings and does not keep: directory, descriptors, mask, parent, orphans.
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { temporaryDirectory } from '../helpers/container.ts';
import { describeRoles, endWithTest, program, startInit } from '../helpers/pid1.ts';
import {
  childRunning,
  childrenOf,
  eventually,
  programOf,
  signalsIn,
  startProcess,
} from '../helpers/process.ts';
import { quiet, startApp, ways } from './rig.ts';

const [SIGHUP, SIGINT, SIGILL, SIGSEGV, SIGTERM, SIGTTIN, SIGTTOU] = [1, 2, 4, 11, 15, 21, 22];
const binary = new URL('../../dist/warp-init', import.meta.url).pathname;

describeRoles('the directory', (role) => {
  describe.each(ways)('%s', (_way, options) => {
    test('of the start is the app’s, and init is not in it any more', async () => {
      const cwd = temporaryDirectory();
      const script = 'readlink /proc/$PPID/cwd /proc/$$/cwd';
      const init = startInit([...options, '--', 'sh', '-c', script], { role, cwd });
      expect(await init.ended).toBe(0);
      expect(init.stdout.text()).toBe(`/\n${cwd}\n`);
    });

    test('is where a command with a relative path is found', async () => {
      const cwd = temporaryDirectory();
      writeFileSync(join(cwd, 'here'), '#!/bin/sh\npwd\n');
      chmodSync(join(cwd, 'here'), 0o755);
      const init = startInit([...options, '--', './here'], { role, cwd });
      expect(await init.ended).toBe(0);
      expect(init.stdout.text()).toBe(`${cwd}\n`);
    });
  });

  test('that was removed is still the app’s', async () => {
    const cwd = temporaryDirectory();
    const through = ['sh', '-c', 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', 'sh'];
    const args = ['--plain', '--', 'readlink', '/proc/self/cwd'];
    const init = startInit(args, { role, cwd, through });
    expect(await init.ended).toBe(0);
    expect(init.stdout.text()).toBe(`${cwd}/gone (deleted)\n`);
  });
});

// As PID 1 it is unshare(1) that keeps them.
describe('descriptors that init was started with, as a child', () => {
  test.each(ways)('%s: are closed when the app has closed them', async (_way, options) => {
    const script = 'exec 3>&-; echo closed; read -r _';
    const init = startInit([...options, '--', 'sh', '-c', script], {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    await init.stdout.waitFor('closed');
    const [, , , passed] = init.child.stdio;
    passed?.on('data', () => {});
    await eventually(() => expect(passed?.closed).toBe(true));
    init.child.stdin?.end();
    expect(await init.ended).toBe(1);
  });
});

describeRoles('the mask and the ignored signals', (role) => {
  test.each(ways)('%s: are the app’s as they were', async (_way, options) => {
    const init = await startApp(options, {
      role,
      app: 'stay',
      through: ['env', '--ignore-signal=TTOU,SEGV,INT', '--block-signal=TTIN,ILL,TERM'],
    });
    expect(signalsIn(init.appPid, 'SigIgn')).toEqual([SIGINT, SIGSEGV, SIGTTOU]);
    expect(signalsIn(init.appPid, 'SigBlk')).toEqual([SIGILL, SIGTERM, SIGTTIN]);
  });
});

describe('the end of the parent', () => {
  test('is told to the app by the signal that was chosen', async () => {
    const init = `${binary} ${quiet.join(' ')} --parent-death HUP -- ${program('print-signals')} app 1`;
    const parent = startProcess('sh', ['-c', `${init} & read -r _`]);
    await parent.stdout.waitFor('app ready');
    parent.child.kill('SIGKILL');
    const [said] = await parent.stdout.waitFor(/app got \d+/);
    expect(said).toBe(`app got ${SIGHUP}`);
  });
});

describe('orphans, where init is not PID 1', () => {
  const script = `(setsid ${program('stay')} & echo pid $!); exec ${program('stay')}`;

  test('are adopted', async () => {
    const init = startInit([...quiet, '--', 'sh', '-c', script]);
    await init.stdout.waitFor(/ready\n[^]*ready/);
    await eventually(async () => expect(await staysBelow(init.pid)).toBe(2));
  });

  test('are left to others with --subreaper=false, with a warning', async () => {
    const init = startInit(['--subreaper=false', '--', 'sh', '-c', script]);
    await endWithTest(init);
    await init.stdout.waitFor(/ready\n[^]*ready/);
    await init.stderr.waitFor('does not adopt orphans');
    expect(await staysBelow(init.pid)).toBe(1);
  });
});

describe('a script', () => {
  test('may have init in its first line, with env -S', async () => {
    const path = join(temporaryDirectory(), 'script');
    writeFileSync(
      path,
      `#!/usr/bin/env -S ${binary} --plain -- /bin/sh\necho "it runs: $1"; exit 7\n`,
    );
    chmodSync(path, 0o755);
    const script = startProcess(path, ['word']);
    expect(await script.ended).toBe(7);
    expect(script.stdout.text()).toBe('it runs: word\n');
  });

  test('may have several inits before it', async () => {
    const inits = ['--', binary, '--plain', '--', binary, ...quiet, '--single-child', '--'];
    const init = startInit([...quiet, ...inits, 'echo', 'oh, hi']);
    expect(await init.ended).toBe(0);
    expect(init.stdout.text()).toBe('oh, hi\n');
  });
});

async function staysBelow(pid: number): Promise<number> {
  await childRunning(pid, 'stay');
  return childrenOf(pid).filter((child) => programOf(child).endsWith('/stay')).length;
}
