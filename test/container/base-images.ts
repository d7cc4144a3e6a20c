// Stand-ins for the images that a Dockerfile names, where no registry can be reached: Debian's own programs of this
// machine, nginx of its archive, Node and npm from npm, under the names of the real ones.
//
// What they share with those: layout, users, libraries, PATH. What they lack: everything that no test needs.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { fetchNode } from '../../src/build/overlay-node.ts';
import { type Storage, podmanSays } from './podman.ts';

const nodeImage = 'docker.io/library/node:24-bookworm-slim';
export const distrolessImage = 'gcr.io/distroless/nodejs24-debian12:latest';
export const alpineImage = 'docker.io/library/alpine:3.22';
export const pythonImage = 'docker.io/library/python:3-slim';
export const nginxImage = 'docker.io/library/nginx:1';

/** Node comes without it. */
const npmVersion = '11.21.2';

const cacheDirectory = new URL('../../node_modules/.cache/warp-init-overlay', import.meta.url)
  .pathname;

export async function buildBaseImages(storage: Storage): Promise<void> {
  const { directory } = storage;
  // The one of the overlay, so that it is fetched once.
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
  const { file: node } = fetchNode(architecture, { cacheDirectory, scratch: directory });
  const quietly = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['install', '--prefix', directory, ...quietly, `npm@${npmVersion}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const npm = join(directory, 'node_modules/npm');
  await Promise.all([
    importImage(storage, nodeImage, (root) => fillNode(root, { node, npm })),
    importImage(storage, distrolessImage, (root) => fillDistroless(root, node)),
    importImage(storage, alpineImage, fillAlpine),
    importImage(storage, pythonImage, fillPython),
    importImage(storage, nginxImage, (root) => fillNginx(root, unpackDebian('nginx', directory))),
  ]);
}

async function importImage(
  storage: Storage,
  name: string,
  fill: (root: string) => readonly string[],
): Promise<void> {
  const root = join(storage.directory, 'base', basename(name).replace(':', '-'));
  mkdirSync(root, { recursive: true });
  const changes = fill(root).flatMap((change) => ['--change', change]);
  const archive = `${root}.tar`;
  execFileSync('tar', ['--owner=0', '--group=0', '-cf', archive, '-C', root, '.']);
  await podmanSays(storage, ['import', '--quiet', ...changes, archive, name]);
}

const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Debian's essential packages, as far as scripts and npm need them. */
const debian =
  'base-files bash coreutils dash debianutils findutils grep hostname libc-bin sed tar';

function fillNode(root: string, { node, npm }: { node: string; npm: string }): string[] {
  makeDirectories(root);
  const listed = execFileSync('dpkg-query', ['-L', ...debian.split(' ')], { encoding: 'utf8' });
  const programs = listed.split('\n').filter((path) => /^(?:\/usr)?\/s?bin\/[^/]+$/.test(path));
  for (const path of programs.filter((it) => lstatSync(it, { throwIfNoEntry: false }))) {
    copy(path, join(root, underUsr(path)));
  }

  copyLibraries(root, [...programs, node]);
  copy(node, join(root, 'usr/local/bin/node'));
  copy(npm, join(root, 'usr/local/lib/node_modules/npm'));
  for (const name of ['npm', 'npx']) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/local/bin', name));
  }

  writeAccounts(root, { node: 1000 });
  writeFileSync(join(root, 'etc/nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files dns\n');
  writeFileSync(join(root, 'etc/host.conf'), 'multi on\n'); // Of base-files.
  mkdirSync(join(root, 'home/node'), { recursive: true });
  return [`ENV PATH=${usualPath}`, 'CMD ["node"]'];
}

/** No shell, and no library but those that Node itself needs. */
function fillDistroless(root: string, node: string): string[] {
  makeDirectories(root);
  copyLibraries(root, [node]);
  copy(node, join(root, 'nodejs/bin/node'));
  writeAccounts(root, { nonroot: 65_532 });
  writeFileSync(join(root, 'etc/nsswitch.conf'), 'passwd: files\nhosts: files dns\n');
  return [`ENV PATH=${usualPath}`, 'ENTRYPOINT ["/nodejs/bin/node"]'];
}

/** musl and busybox; no glibc, no Node. */
function fillAlpine(root: string): string[] {
  makeDirectories(root);
  const busybox = '/usr/bin/busybox';
  copy(existsSync(busybox) ? busybox : '/bin/busybox', join(root, 'usr/bin/busybox'));
  const applets = execFileSync('busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const applet of applets.filter((name) => name !== 'busybox')) {
    symlinkSync('busybox', join(root, 'usr/bin', applet));
  }

  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const loader = `ld-musl-${machine}.so.1`;
  cpSync(realpathSync(`/lib/${loader}`), join(root, 'usr/lib', loader));
  writeAccounts(root, {});
  return [`ENV PATH=${usualPath}`, 'CMD ["/bin/sh"]'];
}

/** Debian's Python, with glibc and a shell; no Node. */
function fillPython(root: string): string[] {
  makeDirectories(root);
  const python = realpathSync('/usr/bin/python3');
  copyLibraries(root, [python, '/bin/sh']);
  copy(realpathSync('/bin/sh'), join(root, 'usr/bin/sh'));
  copy(python, join(root, 'usr/bin/python3'));
  const modules = join('usr/lib', basename(python));
  cpSync(join('/', modules), join(root, modules), { recursive: true, filter: isNeededModule });
  writeAccounts(root, {});
  writeFileSync(join(root, 'etc/nsswitch.conf'), 'passwd: files\nhosts: files dns\n');
  return [`ENV PATH=${usualPath}`, 'CMD ["python3"]'];
}

function isNeededModule(path: string): boolean {
  return !/\/(?:__pycache__|test|dist-packages|config-[^/]*)$/.test(path);
}

/** The official image's nginx.conf, as far as it matters here, its entrypoint and its user. */
function fillNginx(root: string, unpacked: string): string[] {
  makeDirectories(root);
  const nginx = join(unpacked, 'usr/sbin/nginx');
  copyLibraries(root, [nginx, '/bin/sh']);
  copy(realpathSync('/bin/sh'), join(root, 'usr/bin/sh'));
  copy(nginx, join(root, 'usr/sbin/nginx'));
  for (const name of ['etc/nginx/conf.d', 'var/log/nginx', 'var/lib/nginx']) {
    mkdirSync(join(root, name), { recursive: true });
  }

  symlinkSync('/dev/stdout', join(root, 'var/log/nginx/access.log'));
  symlinkSync('/dev/stderr', join(root, 'var/log/nginx/error.log'));
  writeFileSync(join(root, 'etc/nginx/nginx.conf'), nginxConfig);
  const entrypoint = join(root, 'docker-entrypoint.sh');
  writeFileSync(entrypoint, '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
  writeAccounts(root, { nginx: 101 });
  writeFileSync(join(root, 'etc/nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files dns\n');
  return [
    `ENV PATH=${usualPath}`,
    'ENTRYPOINT ["/docker-entrypoint.sh"]',
    'STOPSIGNAL SIGQUIT',
    'CMD ["nginx", "-g", "daemon off;"]',
  ];
}

const nginxConfig = `user nginx;
worker_processes auto;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
  access_log /var/log/nginx/access.log combined;
  include /etc/nginx/conf.d/*.conf;
}
`;

/** Where a package of the archive is unpacked: to install nginx would start it on this machine. */
function unpackDebian(name: string, directory: string): string {
  const downloaded = join(directory, 'debian');
  const unpacked = join(downloaded, name);
  mkdirSync(unpacked, { recursive: true });
  const { status, stderr } = spawnSync('apt-get', ['download', '--quiet=2', name], {
    cwd: downloaded,
    encoding: 'utf8',
  });
  if (status !== 0) {
    throw new Error(`Cannot get the package ${name}. Run apt-get update.\n${stderr}`);
  }

  const files = readdirSync(downloaded).filter((it) => it.startsWith(`${name}_`));
  execFileSync('dpkg-deb', ['--extract', join(downloaded, files[0] ?? ''), unpacked]);
  return unpacked;
}

const ofRoot = ['etc', 'proc', 'sys', 'dev', 'run', 'tmp', 'var', 'root', 'home'];
const ofUsr = ['bin', 'sbin', 'lib', 'lib64', 'local/bin', 'local/lib/node_modules', 'local/etc'];

function makeDirectories(root: string): void {
  for (const name of [...ofRoot, ...ofUsr.map((it) => `usr/${it}`)]) {
    mkdirSync(join(root, name), { recursive: true });
  }

  execFileSync('chmod', ['1777', join(root, 'tmp')]);
  symlinkSync('/run', join(root, 'var/run'));
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    symlinkSync(`usr/${name}`, join(root, name));
  }
}

/** What the loader would load, by ldd(1), and the loader. */
function copyLibraries(root: string, programs: readonly string[]): void {
  const listed = execFileSync(
    'sh',
    ['-c', 'for file; do ldd "$file" 2>/dev/null; done; true', 'sh', ...programs],
    { encoding: 'utf8' },
  );
  for (const path of new Set(listed.match(/\/\S+\.so\S*/g))) {
    const target = join(root, underUsr(path));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(realpathSync(path), target);
  }
}

function underUsr(path: string): string {
  return path.startsWith('/usr/') ? path : `/usr${path}`;
}

/** Links as they are. */
function copy(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
}

function writeAccounts(root: string, users: Readonly<Record<string, number>>): void {
  const all = Object.entries({ root: 0, nobody: 65_534, ...users });
  const passwd = all.map(([name, id]) => `${name}:x:${id}:${id}::/:/bin/sh\n`).join('');
  const group = all.map(([name, id]) => `${name}:x:${id}:\n`).join('');
  writeFileSync(join(root, 'etc/passwd'), passwd);
  writeFileSync(join(root, 'etc/group'), group);
}
