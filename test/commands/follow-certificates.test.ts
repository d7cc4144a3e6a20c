// Certificates while the app runs: what is served without them takes none away, and a private key alone is a change.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import { askSocket } from '../emulator/rig.ts';
import { describeContainer, startContainer, startPlatform } from '../helpers/container.ts';
import { eventually, startProcess } from '../helpers/process.ts';
import { configOf, idle, reader, shop, startFollowed } from './follow-rig.ts';
import type { Followed, FollowedOptions } from './follow-rig.ts';

const path = '/v1/containers/certificates';
const bundle = '-----BEGIN CERTIFICATE-----\nleaf\n-----END CERTIFICATE-----\n';
const keyOf = (text: string) => `-----BEGIN PRIVATE KEY-----\n${text}\n-----END PRIVATE KEY-----\n`;

function platform(key: string, more: Partial<PlatformFile> = {}): PlatformFile {
  return {
    ...shop(),
    certificates: [{ domains: ['shop.example'], private_key: keyOf(key), bundle }],
    ...more,
  };
}

function start(options: FollowedOptions = {}): Promise<Followed> {
  return startFollowed({
    platform: platform('first'),
    args: reader(['HUP']),
    reload: { action: 'signal' },
    init: { certificates: { directory: '/run/tls' } },
    ...options,
  });
}

const keyPath = '/run/tls/shop.example/privkey.pem';
const beingRenewed = [{ id: '1', domains: ['shop.example'], private_key: '', bundle: '' }];

function keyIn(it: Followed): string {
  return readFileSync(it.inside(keyPath), 'utf8');
}

/** In the directory that the link leads to now. */
function served(it: Followed): string[] {
  return readdirSync(it.inside('/run/tls'));
}

describeContainer('a certificate', () => {
  test.each<[string, readonly object[], string]>([
    ['is being renewed, and served without its text', beingRenewed, 'unchanged'],
    ['is missing in one answer, with all others', [], 'distrusted'],
  ])('that %s stays, also for the successor of a brain', async (_how, answer, outcome) => {
    const it = await start();
    it.emulator.setAnswer(path, answer);
    await it.killBrain();
    expect(await it.reload()).toMatchObject({ outcome });
    expect(keyIn(it)).toBe(keyOf('first'));
    expect(it.stdout.text()).not.toContain('HUP');
    it.emulator.setAnswer(path, undefined);
    expect(await it.reload()).toMatchObject({ outcome: 'unchanged' });
  });

  test('whose private key alone is another one is told', async () => {
    const it = await start();
    it.emulator.setPlatform(platform('second'));
    expect(await it.reload()).toMatchObject({
      outcome: 'signaled',
      changed: { certificates: ['shop.example'] },
    });
    expect(keyIn(it)).toBe(keyOf('second'));
  });

  test.each<[string, (key: string, rootOnly: string) => void]>([
    ['a link to a file of root', (key, rootOnly) => symlinkSync(rootOnly, key)],
    ['a link to an endless device', (key) => symlinkSync('/dev/zero', key)],
    ['a FIFO', (key) => execFileSync('mkfifo', [key])],
    ['another key', (key) => writeFileSync(key, keyOf('planted'))],
  ])('whose key the app has replaced by %s is not written from it', async (_what, plant) => {
    const it = await start();
    const rootOnly = join(it.directory, 'root-only');
    writeFileSync(rootOnly, keyOf('of root'), { mode: 0o600 });
    rmSync(it.inside(keyPath));
    plant(it.inside(keyPath), rootOnly);
    it.emulator.setAnswer(path, beingRenewed);
    await it.killBrain();
    await it.reload();
    expect(served(it)).toEqual([]);
    it.emulator.setAnswer(path, undefined);
    await it.reload();
    expect(keyIn(it)).toBe(keyOf('first'));
  });
});

describeContainer('of the certificates on disk', () => {
  test('the one that was written before the last one is not taken for it, where the app has put it back', async () => {
    const it = await start({ args: reader(), reload: { action: 'none' } });
    it.emulator.setPlatform(platform('second'));
    expect(await it.reload()).toMatchObject({ outcome: 'applied' });
    it.emulator.setAnswer(path, beingRenewed);
    writeFileSync(it.inside(keyPath), keyOf('first'));
    await it.killBrain();
    expect(served(it)).toEqual([]);
  });

  test('the one before the last one is none of them, also where a brain ended when it had just replaced it', async () => {
    const it = await start({ args: reader(), reload: { action: 'none' } });
    const brain = await it.brain();
    const killer = await startKiller(it, brain);
    it.emulator.setPlatform(platform('second'));
    const answer = it.reload().catch(() => undefined);
    await killer.stdout.waitFor('done');
    await Promise.all([answer, it.brain(brain)]);
    await it.counted('unchanged', 1);
    it.emulator.setAnswer(path, beingRenewed);
    writeFileSync(it.inside(keyPath), keyOf('first'));
    await it.killBrain();
    expect(served(it)).toEqual([]);
  });

  test('the one before stays in which a new one was not written, and with it what the next brain knows', async () => {
    const directory = '/run/small/tls';
    const it = await start({
      before: 'mkdir /run/small && mount -t tmpfs -o size=64k tmpfs /run/small',
      init: { certificates: { directory } },
    });
    const certificate = { domains: ['shop.example'], private_key: keyOf('second') };
    const large = `${bundle}${'x'.repeat(100_000)}`;
    it.emulator.setPlatform(platform('', { certificates: [{ ...certificate, bundle: large }] }));
    expect(await it.reload()).toMatchObject({ outcome: 'failed' });
    it.emulator.setAnswer(path, beingRenewed);
    await it.killBrain();
    await it.counted('unchanged', 1);
    const key = readFileSync(it.inside(`${directory}/shop.example/privkey.pem`), 'utf8');
    expect(key).toBe(keyOf('first'));
  });
});

