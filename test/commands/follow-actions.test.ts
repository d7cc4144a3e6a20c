// What an app is told of a change: the actions of init.reload, each kind of change with its own.
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { describeContainer, startPlatform } from '../helpers/container.ts';
import { eventually } from '../helpers/process.ts';
import { configOf, fingerprint, reader, shop, startFollowed } from './follow-rig.ts';

describeContainer('the action', () => {
  test('auto sends the signal that was chosen, and none otherwise', async () => {
    const it = await startFollowed({ args: reader(['USR2', 'HUP']), reload: { signal: 'USR2' } });
    await it.emulator.update(shop('10.0.0.21'));
    await it.stdout.waitFor('USR2: 10.0.0.20 10.0.0.21 10.0.0.21');
    expect(it.stdout.text()).not.toContain('HUP');
  });

  test('none leaves the app alone, whatever the others say', async () => {
    const it = await startFollowed({
      args: reader(['HUP']),
      reload: { action: 'none', signal: 'HUP', on: { secrets: 'signal' } },
    });
    await it.emulator.update(shop('10.0.0.21'));
    await it.counted('applied', 1);
    expect(it.host('my-db.warp')).toBe('10.0.0.21');
    expect(it.stdout.text()).toMatch(/^start: .*\n$/);
  });

  test('of the kind that changed counts, the strongest where several have, and the app is told once', async () => {
    const platform = shop('10.0.0.20', { key: 'correct-horse' });
    const it = await startFollowed({
      platform,
      args: reader(['HUP', 'USR1']),
      reload: {
        action: 'none',
        signal: 'USR1',
        command: ['sh', '-c', 'echo "reloading $DB_KEY in $WARP_IST_my_db"'],
        on: { ist: 'signal', secrets: 'command' },
      },
      init: { secrets: { env: { DB_KEY: 'key' } } },
    });
    await it.emulator.update(shop('10.0.0.21', { key: 'correct-horse' }));
    await it.stdout.waitFor('USR1: 10.0.0.20 10.0.0.21 10.0.0.21');
    await it.emulator.update(shop('10.0.0.22', { key: 'battery-staple' }));
    await it.counted('command-ok', 1);
    expect((await it.status()).reload).toMatchObject({
      last: { outcome: 'command-ok', changed: { ist: ['my-db'], secrets: ['key'] } },
      byOutcome: { signaled: 1, 'command-ok': 1 },
    });
    expect(it.stdout.text().match(/USR1/g)).toHaveLength(1);
    // The command has the new environment; its output is log, without secrets.
    await it.stderr.waitFor('"msg":"reloading [secret] in 10.0.0.22"');
  });
});

describeContainer('a reload command', () => {
  test('that fails, hangs or is not there is told, and run again at the next change', async () => {
    const it = await startFollowed({
      reload: {
        action: 'command',
        command: ['sh', '-c', 'echo run; . ./what'],
      },
      files: { what: 'exit 3' },
    });
    const what = join(it.directory, 'what');
    await it.emulator.update(shop('10.0.0.21'));
    await it.stderr.waitFor('The reload command failed: exit status 3');
    writeFileSync(what, 'trap "" TERM; sleep 60');
    // Nothing has changed since: but the app does not know what has changed before.
    expect(await it.reload()).toMatchObject({ outcome: 'command-failed', changed: { ist: [] } });
    await it.stderr.waitFor('it did not end within init.reload.deadline');
    writeFileSync(what, 'kill -KILL $$');
    expect(await it.reload()).toMatchObject({ outcome: 'command-failed' });
    await it.stderr.waitFor('it was ended by SIGKILL');
    writeFileSync(what, 'exit 0');
    expect(await it.reload()).toMatchObject({ outcome: 'command-ok' });
    expect(await it.reload()).toMatchObject({ outcome: 'unchanged' });
    expect(it.log().filter(({ msg }) => msg === 'run')).toHaveLength(4);
    await it.signal('SIGTERM');
    expect(await it.ended).toBe(7);
    expect(it.stdout.text()).toMatch(/^start: .*\n$/);
  });

  test('of a brain that ends is ended before its successor runs another one', async () => {
    const it = await startFollowed({
      reload: {
        action: 'command',
        command: ['sh', '-c', 'echo begin >> log; . ./what; echo end >> log'],
        deadline: '60s',
      },
      files: {
        // The shell would say that `sleep` was terminated, and nobody reads it any more.
        what: 'exec 2> /dev/null; trap "sleep 0.3; echo ended >> log; exit" TERM; echo waits >> log; while :; do sleep 0.1; done',
      },
    });
    const log = join(it.directory, 'log');
    await it.emulator.update(shop('10.0.0.21'));
    await eventually(() => expect(readFileSync(log, 'utf8')).toBe('begin\nwaits\n'));
    await it.status(); // Through pid1, which has the memo then.
    writeFileSync(join(it.directory, 'what'), ':');
    const brain = await it.brain();
    process.kill(brain, 'SIGKILL');
    await it.brain(brain);
    await it.counted('command-ok', 1);
    expect(readFileSync(log, 'utf8')).toBe('begin\nwaits\nended\nbegin\nend\n');
  });

  test('that cannot be started is told', async () => {
    const it = await startFollowed({ reload: { action: 'command', command: '/no/such/program' } });
    await it.emulator.update(shop('10.0.0.21'));
    await it.stderr.waitFor('it could not be started (ENOENT)');
    expect(it.host('my-db.warp')).toBe('10.0.0.21');
  });
});

