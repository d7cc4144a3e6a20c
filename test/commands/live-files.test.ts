// Files at a reload: what changed is new and whole whenever somebody looks, and nothing else is touched.
import { lstatSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { readerGraceMs } from '../../src/apply/write-in-place.ts';
import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import { tarGz } from '../apply/tar-writer.ts';
import { describeContainer, startContainer, startPlatform } from '../helpers/container.ts';
import type { Container } from '../helpers/container.ts';
import { program } from '../helpers/pid1.ts';
import { eventually, startProcess } from '../helpers/process.ts';
import type { Running } from '../helpers/process.ts';

/** The number of the generation of each part. */
type Parts = {
  readonly service: number;
  readonly key: number;
  readonly bundle: number;
  readonly certificate: number;
};

const first: Parts = { service: 1, key: 1, bundle: 1, certificate: 1 };

const config = `const cwd = process.cwd();
module.exports = { init: {
  reload: { quiet: '20ms', maxWait: '200ms' },
  stateDirectory: cwd + '/state',
  envFile: '/run/env',
  certificates: { directory: cwd + '/tls' },
  secrets: {
    env: { KEY: 'key' },
    files: [
      { secret: 'key', path: cwd + '/key' },
      { secret: 'steady', path: cwd + '/steady' },
      { secret: 'bundle', path: cwd + '/bundle', decode: 'base64', unpack: 'tar' },
      { secret: 'steady-bundle', path: cwd + '/steady-bundle', decode: 'base64', unpack: 'tar' },
    ],
  },
} };`;

const files = ['key', 'steady', 'state/ist.json', '../etc/hosts'];
const directories = ['bundle', 'steady-bundle', 'tls'];

describeContainer(
  'a reload writes what has changed, and what has not keeps inode and times:',
  () => {
    test.each<[string, Partial<Parts>, readonly string[]]>([
      ['a secret that is a file and a variable', { key: 2 }, ['key', 'env']],
      ['a secret that is an archive', { bundle: 2 }, ['bundle']],
      ['a certificate', { certificate: 2 }, ['tls']],
      ['the address of a service', { service: 2 }, ['state/ist.json', '../etc/hosts', 'env']],
    ])('%s', async (_what, parts, changed) => {
      const { container, emulator } = await startShop();
      const before = await stateOf(container);
      await emulator.update(shop({ ...first, ...parts }));
      await container.stderr.waitFor('Reload: applied');
      const after = await stateOf(container);
      const names = Object.keys(after).filter((name) => after[name] !== before[name]);
      expect(names.toSorted()).toEqual(changed.toSorted());
      for (const directory of directories.filter((name) => changed.includes(name))) {
        // Whoever has resolved the old one reads on in it.
        const old = before[directory]?.split(' ')[0] ?? '';
        expect(lstatSync(join(container.directory, old)).isDirectory()).toBe(true);
      }
    });
  },
);

describeContainer('a reload', () => {
  test('writes what the platform says by then', async () => {
    const { container, emulator } = await startShop();
    const parts = { service: 2, key: 3, bundle: 4, certificate: 5 };
    await emulator.update(shop(parts));
    await container.stderr.waitFor('Reload: applied');
    const read = (path: string) => readFileSync(join(container.directory, path), 'utf8');
    expect(read('key')).toBe(generation(3));
    expect(read('bundle/a')).toBe(generation(4));
    expect(read('tls/shop.example/privkey.pem')).toBe(pem(5));
    expect(read('state/ist.json')).toContain('"WARP_IST_name-1":"10.2.0.1"');
    expect(read('../etc/hosts')).toContain('10.2.0.1 name-1.warp');
  });
});

describeContainer('readers in a tight loop', () => {
  test('find every file whole, a directory of one generation, each name, at each of 15 reloads', async () => {
    const { container, emulator } = await startShop();
    const path = (name: string) => join(container.directory, name);
    const key = startReader('generation-reader', [path('key')]);
    const all = [
      key,
      startReader('generation-reader', [path('bundle'), 'a', 'b']),
      startReader('generation-reader', [
        path('tls'),
        'shop.example/fullchain.pem',
        'shop.example/privkey.pem',
      ]),
    ];
    const names = services.map((n) => `name-${n}`);
    const hosts = startReader('hosts-reader', [
      path('../etc/hosts'),
      String(readerGraceMs),
      ...names,
    ]);
    await Promise.all([
      hosts.stdout.waitFor('ready'),
      ...all.map((it) => it.stdout.waitFor(/^1$/m)),
    ]);
    for (let n = 2; n <= 15; n += 1) {
      await emulator.update(shop({ service: n, key: n, bundle: n, certificate: n }));
      await key.stdout.waitFor(new RegExp(`^${n}$`, 'm'));
    }

    await emulator.update(shop({ service: 0, key: 0, bundle: 0, certificate: 0 }));
    for (const reader of all) {
      expect(await resultOf(reader)).toEqual({
        reads: expect.any(Number),
        torn: 0,
        mixed: 0,
        errors: [],
      });
    }

    expect(await resultOf(hosts)).toMatchObject({ empty: 0, torn: [], missing: [] });
  });
});

const services = [1, 2, 3, 4, 5];

/** Whose service 0 has the address that ends the reader of hosts, in generation 0. */
function shop({ service, key, bundle, certificate }: Parts): PlatformFile {
  const archive = (n: number) =>
    tarGz(['a', 'b'].map((path) => ({ path, content: generation(n) }))).toString('base64');
  return {
    self: 'name-9',
    services: {
      'name-9': '10.0.0.9',
      ...Object.fromEntries(services.map((n) => [`name-${n}`, `10.${service}.0.${n}`])),
      'name-0': service === 0 ? '10.0.0.0' : '10.1.0.0',
    },
    secrets: {
      key: generation(key),
      steady: 'steady-secret',
      bundle: archive(bundle),
      'steady-bundle': archive(1),
    },
    certificates: [
      { domains: ['shop.example'], private_key: pem(certificate), bundle: pem(certificate) },
      { domains: ['steady.example'] },
    ],
  };
}

/** What fixtures/programs/generation-reader.mjs reads. */
function generation(n: number): string {
  return `${`${n}\n`.repeat(500)}end`;
}

function pem(n: number): string {
  return `-----BEGIN NUMBERS-----\n${`${n}\n`.repeat(500)}-----END NUMBERS-----\nend`;
}

async function startShop() {
  const emulator = await startPlatform(shop(first));
  const container = startContainer({
    emulator,
    config,
    hosts: '',
    before: 'chmod 700 .',
    args: ['--', program('print-signals'), 'app', '15'],
  });
  await container.stdout.waitFor('ready');
  // The start asks once, and the first connection once more: by then each answer was of the first generation.
  await eventually(() => {
    expect(paths.map((path) => emulator.countRequests(path))).toEqual(paths.map(() => 2));
  });
  return { emulator, container };
}

const paths = [
  '/v1/environment/containers',
  '/v1/environment/instances',
  '/v1/environment/scoped-variables',
  '/v1/containers/certificates',
];

/** By name: the inode and the time of a file; of a directory, the generation and those of its files. */
async function stateOf({
  directory,
  initPid,
}: Container): Promise<Readonly<Record<string, string>>> {
  const env = `/proc/${await initPid()}/root/run/env`;
  return Object.fromEntries([
    ...files.map((name) => [name, signatureOf(join(directory, name))]),
    ['env', signatureOf(env)],
    ...directories.map((name) => [
      name,
      `${readlinkSync(join(directory, name))} ${signatureOf(realpathSync(join(directory, name)))}`,
    ]),
  ]);
}

function signatureOf(path: string): string {
  const { ino, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
  return `${ino} ${mtimeNs} ${ctimeNs}`;
}

function startReader(name: string, args: readonly string[]): Running {
  const reader = new URL(`../../fixtures/programs/${name}.mjs`, import.meta.url).pathname;
  return startProcess(process.execPath, [reader, ...args]);
}

/** The line of JSON at its end. */
async function resultOf(reader: Running): Promise<unknown> {
  expect(await reader.ended).toBe(0);
  return JSON.parse(reader.stdout.text().trimEnd().split('\n').at(-1) ?? '');
}
