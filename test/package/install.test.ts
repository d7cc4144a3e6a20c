// The package, installed by npm: with and without its script, for an image and as a dependency.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { linksOf } from '../docs/pages.ts';
import { isRoot, noPid1Because } from '../helpers/pid1.ts';
import { noPackageBecause, npm, run, tarball, temporaryDirectory, unpack } from './npm.ts';

const root = new URL('../../', import.meta.url).pathname;
const manifest = readFileSync(join(root, 'package.json'), 'utf8');
const version = /"version": "(.+)"/.exec(manifest)?.[1] ?? '';
const reason = noPackageBecause === undefined ? '' : ` (skipped: ${noPackageBecause})`;

function isScript(path: string): boolean {
  return readFileSync(path, 'latin1').startsWith('#!/bin/sh\n');
}

function cachesIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith('.cache'));
}

/** @returns the path that npm has put into bin/. */
function installGlobally(args: readonly string[]): string {
  const directory = temporaryDirectory();
  npm(directory, ['install', '--global', '--prefix', directory, tarball(), ...args]);
  return join(directory, 'bin', 'warp-init');
}

/** npm 12 runs no script of a package without it; those before 11.16 do not know it, and run them. */
const withScripts = noPackageBecause === undefined ? [`--allow-scripts=${tarball()}`] : [];

function runPostinstall(directory: string, userAgent: string) {
  return run([process.execPath, join(directory, 'postinstall.js')], {
    npm_config_user_agent: userAgent,
  });
}

describe.skipIf(noPackageBecause !== undefined)(`the package${reason}`, () => {
  test('holds what it needs and nothing else', () => {
    const { stdout } = run(['tar', '-tzf', tarball()]);

    const files = stdout.trim().split('\n').toSorted();

    expect(files.filter((file) => !/^package\/docs\/[a-z0-9-]+\.md$/.test(file))).toEqual([
      'package/CHANGELOG.md',
      'package/Dockerfile.example',
      'package/LICENSE',
      'package/README.md',
      'package/SECURITY.md',
      'package/dist/THIRD-PARTY-LICENSES',
      'package/dist/client.cjs',
      'package/dist/client.d.cts',
      'package/dist/client.d.ts',
      'package/dist/client.js',
      'package/dist/index.cjs',
      'package/dist/index.d.cts',
      'package/dist/index.d.ts',
      'package/dist/index.js',
      'package/dist/postinstall.js',
      'package/dist/warp-init-arm64',
      'package/dist/warp-init-here',
      'package/dist/warp-init-x64',
      'package/dist/warp-init.1',
      'package/dist/warp-init.cjs',
      'package/dist/warp.config.schema.json',
      'package/package.json',
    ]);
  });

  test('has every file that its pages point at', () => {
    const directory = join(unpack(), '..');
    const pages = ['README.md', 'SECURITY.md', 'CHANGELOG.md'].concat(
      readdirSync(join(directory, 'docs')).map((name) => `docs/${name}`),
    );
    const lost = pages.flatMap((path) =>
      linksOf({ path, text: readFileSync(join(directory, path), 'utf8') })
        .map((target) => join(dirname(path), target.split('#')[0] ?? ''))
        .filter((file) => !existsSync(join(directory, file)))
        .map((file) => `${path}: ${file}`),
    );

    expect(pages.length).toBeGreaterThan(15);
    expect(lost).toEqual([]);
  });

  test('has binaries that anybody may run, each for its architecture', () => {
    const directory = unpack();
    const machineOf = (name: string) =>
      /Machine: +(.+)/.exec(run(['readelf', '-h', join(directory, name)]).stdout)?.[1];

    expect(machineOf('warp-init-x64')).toBe('Advanced Micro Devices X86-64');
    expect(machineOf('warp-init-arm64')).toBe('AArch64');
    expect(run(['tar', '-tvzf', tarball()]).stdout.match(/^-rwxr-xr-x .*$/gm)).toHaveLength(3);
  });
});

