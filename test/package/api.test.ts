// The modules of the package as a project gets them: every example of docs/api.md, in each kind of module.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import type { Emulator } from '../../src/emulator/server.ts';
import { codeBlocks, readPage, readPages } from '../docs/pages.ts';
import { fixturePath, startForTest } from '../emulator/rig.ts';
import { startProcess } from '../helpers/process.ts';
import { noPackageBecause, run, tarball, unpack } from './npm.ts';

const root = new URL('../../', import.meta.url).pathname;
const reason = noPackageBecause === undefined ? '' : ` (skipped: ${noPackageBecause})`;
const platform = JSON.parse(readFileSync(fixturePath, 'utf8'));

/** By the file name that the first line of each has. */
const examples = new Map(
  codeBlocks(readPage('docs/api.md')).map(({ code }) => [
    /^\/\/ (\S+)\n/.exec(code)?.[1] ?? 'an example without a name',
    code,
  ]),
);
const names = [...examples.keys()];
const isRunOnce = (name: string) => !/^(?:warp\.config|follow)\./.test(name);

/** A project with all examples that has the package in node_modules. */
function project(): string {
  const directory = join(unpack(), '..', '..', '..');
  writeFileSync(join(directory, 'package.json'), '{"private": true}');
  for (const [name, code] of examples) {
    writeFileSync(join(directory, name), code);
  }

  return directory;
}

function placeOf({ environment }: Emulator): Record<string, string> {
  return { ...environment };
}

/** What an example says that it prints. */
function printed(code: string): string {
  return [...code.matchAll(/^ *console\.log\(.*\); \/\/ (.*)$/gm)]
    .map(([, text]) => `${text}\n`)
    .join('');
}

const nodeTypes = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')] as const;
const tsc = [join(root, 'node_modules/.bin/tsc'), ...nodeTypes] as const;

