// Images without Node, as directories, with the overlay unpacked over them; and containers of them: chroot in namespaces.
//
// `scratch` holds one static program. `musl` and `glibc` have a C library, and what an image may hold against a Node that
// it does not know: variables, an object to preload, and libraries of the right names that are none.
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

import { startEmulator } from '../../src/emulator/server.ts';
import { type Init, isRoot, startInit } from '../helpers/pid1.ts';

const root = new URL('../../', import.meta.url).pathname;

export type ImageKind = 'scratch' | 'scratch for arm64' | 'musl' | 'glibc';

export type Image = {
  readonly kind: ImageKind;
  /** Its root, from here. */
  readonly directory: string;
};

/** What is in the way of building an overlay here; undefined: nothing. */
export const noOverlayBecause = findObstacle();

export type Ended = {
  readonly status: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
};

/** Runs the script of `npm run build:overlay`; dist/ is built by now. Whoever waits for it need not be a test. */
export function buildOverlay(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  // What it makes does not depend on who makes it: here nobody else may read it.
  const script = ['umask 077; exec "$@"', 'sh', process.execPath, '--import', 'tsx'];
  return new Promise((resolve) => {
    const child = execFile(
      'sh',
      ['-c', ...script, join(root, 'src/build/overlay.ts'), ...args],
      { cwd: root, env: { ...process.env, ...env } },
      (_error, stdout, stderr) =>
        resolve({ status: child.exitCode ?? child.signalCode ?? 'SIGKILL', stdout, stderr }),
    );
  });
}

/** Copies share the files of `overlay`, which is an archive that was unpacked. */
export function createImage(kind: ImageKind, overlay: string): Image {
  const directory = mkdtempSync(join(tmpdir(), `overlay-${kind}-`));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  execFileSync('cp', ['--recursive', '--link', '--no-dereference', `${overlay}/.`, directory]);
  for (const name of ['dev', 'etc', 'proc', 'sys', 'image/bin', 'image/lib']) {
    mkdirSync(join(directory, name), { recursive: true });
  }

  writeFileSync(join(directory, 'etc/hosts'), '127.0.0.1 localhost\n');
  const toStatic = `${kind === 'scratch for arm64' ? 'aarch64-linux-gnu-gcc' : 'cc'} -static`;
  compile(toStatic, 'put-environment', join(directory, 'image/put-environment'));
  const app = join(directory, 'app');
  if (kind !== 'musl' && kind !== 'glibc') {
    compile(toStatic, 'print-environment', app);
    return { kind, directory };
  }

  const compiler = kind === 'musl' ? 'musl-gcc' : 'cc';
  compile(compiler, 'print-environment', app);
  for (const file of kind === 'musl' ? [muslLoader()] : librariesOf(app)) {
    mkdirSync(join(directory, dirname(file)), { recursive: true });
    copyFileSync(file, join(directory, file));
  }

  addObstacles(directory, compiler);
  return { kind, directory };
}

/** What an image may say to all that runs in it. None of it is for a Node that the image does not know of. */
export const hostileVariables = {
  NODE_OPTIONS: '--require /image/nowhere.cjs',
  NODE_PATH: '/image/lib',
  NODE_EXTRA_CA_CERTS: '/image/nowhere.pem',
  LD_PRELOAD: '/image/preload.so',
  LD_LIBRARY_PATH: '/image/lib',
  LD_BIND_NOW: '1',
  OPENSSL_CONF: '/image/broken.cnf',
  PATH: '/image/bin',
};

/** What /image/preload.so says in each program that loads it. */
export const preloadSays = 'the object of the image is loaded\n';

function addObstacles(directory: string, compiler: string): void {
  const image = join(directory, 'image');
  const object = `#include <unistd.h>
__attribute__((constructor)) static void say(void)
{
	if (write(2, ${JSON.stringify(preloadSays)}, ${preloadSays.length}) < 0)
		_exit(1);
}
`;
  const options = ['-x', 'c', '-shared', '-fPIC', '-o', join(image, 'preload.so'), '-'];
  execFileSync(compiler, options, { input: object });
  // The app needs none of these.
  for (const name of ['libstdc++.so.6', 'libm.so.6', 'libgcc_s.so.1', 'libdl.so.2']) {
    writeFileSync(join(image, 'lib', name), 'no library\n', { mode: 0o755 });
  }

  writeFileSync(join(image, 'bin/node'), 'no Node\n', { mode: 0o755 });
  writeFileSync(join(image, 'broken.cnf'), 'nodejs_conf = [\n[\n');
}