describe.skipIf(noPackageBecause !== undefined).each([
  { how: 'with its script', args: withScripts, script: false, caches: 1 },
  { how: 'with --ignore-scripts', args: ['--ignore-scripts'], script: true, caches: 0 },
])(`npm install --global, $how${reason}`, ({ args, script, caches }) => {
  test('gives a warp-init that does all that it should', () => {
    const file = installGlobally(args);
    const target = realpathSync(file);

    expect([isScript(target), cachesIn(join(target, '..')).length]).toEqual([script, caches]);
    expect(run([file, '--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
    expect(run([file, '--', 'true'])).toMatchObject({ status: 0, stdout: '' });
    const words = [file, '--', 'printf', '[%s]', 'a b', '', '$HOME'] as const;
    const plain = { WARP_INIT_PLAIN: '1', PATH: '/usr/bin:/bin' };
    expect(run(words, plain)).toEqual({ status: 0, stdout: '[a b][][$HOME]', stderr: '' });
    expect(run([file, '--', 'sh', '-c', 'exit 42'], plain)).toMatchObject({ status: 42 });
  });

  test('gives `man warp-init` its page', () => {
    const prefix = join(installGlobally(args), '../..');
    const page = readFileSync(join(prefix, 'share/man/man1/warp-init.1'), 'utf8');

    expect(page).toMatch(/^\.TH WARP\\-INIT 1/m);
  });

  test('gives the same after `warp-init warm`: the binary, and a brain that is warmed', () => {
    const file = installGlobally(args);
    const target = realpathSync(file);

    expect(run([file, 'warm'])).toMatchObject({ status: 0, stderr: '' });
    expect([isScript(target), cachesIn(join(target, '..')).length]).toEqual([false, 1]);
    expect(readdirSync(join(target, '..')).filter((name) => name.endsWith('.new'))).toEqual([]);
    expect(run([file, '--version']).stdout).toBe(`${version}\n`);
    expect(run([file, 'warm'])).toMatchObject({ status: 0, stderr: '' });
  });

  test.skipIf(noPid1Because !== undefined)('is PID 1 where it is started as PID 1', () => {
    const unshare = ['--pid', '--fork', '--mount-proc', ...(isRoot ? [] : ['--map-root-user'])];
    const file = installGlobally(args);

    expect(run(['unshare', ...unshare, file, '--plain', '--', 'sh', '-c', 'echo $PPID'])).toEqual({
      status: 0,
      stdout: '1\n',
      stderr: '',
    });
  });
});

describe.skipIf(noPackageBecause !== undefined)(`as a dependency${reason}`, () => {
  test('it gives a project the types of its config', () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'package.json'), '{"type": "module", "private": true}');
    npm(directory, ['install', '--save-dev', '--prefix', directory, tarball()]);
    const config =
      "import type { WarpConfig } from 'warp-init';\nexport const config: WarpConfig = ";
    writeFileSync(join(directory, 'good.ts'), `${config}{ init: { killDelay: '10s' } };\n`);
    writeFileSync(join(directory, 'bad.ts'), `${config}{ init: { killDelay: [] } };\n`);
    const tsc = [join(root, 'node_modules/.bin/tsc'), '--noEmit', '--module', 'nodenext'] as const;

    expect(run([...tsc, join(directory, 'good.ts')])).toMatchObject({ status: 0, stdout: '' });
    expect(run([...tsc, join(directory, 'bad.ts')]).stdout).toMatch(
      /bad\.ts.*TS2322.*not assignable/,
    );
    expect(run([join(directory, 'node_modules/.bin/warp-init'), '--version']).stdout).toBe(
      `${version}\n`,
    );
  });

  test('for a machine of another architecture it keeps the script', () => {
    const other = process.arch === 'x64' ? 'arm64' : 'x64';
    const target = realpathSync(installGlobally([...withScripts, `--cpu=${other}`]));

    expect([isScript(target), cachesIn(join(target, '..')).length]).toEqual([true, 1]);
  });
});

describe.skipIf(noPackageBecause !== undefined)(`the script after an installation${reason}`, () => {
  test.each([
    ['npm, which links the file, puts the binary there', 'npm/11.0.0 node/v24.0.0', false],
    ['pnpm, whose scripts run the file with sh, keeps it', 'pnpm/10.0.0 npm/? node/v24.0.0', true],
    ['yarn keeps it', 'yarn/1.22.22 npm/? node/v24.0.0', true],
  ])('warms the brain, and of %s', (_who, agent, script) => {
    const directory = unpack();

    expect(runPostinstall(directory, agent)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(cachesIn(directory)).toHaveLength(1);
    expect(isScript(join(directory, 'warp-init-here'))).toBe(script);
  });

  test('changes nothing a second time', () => {
    const directory = unpack();
    runPostinstall(directory, 'npm/11.0.0');
    const files = readdirSync(directory);

    expect(runPostinstall(directory, 'npm/11.0.0').status).toBe(0);
    expect(readdirSync(directory)).toEqual(files);
    expect(run([join(directory, 'warp-init-here'), '--version']).stdout).toBe(`${version}\n`);
  });

  test('leaves the launcher where the binary does not run', () => {
    const directory = unpack();
    writeFileSync(join(directory, `warp-init-${process.arch}`), 'for another machine\n');

    expect(runPostinstall(directory, 'npm/11.0.0')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(isScript(join(directory, 'warp-init-here'))).toBe(true);
  });

  test.skipIf(!isRoot)('fails no installation that it may not write to', () => {
    const directory = unpack();
    chmodSync(join(directory, '../../..'), 0o755);
    const script = [process.execPath, join(directory, 'postinstall.js')];
    const other = ['setpriv', '--reuid=1234', '--regid=1234', '--clear-groups'] as const;

    expect(run([...other, ...script], { npm_config_user_agent: 'npm/11.0.0' })).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
    expect(isScript(join(directory, 'warp-init-here'))).toBe(true);
  });

  test('does nothing in the repository', () => {
    const directory = join(temporaryDirectory(), 'dist');
    mkdirSync(directory);
    run(['cp', '-r', `${unpack()}/.`, directory]);

    expect(runPostinstall(directory, 'npm/11.0.0').status).toBe(0);
    expect(isScript(join(directory, 'warp-init-here'))).toBe(true);
    expect(cachesIn(directory)).toEqual([]);
  });
});