/** Kills a process as soon as a link leads elsewhere: looked for without a pause, by a process that does nothing else. */
const killAtOnce = `
  const { readlinkSync } = require('node:fs');
  const [link, pid] = process.argv.slice(1);
  const before = readlinkSync(link);
  console.log('ready');
  while (readlinkSync(link) === before);
  process.kill(Number(pid), 'SIGKILL');
  console.log('done');`;

async function startKiller(it: Followed, brain: number) {
  const killer = startProcess(process.execPath, [
    '-e',
    killAtOnce,
    it.inside('/run/tls'),
    `${brain}`,
  ]);
  await killer.stdout.waitFor('ready');
  return killer;
}

/** What an app does first: the brain beside it has no time for anything. */
const killBrain = `for process in /proc/[0-9]*; do
  test $process/exe -ef ${process.execPath} && kill -9 \${process#/proc/}
done`;

describeContainer(
  'a certificate that was written stays where the next answer is without its text, and',
  () => {
    test('the app was never told, because it does not catch the signal', async () => {
      const it = await start({ args: reader() });
      it.emulator.setPlatform(platform('second'));
      expect(await it.reload()).toMatchObject({ outcome: 'signal-held' });
      it.emulator.setAnswer(path, beingRenewed);
      await it.killBrain();
      expect(keyIn(it)).toBe(keyOf('second'));
      // Nor has anybody told it in the meantime.
      expect(await it.reload()).toMatchObject({ outcome: 'signal-held' });
      expect(keyIn(it)).toBe(keyOf('second'));
    });

    test('the brain was killed while the reload command ran', async () => {
      const it = await start({
        reload: {
          action: 'command',
          command: ['sh', '-c', 'echo x >> /run/ran; sleep 5'],
          deadline: '10s',
        },
      });
      it.emulator.setPlatform(platform('second'));
      const answer = it.reload().catch(() => undefined);
      await eventually(() => expect(readFileSync(it.inside('/run/ran'), 'utf8')).toBe('x\n'));
      it.emulator.setAnswer(path, beingRenewed);
      process.kill(await it.brain(), 'SIGKILL');
      await answer;
      // What was not told is told again.
      await eventually(() => expect(readFileSync(it.inside('/run/ran'), 'utf8')).toBe('x\nx\n'));
      expect(keyIn(it)).toBe(keyOf('second'));
    });

    test.each([
      ['little', 3],
      // Its memo is not deflated, and larger than what the kernel takes at once for pid1.
      ['much', 1400],
    ])(
      'the brain, which knows %s, was killed when the files were hardly new',
      async (_how, count) => {
        const names = Array.from({ length: count }, (_, n): [string, string] => [
          `service-${n}`,
          '10.0.0.9',
        ]);
        const services = Object.fromEntries([
          ...names,
          ['web', '10.0.0.10'],
          ['my-db', '10.0.0.20'],
        ]);
        const it = await start({ platform: platform('first', { services }) });
        const brain = await it.brain();
        const killer = await startKiller(it, brain);
        it.emulator.setPlatform(platform('second', { services }));
        const answer = it.reload().catch(() => undefined);
        await killer.stdout.waitFor('done');
        it.emulator.setAnswer(path, beingRenewed);
        await Promise.all([answer, it.brain(brain)]);
        await it.stdout.waitFor('HUP');
        await eventually(it.reload); // The next brain may have begun only now.
        expect(keyIn(it)).toBe(keyOf('second'));
      },
    );

    test('the brain was killed when the app had hardly been started', async () => {
      const emulator = await startPlatform(platform('first'));
      const { stdout, initPid, stderr } = startContainer({
        emulator,
        config: configOf({ init: { certificates: { directory: '/run/tls' } } }),
        args: ['--', 'sh', '-c', `${killBrain}; echo start; ${idle}`],
      });
      await stdout.waitFor('start');
      emulator.setAnswer(path, beingRenewed);
      const inside = `/proc/${await initPid()}/root`;
      await eventually(() => expect(emulator.countRequests(path)).toBe(2));
      await eventually(async () => {
        const { body } = await askSocket(`${inside}/run/warp-init/control.sock`, '/status', {
          method: 'GET',
        });
        expect(body).toMatchObject({
          reload: { byOutcome: { unchanged: 1 } },
          init: { brainStarts: 2 },
        });
      });
      expect(readFileSync(`${inside}${keyPath}`, 'utf8')).toBe(keyOf('first'));
      expect(stderr.text()).toContain('W_CERTIFICATE_PEM');
    });
  },
);