/**
 * A user namespace has interpreters of its own since Linux 6.7, as long as they are mounted: the machine's stay as they are. The flag F in the line of
 * Debian opens qemu now, so that it need not be in the image.
 */
const newUser = isRoot ? ['unshare', '--user', '--map-root-user'] : [];
const registerArm64 = `
    mount -t binfmt_misc binfmt_misc "$1/sys"
    grep '^:' /usr/lib/binfmt.d/qemu-aarch64.conf > "$1/sys/register"`;

/** Why no container of arm64 can run here; undefined: it can. */
export function findObstacleToArm64(): string | undefined {
  const script = 'mount -t binfmt_misc binfmt_misc /mnt && test -e /mnt/register';
  const isPossible =
    process.arch === 'arm64' ||
    spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', script]).status === 0;
  return isPossible ? undefined : 'a user namespace has no binfmt_misc before Linux 6.7';
}

/** Names, in a place that each program asks, an object that needs a C library newer than any: glibc ends what loads it. */
export function preloadNewer({ directory }: Image): void {
  const place = (name: string) => join(directory, 'image', name);
  const shared = ['-x', 'c', '-shared', '-fPIC', '-nostdlib', '-'];
  writeFileSync(place('versions'), 'GLIBC_2.99 { global: newer; };');
  const library = [...shared, '-Wl,-soname,libc.so.6', `-Wl,--version-script=${place('versions')}`];
  execFileSync('cc', [...library, '-o', place('libc.so.6')], { input: 'void newer(void) {}' });
  const object = 'void newer(void); __attribute__((constructor)) void use(void) { newer(); }';
  const options = [...shared, '-x', 'none', place('libc.so.6'), '-o', place('newer.so')];
  execFileSync('cc', options, { input: object });
  rmSync(place('libc.so.6'));
  writeFileSync(join(directory, 'etc/ld.so.preload'), '/image/newer.so\n');
}

export type RunOptions = {
  readonly env?: Readonly<Record<string, string>>;
};

/** Starts a command in a container of an image, as PID 1. */
export function startIn(
  { kind, directory }: Image,
  command: readonly string[],
  { env = {} }: RunOptions = {},
): Init {
  const isForeign = kind === 'scratch for arm64' && process.arch !== 'arm64';
  const script = `${isForeign ? registerArm64 : ''}
    mount --rbind /dev "$1/dev"
    mount -t proc proc "$1/proc"
    exec chroot "$@"`;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const args = [directory, '/image/put-environment', ...variables, '--', ...command];
  const init = startInit(['-ec', script, 'sh', ...args], {
    role: 'PID 1',
    path: '/bin/sh',
    through: isForeign ? newUser : [],
  });
  init.child.stdin?.end();
  return init;
}

export async function runIn(
  image: Image,
  command: readonly string[],
  options: RunOptions = {},
): Promise<Ended> {
  const init = startIn(image, command, options);
  const status = await init.ended;
  return { status, stdout: init.stdout.text(), stderr: init.stderr.text() };
}

/** A platform with one service, whose socket is in the image. @returns its variables for a container. */
export async function startPlatformIn({
  directory,
}: Image): Promise<Readonly<Record<string, string>>> {
  const emulator = await startEmulator({
    platform: { services: { 'my-db': '10.0.0.20' } },
    socketPath: join(directory, 'image/api.sock'),
  });
  onTestFinished(() => emulator.close());
  return { ...emulator.environment, WARP_INIT_SOCKET: '/image/api.sock' };
}

function compile(compiler: string, source: string, output: string): void {
  const [file = '', ...options] = compiler.split(' ');
  execFileSync(file, [...options, '-O1', '-o', output, `${root}fixtures/programs/${source}.c`]);
}

/** The loader of musl is all of its library, and what its programs name. */
function muslLoader(): string {
  return `/lib/ld-musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`;
}

function librariesOf(file: string): string[] {
  const paths = execFileSync('ldd', [file], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  return paths.filter((path) => basename(path).includes('.so'));
}

function findObstacle(): string | undefined {
  const tools = ['patchelf', 'musl-gcc'].filter((name) => spawnSync(name, ['--version']).error);
  if (tools.length === 0) {
    return undefined;
  }

  const why = `there is no ${tools.join(', no ')}: apt-get install patchelf musl-tools`;
  if (process.env['WARP_INIT_REQUIRE_OVERLAY'] === '1') {
    throw new Error(`Cannot build an overlay, and WARP_INIT_REQUIRE_OVERLAY=1 asks for it: ${why}`);
  }

  return why;
}
