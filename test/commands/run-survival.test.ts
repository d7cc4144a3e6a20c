// After the start nothing that happens to init's brain, its log or its disk touches the app or its status.
//
// Each is provoked from outside, with the real brain as far as one can be made to do it; else with another program where
// the brain's is expected, as after a careless update of an image.
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import type { Emulator } from '../../src/emulator/server.ts';
import { frameType } from '../../src/link/layout.ts';
import {
  blockOf,
  describeContainer,
  startContainer,
  startPlatform,
  temporaryDirectory,
} from '../helpers/container.ts';
import type { Container, ContainerOptions } from '../helpers/container.ts';
import { program } from '../helpers/pid1.ts';
import {
  childRunning,
  childrenOf,
  eventually,
  programOf,
  signalsIn,
  statusField,
} from '../helpers/process.ts';

const [SIGUSR1, SIGUSR2, SIGRTMIN, SIGRTMAX] = [10, 12, 34, 64];
const dist = new URL('../../dist/', import.meta.url).pathname;
const config = `module.exports = { init: {
  exitStatus: '0:33',
  reload: { quiet: '20ms', maxWait: '200ms' },
  platform: { deadline: '1s' },
} };`;

/** It asks pid1 for a link as there is none yet. */
const otherVersion = readFileSync(join(dist, 'warp-init.cjs'), 'utf8').replace(
  /(\.hello\.version!==)\d/,
  (_all, start: string) => `${start}9`,
);

describeContainer('a brain', () => {
  test('that is stopped (SIGSTOP) keeps no signal from the app, and not its end', async () => {
    const shop = await startShop();
    process.kill(await brainOf(shop), 'SIGSTOP');
    await signalApp(shop);
    expect(await end(shop)).toEqual(unharmed);
  });

  test('that is out of memory has a successor, which does what it has not done', async () => {
    const shop = await startShop();
    const brain = await brainOf(shop);
    // Whatever it asks the kernel for from now on it does not get.
    expect(spawnSync('prlimit', [`--pid=${brain}`, '--as=1:1', '--data=1:1']).status).toBe(0);
    let n = 1;
    while (isAlive(brain)) {
      n += 1;
      await shop.emulator.update(platform(n % 256, 'x'.repeat(n * 1000)));
    }

    await brainOf(shop, brain);
    await shows(shop, n % 256);
    await signalApp(shop);
    expect(await end(shop)).toEqual(unharmed);
  });

  test('that dies of what the config has left behind has a successor, and the config is blamed', async () => {
    // At a signal to this process: the config lies in wait in the first brain alone.
    const left = `process.once('SIGUSR2', () => { throw new Error('of the config'); });\n`;
    const shop = await startShop({ beforeConfig: left });
    const brain = await brainOf(shop);
    process.kill(brain, 'SIGUSR2');
    await brainOf(shop, brain);
    await shop.container.stderr.waitFor(
      /"code":"E_CONFIG".*Cannot load the config .*of the config/,
    );
    expect(shop.container.stderr.text()).not.toContain('E_INTERNAL');
    await shows(shop, 1);
    await signalApp(shop);
    expect(await end(shop)).toEqual(unharmed);
  });

  test('that dies of the config when the app has just been launched has a successor, too', async () => {
    // At the frame of the launch; the successor, which reads the same config, sends none.
    const left = `const fs = require('node:fs');
const { writeSync } = fs;
fs.writeSync = (fd, bytes, ...rest) => {
  if (fd === 3 && bytes.readUInt32LE(4) === ${frameType.launch}) {
    setTimeout(() => { throw new Error('of the config'); }, 1);
  }

  return writeSync(fd, bytes, ...rest);
};
`;
    const shop = await startShop({ beforeConfig: left });
    await shop.container.stderr.waitFor(/The brain ended/);
    expect(shop.container.stderr.text()).toMatch(
      /"code":"E_CONFIG".*Cannot load the config .*of the config/,
    );
    expect(shop.container.stderr.text()).not.toMatch(/app was not started|unknown|garbage/);
    await shows(shop, 1);
    await signalApp(shop);
    expect(await end(shop)).toEqual(unharmed);
  });

  test.each([
    ['is of another version', otherVersion],
    ['is not there any more', undefined],
    ['is empty', ''],
    ['is no JavaScript', '\u007fELF'],
    ['fails', 'throw new Error("of the update")'],
    ['kills itself', 'process.kill(process.pid, "SIGKILL")'],
    ['ends with garbage', 'require("fs").writeSync(3, Buffer.alloc(65536, "garbage"))'],
    ['ends with an abort', `require("fs").writeSync(3, Buffer.from([4,0,0,0,3,0,0,0,9,0,0,0]))`],
  ])('whose program %s is started again and again, in vain', async (_what, text) => {
    const shop = await startShop({ isCopy: true });
    await replaceBrain(shop, text);
    await shop.container.stderr.waitFor(/(?:another one starts in \d+ ms[^]*){3}/);
    await signalApp(shop);
    expect(shop.container.stderr.text()).not.toContain('app was not started');
    expect(shop.container.stderr.text()).toMatch(
      text === otherVersion
        ? /"code":"E_VERSION".*"fix":"Install .* one version.*Cannot understand pid1: it speaks version \d+ /
        : 'The brain ended',
    );

    // Until somebody repairs it.
    copyFileSync(join(dist, 'warp-init.cjs'), shop.bundle);
    await shop.emulator.update(platform(2));
    await shows(shop, 2);
    expect(await end(shop)).toEqual(unharmed);
  });

  test.each([
    ['is in an endless loop', 'for (;;);'],
    ['hears nothing', 'setInterval(() => {}, 1000)'],
    [
      'never stops talking',
      `const fs = require("fs"); fs.readSync(3, Buffer.alloc(1 << 20));
       for (;;) fs.writeSync(3, Buffer.from([4,0,0,0,2,0,0,0,1,2,3,4]));`,
    ],
    [
      'asks again and again, and hears no answer',
      `const fs = require("fs"); fs.readSync(3, Buffer.alloc(1 << 20));
       for (;;) try { fs.writeSync(3, Buffer.from([0,0,0,0,8,0,0,0])) } catch { for (;;); }`,
    ],
  ])('whose program %s does not keep signals from the app', async (_what, text) => {
    const shop = await startShop({ isCopy: true });
    const first = await brainOf(shop);
    await replaceBrain(shop, text);
    await brainOf(shop, first);
    await signalApp(shop);
    expect(await end(shop)).toEqual(unharmed);
  });
});

