// `warp-init bundle`: what a maintainer needs is in the archive, and no secret of the container, in no form.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { unpackArchive } from '../../src/apply/unpack-archive.ts';
import { SecretBytes } from '../../src/core/secret.ts';
import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import {
  describeContainer,
  runContainer,
  startPlatform,
  temporaryDirectory,
} from '../helpers/container.ts';
import type { ContainerOptions } from '../helpers/container.ts';

const warpInit = new URL('../../dist/warp-init', import.meta.url).pathname;

const shop: PlatformFile = {
  token: 'token-of-sesame',
  self: 'web',
  services: { web: '10.0.0.10', 'my-db': '10.0.0.20' },
  secrets: {
    password: 'remote-sesame "quoted" \\back é',
    document: 'DOCUMENTED="documented-sesame"\nSECOND=second-sesame\n',
    file: 'filed-sesame\nof-two-lines',
  },
};

/** All that nobody but the operator may know; each has `sesame` in it. */
const secrets = [
  'token-of-sesame',
  'remote-sesame "quoted" \\back é',
  'documented-sesame',
  'second-sesame',
  'filed-sesame',
  'inherited-sesame {}"\\',
  'dotenv-sesame',
  'literal-sesame',
  'argument-sesame',
  'host-of-sesame',
];

/** A config that is careless with what it knows. */
const config = `
console.log(JSON.stringify(process.env));
console.error(JSON.stringify({ name: 'theirs', msg: process.env.INHERITED }));
module.exports = {
  variables: { LITERAL: 'literal-sesame', COPY: process.env.INHERITED, LOCAL: { local: true } },
  ist: [{ service: 'my-bd', variables: 'DB' }],
  init: {
    dotenv: 'some.env',
    secrets: {
      env: { PASSWORD: 'password' },
      dotenv: ['document'],
      files: { secret: 'file', path: '/run/app/file' },
    },
    envFile: true,
    reload: { action: 'command', command: ['sh', '-c', 'env; env >&2'], quiet: '20ms' },
  },
};`;

type Bundle = {
  /** By name. */
  readonly files: ReadonlyMap<string, string>;
  readonly json: (name: string) => Record<string, unknown>;
};