describe.skipIf(noPackageBecause !== undefined)(`an example of docs/api.md${reason}`, () => {
  test('is there for each kind of module', () => {
    expect(new Set(names.map((name) => name.split('.').at(-1)))).toEqual(
      new Set(['mjs', 'cjs', 'mts']),
    );
    expect(names.filter(isRunOnce).length).toBeGreaterThan(3);
  });

  test.each(names.filter(isRunOnce))('prints what it says: %s', async (name) => {
    const emulator = await startForTest(platform);
    const example = startProcess('node', [name], { cwd: project(), env: placeOf(emulator) });

    expect(await example.ended).toBe(0);
    expect([example.stdout.text(), example.stderr.text()]).toEqual([
      printed(examples.get(name) ?? ''),
      '',
    ]);
  });

  test.each(names.filter((name) => name.startsWith('warp.config.')))(
    'is a config that warp-init takes: %s',
    async (name) => {
      const emulator = await startForTest(platform);
      const directory = project();
      const program = join(directory, 'node_modules/warp-init/dist/warp-init-here');
      const words = ['debug', '--config', name, '--format', 'json'];
      const debug = startProcess(program, words, { cwd: directory, env: placeOf(emulator) });
      await debug.ended;
      const { variables } = JSON.parse(debug.stdout.text());

      expect(variables).toContainEqual(
        expect.objectContaining({ name: 'DB_HOST', value: '10.0.0.20' }),
      );
    },
  );

  test('in TypeScript follows the platform until it is stopped, and keeps no process running then', async () => {
    const emulator = await startForTest(platform);
    const directory = project();
    const built = run([...tsc, '--module', 'nodenext', join(directory, 'follow.mts')]);
    expect(built).toMatchObject({ status: 0, stdout: '' });
    const follow = startProcess('node', ['follow.mjs'], { cwd: directory, env: placeOf(emulator) });
    await follow.stdout.waitFor('10.0.0.20\n');
    await emulator.update({
      ...platform,
      services: { ...platform.services, 'my-db': '10.0.0.99' },
    });
    await follow.stdout.waitFor('10.0.0.99\n');
    follow.child.kill('SIGTERM');

    expect(await follow.ended).toBe(0);
    expect(follow.stderr.text()).toBe('');
  });

  test.each([
    ['nodenext', ['--module', 'nodenext']],
    ['bundler', ['--module', 'preserve', '--moduleResolution', 'bundler']],
  ])('has the right types under %s', (_resolution, options) => {
    const directory = project();
    const strict = [
      '--noEmit',
      '--strict',
      '--allowJs',
      '--checkJs',
      '--noUncheckedIndexedAccess',
      'false',
    ];
    const files = names.map((name) => join(directory, name));
    const words = ['--lib', 'es2023', '--exactOptionalPropertyTypes', ...options];
    const { stdout } = run([...tsc, ...strict, ...words, ...files]);

    expect(withoutTheUsual(stdout)).toEqual([]);
  });

  test('stands in the text, too: each `import …` of a page is right', () => {
    const directory = project();
    const lines = readPages().flatMap(({ text }) =>
      [...text.matchAll(/`(import [^`]+ from '[^`]+')`/g)].map(([, line = '']) => line),
    );
    const files = lines.map((line, index) => {
      const file = join(directory, `inline-${index}.mts`);
      writeFileSync(file, `${line};\n`);
      return file;
    });

    expect(lines.length).toBeGreaterThan(3);
    expect(run([...tsc, '--noEmit', '--module', 'nodenext', ...files]).stdout).toBe('');
  });

  test('has types that refuse a mistake', () => {
    const directory = project();
    const mistakes = [
      ['config.mts', 'defineConfig({ init: { killDelay: 10 } })', 'TS2769'],
      ['names.mts', 'encodeServiceName(1)', 'TS2345'],
      ['call.cts', 'createClient().container({ deadline: 1 })', 'TS2561'],
      ['secret.cts', 'createClient().secrets().then((all) => all.get("a")?.trim())', 'TS2339'],
    ] as const;
    const files = mistakes.map(([name, code]) => {
      const file = join(directory, name);
      writeFileSync(
        file,
        "import { defineConfig, encodeServiceName } from 'warp-init';\n" +
          "import { createClient } from 'warp-init/client';\n" +
          `export const uses = [defineConfig, encodeServiceName, createClient];\n${code};\n`,
      );
      return file;
    });
    const { stdout } = run([...tsc, '--noEmit', '--module', 'nodenext', ...files]);
    const found = [...stdout.matchAll(/([a-z]+\.[cm]ts)\(4,\d+\): error (TS\d+)/g)];

    expect(new Set(found.map(([, name, error]) => `${name} ${error}`))).toEqual(
      new Set(mistakes.map(([name, , error]) => `${name} ${error}`)),
    );
  });
});

/** An example in JavaScript may use what the types say may be missing: it knows its platform. */
function withoutTheUsual(stdout: string): string[] {
  return stdout
    .split('\n')
    .filter((line) => line.includes('error TS'))
    .filter((line) => !/\.[mc]js\(.*error TS(?:2532|18046|18048)/.test(line));
}

describe.skipIf(noPackageBecause !== undefined)(`the modules of the package${reason}`, () => {
  test('are one copy for import and require()', () => {
    const script = `
      import * as imported from 'warp-init';
      import * as client from 'warp-init/client';
      import { createRequire } from 'node:module';
      const required = createRequire(import.meta.url)('warp-init');
      console.log(Object.keys(imported).join(), Object.keys(client).join());
      console.log(Object.keys(imported).every((name) => imported[name] === required[name]));`;
    const file = join(project(), 'both.mjs');
    writeFileSync(file, script);

    expect(run(['node', file])).toEqual({
      status: 0,
      stdout: 'defineConfig,encodeServiceName,resolveIst createClient,notifications\ntrue\n',
      stderr: '',
    });
  });

  test('need nothing else of the package, and no other package', () => {
    const directory = project();
    const dist = join(directory, 'node_modules/warp-init/dist');
    run(['sh', '-c', `cd '${dist}' && rm warp-init*`]);
    const file = join(directory, 'alone.cjs');
    writeFileSync(file, "require('warp-init'); require('warp-init/client');");

    expect(run(['node', file])).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('are found with their types by every resolution that attw knows but the oldest', () => {
    const attw = join(root, 'node_modules', '.bin', 'attw');
    const config = join(root, '.attw.json'); // As attw by itself finds it in the repository.
    const { status, stdout } = run([attw, tarball(), '--config-path', config, '--format', 'json']);

    expect(JSON.parse(stdout)).toMatchObject({ problems: {} });
    expect(status).toBe(0);
  });

  test('and all else of package.json is as publint wants it', () => {
    const publint = join(root, 'node_modules', '.bin', 'publint');

    expect(run([publint, '--strict', tarball()])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('All good!'),
    });
  });
});
