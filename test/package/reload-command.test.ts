// A reload command as the bundle runs it: execa without the parts that src/build/stand-ins.ts leaves out.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { standInPlugin } from '../../src/build/stand-ins.ts';

const root = new URL('../../', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'warp-init-command-'));
const runner = join(directory, 'test/reload/command-runner.mjs');

beforeAll(async () => {
  await build({
    // The plugin wants to meet all that it knows.
    entryPoints: ['src/main.ts', 'test/reload/command-runner.ts'].map((path) => join(root, path)),
    outbase: root,
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
    absWorkingDir: root,
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    plugins: [standInPlugin(root)],
  });
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

test.each([
  ['well', ['sh', '-c', 'echo out; echo err >&2'], /^(?:out\nerr|err\nout)\nok\n$/],
  ['with a status', ['sh', '-c', 'exit 3'], /^exited\n$/],
  ['by a signal', ['sh', '-c', 'kill -KILL $$'], /^signaled\n$/],
  ['before it begins', ['/no/such/program'], /^not-started\n$/],
  ['at its deadline', ['sleep', '1000'], /^timed-out\n$/],
  [
    'with arguments as they are',
    ['printf', '%s|', '$HOME', "it's", '', 'a b'],
    /^\$HOME\|it's\|\|a b\|\nok\n$/,
  ],
])('ends %s', (_, command, expected) => {
  const { stdout, stderr } = spawnSync(process.execPath, [runner, ...command], {
    encoding: 'utf8',
    env: { ...process.env, TEST_DEADLINE_MS: command[0] === 'sleep' ? '200' : '20000' },
  });

  expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(expected), stderr: '' });
});