describeContainer('a reload by hand', () => {
  test('reads the config again', async () => {
    const it = await startFollowed({ reload: { signal: 'HUP' }, args: reader(['HUP', 'USR1']) });
    const path = join(it.directory, 'warp.config.js');
    writeFileSync(
      path,
      configOf({
        reload: { signal: 'USR1' },
        config: { ist: { service: 'my-db', hostnames: 'db.example' } },
      }),
    );
    expect(await it.reload()).toEqual({
      outcome: 'signaled',
      changed: { ist: ['my-db'], secrets: [], certificates: [], config: [] },
      problem: null,
      restartInMs: null,
    });
    await it.stdout.waitFor('USR1:');
    expect(it.host('db.example')).toBe('10.0.0.20');

    writeFileSync(path, configOf({ config: { variables: { MODE: 'quick' } } }));
    expect(await it.reload()).toMatchObject({
      outcome: 'applied',
      changed: { ist: ['my-db'], config: ['variable MODE'] },
    });
    expect(it.host('db.example')).toBe('');
  });

  test('follows another socket where the config names one', async () => {
    const it = await startFollowed({
      before: 'ln -s "$WARP_INIT_SOCKET" /run/one.sock; unset WARP_INIT_SOCKET',
      init: { socket: '/run/one.sock' },
    });
    const other = await startPlatform(shop('10.0.0.21'));
    symlinkSync(other.socketPath, it.inside('/run/two.sock'));
    const config = configOf({ init: { socket: '/run/two.sock' } });
    writeFileSync(join(it.directory, 'warp.config.js'), config);
    expect(await it.reload()).toMatchObject({ changed: { ist: ['my-db'] } });
    await eventually(async () => expect((await it.status()).pipeline.isConnected).toBe(true));

    await other.update(shop('10.0.0.22'));
    await eventually(() => expect(it.host('my-db.warp')).toBe('10.0.0.22'));
    await it.emulator.update(shop('10.0.0.23'));
    await other.update(shop('10.0.0.24'));
    await eventually(() => expect(it.host('my-db.warp')).toBe('10.0.0.24'));
  });

  test.each([
    ['is wrong', '{ init: { reload: { action: "sometimes" } } }', /one problem:\n.*action/],
    ['does not parse', '{', /SyntaxError/],
    ['throws', '(() => { throw new Error("no such thing") })()', /no such thing/],
    ['ends its process', 'process.exit(0)', /Cannot load .*it calls process\.exit\(\)/],
    ['names a user that is not there', '{ init: { user: "nobdy" } }', /no such user/],
    [
      'wants a secret that is not there',
      '{ init: { secrets: { env: { A: "b" } } } }',
      /secret "b"/,
    ],
    [
      'wants an archive that is none',
      '{ init: { secrets: { files: { secret: "key", path: "/run/app/key", unpack: "tar" } } } }',
      /^Cannot unpack secret "key"/,
    ],
    [
      'wants secrets on a disk',
      '{ init: { envFile: "/usr/warp-init.env", secrets: { env: { A: "key" } } } }',
      /^Cannot write the env file/,
    ],
  ])(
    'that finds a config which %s says so, and the old one stays',
    async (_what, config, problem) => {
      const it = await startFollowed({
        platform: shop('10.0.0.20', { key: 'correct-horse' }),
        reload: { signal: 'HUP' },
        args: reader(['HUP']),
      });
      const hosts = fingerprint(it.inside('/etc/hosts'));
      const path = join(it.directory, 'warp.config.js');
      const good = readFileSync(path, 'utf8');
      writeFileSync(path, `module.exports = ${config};`);
      expect(await it.reload()).toMatchObject({
        outcome: 'refused',
        problem: expect.stringMatching(problem),
      });
      await it.stderr.waitFor(/"msg":"Nothing was reloaded: Cannot/);
      expect(fingerprint(it.inside('/etc/hosts'))).toBe(hosts);

      // What changes meanwhile is not held up by it, and the old config still knows what to do.
      await it.killBrain();
      await it.emulator.update(shop('10.0.0.21', { key: 'correct-horse' }));
      await it.stdout.waitFor('HUP: 10.0.0.20 10.0.0.21 10.0.0.21');
      writeFileSync(path, good);
      expect(await it.reload()).toMatchObject({ outcome: 'unchanged', problem: null });
    },
  );

  test('takes nothing away from what was notified at the same time', async () => {
    const it = await startFollowed({ reload: { quiet: '1s', maxWait: '1s' } });
    writeFileSync(join(it.directory, 'warp.config.js'), 'module.exports = {');
    await it.emulator.update(shop('10.0.0.21'));
    await expect.poll(async () => (await it.status()).reload.phase).toBe('gathering');
    expect(await it.reload()).toMatchObject({ outcome: 'refused' });
    await it.counted('applied', 1);
    expect(it.host('my-db.warp')).toBe('10.0.0.21');
  });
});