function unpack(path: string): Bundle {
  // Ours wants it whole, tar(1) takes what there is.
  const use = { identifier: 'bundle', path, allowEmpty: false };
  expect(unpackArchive(new SecretBytes(readFileSync(path)), use).length).toBeGreaterThan(1);
  const directory = temporaryDirectory();
  const { status, stderr } = spawnSync('tar', ['xzf', path, '-C', directory], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  expect(readdirSync(directory)).toEqual(['warp-init-bundle']);
  const root = join(directory, 'warp-init-bundle');
  const files = new Map(
    readdirSync(root).map((name) => [name, readFileSync(join(root, name), 'utf8')]),
  );
  return { files, json: (name) => JSON.parse(files.get(name) ?? '') };
}

/** A text as it may look in another one: as it is, escaped, or in base64 wherever it begins. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // The first and the last characters depend on the neighbours.
    const inner = text.slice(shift === 0 ? 0 : 4).replace(/.{0,4}$/, '');
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    bytes.toString('hex'),
    ...base64,
  ].filter(({ length }) => length >= 6);
}

function expectNoSecret({ files }: Bundle): void {
  const all = [...files].flat().join('\n');
  for (const form of secrets.flatMap(formsOf)) {
    expect(all).not.toContain(form);
  }

  expect(all).not.toContain('sesame');
  expect(all).not.toContain(Buffer.from('sesame').toString('hex'));
}

test('the forms of a secret are found where one is in a text', () => {
  for (const secret of secrets) {
    for (const before of ['', 'a', 'ab']) {
      const text = Buffer.from(`${before}${secret} and so on`).toString('base64');
      expect(formsOf(secret).some((form) => text.includes(form))).toBe(true);
    }
  }
});

const careless: ContainerOptions = {
  config,
  files: { 'some.env': 'FROM_FILE=dotenv-sesame\nLOCAL=dotenv-sesame\n' },
  env: { INHERITED: 'inherited-sesame {}"\\', TAG: 'host-of-sesame' },
  hosts: '127.0.0.1 localhost\n10.9.9.9 host-of-sesame\n',
};

describeContainer('beside a running init', () => {
  // As `docker exec` has it: the environment of the container, and not what init has made of it.
  const names = ['PATH', 'CYCLE_API_TOKEN', 'CYCLE_INSTANCE_ID', 'INHERITED', 'TAG'];
  const exec = `env -i ${names.map((name) => `"${name}=$${name}"`).join(' ')} ${warpInit}`;

  test('has everything but secrets', async () => {
    const emulator = await startPlatform(shop);
    const script = `until ${warpInit} health >/dev/null 2>&1; do sleep 0.05; done
      sed -i 's/"DB"/"DB2"/; s/literal-/another-literal-/' warp.config.js
      ${warpInit} reload >/dev/null
      ${exec} bundle new.tar.gz`;
    const archive = join(temporaryDirectory(), 'new.tar.gz');
    const { status, stdout } = await runContainer({
      ...careless,
      // What the config and the command print is theirs to say, but not on a log that is looked through here.
      before: 'exec 2>said',
      emulator,
      args: ['--socket', emulator.socketPath, '--', 'sh', '-c'].concat(
        `${script} && cp -p new.tar.gz "$1"`,
        'sh',
        archive,
        '--password=argument-sesame',
      ),
    });

    expect(status).toBe(0);
    expect(stdout).toMatch(/Wrote new\.tar\.gz, \d+ bytes: about\.json, /);
    expect((statSync(archive).mode & 0o777).toString(8)).toBe('600');

    const bundle = unpack(archive);
    expectNoSecret(bundle);
    expect([...bundle.files.keys()].toSorted()).toEqual([
      'about.json',
      'check.json',
      'check.log',
      'debug.json',
      'debug.log',
      'hosts',
      'init.log',
      'ist.json',
      'nsswitch.conf',
      'resolv.conf',
      'status.json',
    ]);
    expect(bundle.json('about.json')).toMatchObject({
      version: 1,
      node: { version: process.version },
      pid1: 'warp-init',
    });
    expect(bundle.json('debug.json')).toMatchObject({
      version: 1,
      identity: { container: { name: 'web' } },
      variables: expect.arrayContaining([
        expect.objectContaining({ name: 'COPY', value: null, hidden: 'bundle' }),
        expect.objectContaining({ name: 'WARP_IST_my_db', value: '10.0.0.20' }),
      ]),
      start: { program: '/usr/bin/sh' },
    });
    expect(bundle.json('check.json')).toMatchObject({
      version: 1,
      findings: expect.arrayContaining([
        expect.objectContaining({ id: 'names', verdict: 'ok' }),
        expect.objectContaining({ id: 'ist', code: 'W_IST_UNKNOWN_SERVICE' }),
      ]),
    });
    expect(bundle.json('status.json')).toMatchObject({ version: 1, init: { isPid1: true } });
    expect(bundle.json('ist.json')).toMatchObject({ hostnames: { 'my-db.warp': ['10.0.0.20'] } });
    expect(bundle.files.get('hosts')).toMatch(/^10\.0\.0\.20 my-db\.warp/m);
    expect(bundle.files.get('hosts')).toContain('10.9.9.9 [secret]');
    expect(bundle.files.get('nsswitch.conf')).toBe('hosts: files dns\n');
    const log = (bundle.files.get('init.log') ?? '').trim().split('\n');
    expect(log.map((line) => JSON.parse(line))).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ code: 'W_IST_UNKNOWN_SERVICE' }),
        expect.objectContaining({ from: 'reload command', msg: '[output]' }),
      ]),
    );
  });
});

async function bundleTo(options: ContainerOptions): Promise<Bundle & { status: unknown }> {
  const archive = join(temporaryDirectory(), 'new.tar.gz');
  const args = ['bundle', archive, '--', 'sh', '-c', 'echo argument-sesame'];
  const { status } = await runContainer({ ...careless, args, ...options });
  return { ...unpack(archive), status };
}

describeContainer('without an init', () => {
  test('it says so, and has what there is', async () => {
    const bundle = await bundleTo({ emulator: await startPlatform(shop) });

    expectNoSecret(bundle);
    expect(bundle.status).toBe(0);
    expect(bundle.json('status.json')).toEqual({ error: expect.stringMatching(/^Cannot find/) });
    expect(bundle.json('debug.json')).toMatchObject({
      start: { command: ['sh', '[argument]', '[argument]'] },
    });
  });

  test('an error of the config that has a secret in it loses that', async () => {
    const bundle = await bundleTo({
      config: 'throw new Error(`cannot log in with ${process.env.INHERITED}`)',
    });

    expectNoSecret(bundle);
    expect(bundle.json('check.json')).toMatchObject({
      findings: expect.arrayContaining([
        expect.objectContaining({
          code: 'E_CONFIG',
          reason: expect.stringContaining('cannot log in with [secret]'),
        }),
      ]),
    });
    expect(bundle.json('debug.json')).toEqual({ printed: null, exitStatus: 78 });
    expect(bundle.files.get('debug.log')).toContain('cannot log in with [secret]');
  });

  test('a value that a key of the config cannot have is not in it', async () => {
    const bundle = await bundleTo({
      config:
        'module.exports = { deployment: { port: "hunter6 \\" 7" }, init: { user: "a:b:hunter6", follow: 60606 } };',
    });

    expectNoSecret(bundle);
    expect([...bundle.files.values()].join('')).not.toMatch(/hunter6|60606/);
    expect(bundle.json('check.json')).toMatchObject({
      findings: expect.arrayContaining([
        expect.objectContaining({
          code: 'E_CONFIG',
          reason: expect.stringContaining(
            'deployment.port: expected a port, from 1 to 65535, received [value]',
          ),
        }),
      ]),
    });
  });

  test('a config that ends its process does not end the archive', async () => {
    const bundle = await bundleTo({ config: 'process.exit(3)' });

    expect(bundle.json('debug.json')).toEqual({ printed: null, exitStatus: 78 });
    expect(bundle.json('check.json')).toMatchObject({
      verdict: 'failure',
      findings: expect.arrayContaining([
        expect.objectContaining({ id: 'config', verdict: 'failure', exitStatus: 78 }),
      ]),
    });
    expect(bundle.files.get('hosts')).toMatch(/^127\.0\.0\.1 localhost$/m);
  });
});

describe('the file', () => {
  test('is stdout for -, and nothing else is there', async () => {
    const archive = join(temporaryDirectory(), 'new.tar.gz');
    const before = 'set -- sh -c \'"$@" >"$ARCHIVE"\' sh "$@"';
    const env = { ARCHIVE: archive };
    const ended = await runContainer({ args: ['bundle', '-'], before, env });

    expect([ended.status, ended.stdout, ended.stderr]).toEqual([0, '', '']);
    expect(unpack(archive).files.size).toBe(9);
  });

  test('that is there is never replaced', async () => {
    const path = join(temporaryDirectory(), 'server.js');
    writeFileSync(path, 'my program');
    const ended = await runContainer({ args: ['bundle', path] });

    expect([ended.status, ended.log().at(-1)]).toEqual([
      73,
      expect.objectContaining({ code: 'E_FILE', where: path }),
    ]);
    expect(readFileSync(path, 'utf8')).toBe('my program');
  });

  test('must have a name', async () => {
    const ended = await runContainer({ args: ['bundle'] });

    expect([ended.status, ended.log().at(-1)?.msg]).toEqual([
      64,
      expect.stringContaining('FILE is missing'),
    ]);
  });
});
