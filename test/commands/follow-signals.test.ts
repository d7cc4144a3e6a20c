// A signal of a reload goes to one process that catches it, however long that takes; and to none that did not ask.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { describeContainer, temporaryDirectory } from '../helpers/container.ts';
import { childrenOf, eventually, programOf } from '../helpers/process.ts';
import { idle, shop, startFollowed } from './follow-rig.ts';

/** Says HUP for each one, until TERM. */
const catches = `trap 'echo app got HUP' HUP; trap 'exit 7' TERM; echo start:; ${idle}`;
const signal = { action: 'signal' };

function shell(script: string): readonly string[] {
  return ['--', 'sh', '-c', script];
}

describeContainer('the signal', () => {
  test('goes to the app alone, and not to its workers', async () => {
    const worker = `sh -c 'trap "echo worker got HUP" HUP; echo worker; ${idle}' &`;
    const it = await startFollowed({
      args: shell(`${worker} ${catches}`),
      reload: signal,
    });
    await it.stdout.waitFor('worker');
    await it.emulator.update(shop('10.0.0.21'));
    await it.counted('signaled', 1);
    await it.emulator.update(shop('10.0.0.22'));
    await it.counted('signaled', 2);
    await it.stdout.waitFor(/HUP[^]*HUP/);
    expect(it.stdout.text()).not.toContain('worker got');
    // From outside it is for all of them, as ever.
    await it.signal('SIGHUP');
    await it.stdout.waitFor('worker got HUP');
  });

  test('reaches the app behind shells', async () => {
    const it = await startFollowed({
      args: shell('sh -c "$APP; true"; true'),
      env: { APP: `sh -c "${catches}"` },
      reload: signal,
    });
    await it.emulator.update(shop('10.0.0.21'));
    await it.stdout.waitFor('app got HUP');
    expect(await it.status()).toMatchObject({ app: { starts: 1 } });
  });

  test('reaches the app behind `npm start`', async () => {
    const it = await startFollowed({
      args: ['--', 'npm', 'start'],
      files: {
        'package.json': '{ "name": "app", "scripts": { "start": "node server.js" } }',
        'server.js':
          "process.on('SIGHUP', () => console.log('app got HUP')); setInterval(() => {}, 9999); console.log('start:');",
      },
      env: { HOME: temporaryDirectory() },
      reload: signal,
    });
    await it.emulator.update(shop('10.0.0.21'));
    await it.stdout.waitFor('app got HUP');
    expect(await it.status()).toMatchObject({ app: { starts: 1 } });
  });

  test('waits for an app that is still booting, and then comes once', async () => {
    const it = await startFollowed({
      args: shell(`echo start:; read line; ${catches}`),
      reload: signal,
    });
    for (const address of ['10.0.0.21', '10.0.0.22', '10.0.0.23']) {
      await it.emulator.update(shop(address));
      await eventually(() => expect(it.host('my-db.warp')).toBe(address));
    }

    expect(await it.status()).toMatchObject({ reload: { held: 'signal' }, app: { starts: 1 } });
    expect(it.stderr.text()).toContain('W_SIGNAL_HELD');
    // The next brain does not know of it but by what the app was told.
    await it.killBrain();
    expect(await it.status()).toMatchObject({ reload: { held: 'signal' } });
    it.child.stdin?.write('boot\n');
    await it.counted('signaled', 1);
    expect(await it.reload()).toMatchObject({ outcome: 'unchanged' });
    expect(it.stdout.text()).toBe('start:\nstart:\napp got HUP\n');
    await it.signal('SIGTERM');
    expect(await it.ended).toBe(7);
  });

  test('that is held is not sent where all is again as the app knows it', async () => {
    const it = await startFollowed({
      args: shell(`echo start:; read line; ${catches}`),
      reload: signal,
    });
    await it.emulator.update(shop('10.0.0.21'));
    await it.counted('signal-held', 1);
    await it.emulator.update(shop());
    await it.counted('applied', 1);
    expect((await it.status()).reload.held).toBeNull();
    it.child.stdin?.write('boot\n');
    await it.stdout.waitFor(/start:[^]*start:/);
    expect(await it.reload()).toMatchObject({ outcome: 'unchanged' });
    expect(it.stdout.text()).not.toContain('HUP');
  });
});

type Runtime = {
  readonly name: string;
  readonly program: string;
  readonly build: (directory: string) => readonly string[];
};

/** Their runtimes catch HUP to end by it. */
const runtimes: readonly Runtime[] = [
  {
    name: 'Go',
    program: 'go',
    build: (directory) => {
      const source = join(directory, 'main.go');
      writeFileSync(
        source,
        'package main\nimport "time"\nimport "os"\nfunc main() { os.Stdout.WriteString("start:\\n"); for { time.Sleep(time.Hour) } }\n',
      );
      const built = spawnSync('go', ['build', '-o', join(directory, 'app'), source], {
        env: { ...process.env, GOFLAGS: '-mod=mod', GO111MODULE: 'off' },
        encoding: 'utf8',
      });
      expect(built.stderr).toBe('');
      return [join(directory, 'app')];
    },
  },
  {
    name: 'Java',
    program: 'java',
    build: (directory) => {
      const source = join(directory, 'Main.java');
      writeFileSync(
        source,
        'class Main { public static void main(String[] args) throws Exception { System.out.println("start:"); Thread.sleep(Long.MAX_VALUE); } }\n',
      );
      return ['java', '-Xshare:auto', source];
    },
  },
];

describeContainer('an app without a handler survives the default', () => {
  for (const { name, program, build } of runtimes) {
    const isMissing = !(process.env['PATH'] ?? '')
      .split(':')
      .some((directory) => existsSync(join(directory, program)));
    if (isMissing && process.env['WARP_INIT_REQUIRE_RUNTIMES'] === '1') {
      throw new Error(`Cannot test ${name}: WARP_INIT_REQUIRE_RUNTIMES=1 asks for ${program}`);
    }

    const why = isMissing ? ` (skipped: there is no ${program})` : '';
    test.skipIf(isMissing)(`as ${name} programs have none${why}`, async () => {
      const directory = join(temporaryDirectory(), name);
      mkdirSync(directory);
      const it = await startFollowed({ args: ['--', ...build(directory)] });
      const app = childrenOf(it.init).find((pid) => !programOf(pid).endsWith('/node'));
      await it.emulator.update(shop('10.0.0.21'));
      await it.counted('applied', 1);
      expect(it.host('my-db.warp')).toBe('10.0.0.21');
      expect(await it.reload()).toMatchObject({ outcome: 'unchanged' });
      expect((await it.status()).app).toMatchObject({ starts: 1 });
      expect(childrenOf(it.init)).toContain(app);
      expect(it.child.exitCode).toBeNull();
    });
  }
});