describeContainer('1,000 signals a second', () => {
  test('for two seconds reach the app, each once, and leave the brain alone', async () => {
    const shop = await startShop();
    const { container } = shop;
    const brain = await brainOf(shop);
    const sent: number[] = [];
    for (let tick = 0; tick < 200; tick += 1) {
      const dueAt = performance.now() + 10;
      for (let count = 0; count < 10; count += 1) {
        const number = SIGRTMIN + ((tick * 10 + count) % (SIGRTMAX - SIGRTMIN));
        await container.signal(number);
        sent.push(number);
      }

      await wait(Math.max(0, dueAt - performance.now()));
    }

    await eventually(() => expect(signalsSeen(container)).toHaveLength(sent.length));
    // Of those that wait together the kernel hands out the smaller numbers first.
    expect(sorted(signalsSeen(container))).toEqual(sorted(sent));
    expect(await brainOf(shop)).toBe(brain);
    expect(await end(shop)).toEqual(unharmed);
  });

  test('of a kind that the kernel does not count leave the app the last of them', async () => {
    const shop = await startShop();
    const deadline = performance.now() + 1000;
    while (performance.now() < deadline) {
      await shop.container.signal(SIGUSR1);
      await shop.container.signal('SIGCHLD');
      await shop.container.signal('SIGWINCH');
    }

    await shop.container.signal(SIGUSR2);
    await shop.container.stdout.waitFor(`app got ${SIGUSR2}\n`);
    expect(await end(shop)).toEqual(unharmed);
  });
});

describeContainer('a log', () => {
  const full = 'dd if=/dev/zero of=log bs=64k count=1 oflag=nonblock 2>/dev/null';
  const disk = 'mkdir full; mount -t tmpfs -o size=4k tmpfs full; head -c 4k /dev/zero > full/log';

  test.each([
    ['that nobody reads, and that is full', `exec 9<>log 2>log; ${full}`],
    ['whose reader is gone', 'exec 9<>log 2>log 9<&-'],
    ['that is closed', 'exec 2>&-'],
    ['on a full disk', `${disk}; exec 2>>full/log`],
    ['that is read, and a stdout that is closed', 'exec >&-'],
    ['that is closed, and a stdout that is', 'exec >&- 2>&-'],
    ['that is full, and a stdout that is', 'exec >/dev/full 2>/dev/full'],
  ])('%s: reloads and ends of the brain go on, and the app', async (_what, script) => {
    const shop = await startShop({
      before: `mkfifo log; ${script}`,
      logLevel: 'trace',
      app: 'stay',
    });
    const app = await childOf(shop, 'stay');
    for (let n = 2; n < 5; n += 1) {
      const brain = await brainOf(shop);
      await shop.emulator.update(platform(n));
      await shows(shop, n);
      process.kill(brain, 'SIGKILL');
      await brainOf(shop, brain);
    }

    expect(await childOf(shop, 'stay')).toBe(app);
    await shop.container.signal('SIGTERM');
    expect(await shop.container.ended).toBe(143);
  });
});

describeContainer('a full disk', () => {
  test.each([
    ['from the start', true],
    ['since the start', false],
  ])('for the state, %s: the app has its names and its signals', async (_when, isFull) => {
    const fill = 'head -c 1M /dev/zero > /run/fill 2>/dev/null || true';
    const shop = await startShop({
      before: `mount -t tmpfs -o size=8k,mode=755 tmpfs /run${isFull ? `; ${fill}` : ''}`,
    });
    if (!isFull) {
      const inside = `/proc/${await shop.container.initPid()}/root/run/fill`;
      spawnSync('sh', ['-c', `head -c 1M /dev/zero > ${inside}`]);
    }

    await shop.emulator.update(platform(2));
    await shows(shop, 2);
    await signalApp(shop);
    expect(await end(shop)).toEqual(unharmed);
  });
});

type Shop = {
  readonly emulator: Emulator;
  readonly container: Container;
  /** The brain's program. */
  readonly bundle: string;
};

type ShopOptions = Pick<ContainerOptions, 'before'> & {
  /** The brain's program can be replaced. */
  readonly isCopy?: boolean;
  readonly logLevel?: string;
  readonly app?: keyof typeof appArguments;
  /** Of the operator, at the top of the config. */
  readonly beforeConfig?: string;
};

const appArguments = { 'print-signals': ['app', '15'], stay: [`${SIGUSR2}`] } as const;

/** In its state `n`; `more` makes it larger. */
function platform(n: number, more = ''): PlatformFile {
  return {
    self: 'web',
    services: {
      web: '10.0.0.10',
      'my-db': `10.0.1.${n}`,
      ...(more !== '' && { other: { name: more.slice(0, 60), identifier: more } }),
    },
  };
}

async function startShop({
  isCopy = false,
  before = '',
  logLevel = 'info',
  beforeConfig = '',
  app: appName = 'print-signals',
}: ShopOptions = {}): Promise<Shop> {
  const emulator = await startPlatform(platform(1));
  const directory = temporaryDirectory();
  if (isCopy) {
    copyFileSync(join(dist, 'warp-init'), join(directory, 'warp-init'));
    copyFileSync(join(dist, 'warp-init.cjs'), join(directory, 'warp-init.cjs'));
  }

  const container = startContainer({
    emulator,
    config: beforeConfig + config,
    args: ['--log-level', logLevel, '--', program(appName), ...appArguments[appName]],
    before: [before, isCopy ? `shift; set -- ${directory}/warp-init "$@"` : ''].join('\n'),
  });
  await eventually(() => expect(emulator.listenerCount).toBe(1));
  const shop = { emulator, container, bundle: join(directory, 'warp-init.cjs') };
  const app = await childOf(shop, appName);
  // `stay` ignores it, and its stdout may be closed.
  await (appName === 'stay' ? ignores(app, SIGUSR2) : container.stdout.waitFor('ready'));
  return shop;
}

/** Undefined: there is none any more. Whoever runs is killed. */
async function replaceBrain(shop: Shop, text: string | undefined): Promise<void> {
  if (text === undefined) {
    rmSync(shop.bundle);
  } else {
    writeFileSync(`${shop.bundle}.new`, text);
    renameSync(`${shop.bundle}.new`, shop.bundle);
  }

  process.kill(await brainOf(shop), 'SIGKILL');
}

async function childOf({ container }: Shop, name: string): Promise<number> {
  return childRunning(await container.initPid(), name);
}

async function brainOf({ container }: Shop, other?: number): Promise<number> {
  const init = await container.initPid();
  return eventually(() => {
    const brain = childrenOf(init).find((pid) => programOf(pid).endsWith('/node') && pid !== other);
    if (brain === undefined) {
      throw new Error('there is no brain');
    }

    return brain;
  });
}

function ignores(pid: number, number: number): Promise<void> {
  return eventually(() => {
    if (!signalsIn(pid, 'SigIgn').includes(number)) {
      throw new Error(`${pid} does not ignore ${number} yet`);
    }
  });
}

function isAlive(pid: number): boolean {
  try {
    return !/^[ZX]/.test(statusField(pid, 'State'));
  } catch {
    return false; // ENOENT: it was reaped.
  }
}

/** The state of the platform that the app sees. */
async function shows({ container }: Shop, n: number): Promise<void> {
  await eventually(() => expect(blockOf(container.hosts())).toContain(`10.0.1.${n} my-db.warp`));
}

async function signalApp({ container }: Shop): Promise<void> {
  for (const number of [SIGUSR1, SIGUSR2, SIGRTMAX]) {
    await container.signal(number);
    await container.stdout.waitFor(`app got ${number}\n`);
  }
}

/** It was the same all the time, and its status (0) is ours, as config has it. */
const unharmed = { status: 33, starts: 1 };

/** By TERM. */
async function end({ container }: Shop): Promise<unknown> {
  await container.signal('SIGTERM');
  const status = await container.ended;
  return { status, starts: container.stdout.text().match(/ready/g)?.length };
}

function sorted(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b);
}

function signalsSeen({ stdout }: Container): number[] {
  return [...stdout.text().matchAll(/^app got (\d+)$/gm)].map(([, number]) => Number(number));
}
