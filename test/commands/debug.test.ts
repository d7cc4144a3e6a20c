// `warp-init debug` as a real process against a real emulator, and its shell format in real shells.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { parse } from 'dotenv';
import { describe, expect, onTestFinished, test } from 'vitest';

import { formatShell } from '../../src/core/debug-shell.ts';
import type { Emulator } from '../../src/emulator/server.ts';
import { debugFormats } from '../../src/invocation.ts';
import { reportOf, snapshotOf } from '../core/debug-rig.ts';
import { fixturePath, startForTest } from '../emulator/rig.ts';

const bundle = new URL('../../dist/warp-init.cjs', import.meta.url).pathname;
const documentation = new URL('../../docs/debug-json.md', import.meta.url).pathname;

type Ended = { readonly status: number; readonly stdout: string; readonly stderr: string };

type Start = {
  readonly emulator?: Emulator;
  readonly config?: string;
  readonly environment?: Readonly<Record<string, string>>;
};

function directoryOf({ config }: Start): string {
  const directory = mkdtempSync(join(tmpdir(), 'debug-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  if (config !== undefined) writeFileSync(join(directory, 'warp.config.js'), config);
  return directory;
}

function environmentOf({ emulator, environment }: Start): Record<string, string> {
  const standalone = { WARP_INIT_SOCKET: '/nowhere/api.sock' };
  return {
    PATH: process.env['PATH'] ?? '',
    ...(emulator?.environment ?? standalone),
    ...environment,
  };
}

/** Not synchronous: the emulator answers from this process. */
function debug(args: readonly string[], start: Start): Promise<Ended> {
  const options = { cwd: directoryOf(start), env: environmentOf(start) };
  return new Promise((resolve) => {
    execFile(process.execPath, [bundle, 'debug', ...args], options, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

function startShop(): Promise<Emulator> {
  return startForTest(JSON.parse(readFileSync(fixturePath, 'utf8')));
}

test('what a config prints is on stderr: stdout is for the format alone', async () => {
  const config = 'console.log("export EVIL=1"); module.exports = { variables: { A: "b" } };';
  const { status, stdout, stderr } = await debug(['--format', 'shell'], { config });

  expect({ status, evil: stdout.includes('EVIL') }).toEqual({ status: 0, evil: false });
  expect(stdout).toContain("export A='b'");
  expect(stderr).toContain('export EVIL=1');
});

describe('a config that leaves something behind', () => {
  test.each([
    ['a timer', 'setInterval(() => {}, 1000);'],
    ['a server', 'require("net").createServer().listen(0);'],
    ['a listener that wants another status', 'process.on("exit", () => process.exit(9));'],
    ['a status', 'process.exitCode = 9;'],
  ])('%s neither holds debug up nor changes its status', async (_what, code) => {
    const start = {
      config: `${code} module.exports = { variables: { LONG: 'x'.repeat(99_999) } };`,
    };
    const { status, stdout } = await debug(['--format', 'dotenv'], start);

    expect(status).toBe(0);
    expect(stdout).toContain(`LONG=${'x'.repeat(99_999)}\n`);
  });

  test('an error that nobody waits for is one of the config, and not a trace of ours', async () => {
    const { status, stdout, stderr } = await debug([], {
      config: 'Promise.reject(new Error("stray")); module.exports = {};',
    });

    expect([status, stdout]).toEqual([78, '']);
    expect(JSON.parse(stderr)).toMatchObject({
      code: 'E_CONFIG',
      msg: expect.stringContaining('stray'),
      where: expect.stringMatching(/warp\.config\.js:1$/),
    });
  });
});

describe('a config that is not data alone', () => {
  test('is used where what we do not know is of other kinds', async () => {
    const config = `const args = { big: 10n, when: new Date(), call() {} };
      args.self = args; module.exports = { build: args, variables: { A: 'b' } };`;
    const { status, stdout } = await debug(['--format', 'dotenv'], { config });

    expect(status).toBe(0);
    expect(stdout).toContain('A=b\n');
  });

  test('is refused where what we know is a function', async () => {
    const config = 'module.exports = { init: { stopSignal() {} } };';
    const { status, stderr } = await debug([], { config });

    expect(status).toBe(78);
    expect(stderr).toContain('init.stopSignal');
  });
});

describe('a config that never comes back', () => {
  test(
    'is ended after 5 s: 78, with file and line, and nothing else',
    { timeout: 20_000 },
    async () => {
      const pipe = "require('node:fs').readFileSync('pipe')";
      const makePipe = "require('node:child_process').execFileSync('mkfifo', ['pipe']);";
      const ends = await Promise.all(
        [
          `${makePipe}\n${pipe};`,
          'module.exports = async () => {\n await null; for (;;); }',
          `module.exports = async () => { ${makePipe} await null;\n${pipe}; };`,
        ].map((config) => debug([], { config })),
      );

      for (const { status, stdout, stderr } of ends) {
        expect([status, stdout]).toEqual([78, '']);
        expect(JSON.parse(stderr)).toMatchObject({
          code: 'E_CONFIG',
          msg: expect.stringMatching(
            /within 5000 ms: it is still running \(.*warp\.config\.js:2\)$/,
          ),
        });
      }
    },
  );

  test('and ends the process: 78, and what it did', async () => {
    const { status, stderr } = await debug([], { config: 'process.exit(3);' });

    expect(status).toBe(78);
    expect(JSON.parse(stderr)).toMatchObject({
      code: 'E_CONFIG',
      msg: expect.stringMatching(/warp\.config\.js: it calls process\.exit\(\)$/),
    });
  });
});

const wishes = `module.exports = {
  args: 'node server.js',
  variables: { DATABASE_URL: 'warp-secret:database-url', COPY: { local: true } },
  init: { secrets: { env: { KEY: 'payment-key' }, dotenv: 'app.env' }, dotenv: 'some.env' },
};`;

describe('warp-init debug', () => {
  test('prints the table, changes nothing and ends with 0', async () => {
    const hosts = readFileSync('/etc/hosts');
    const emulator = await startShop();
    const { status, stdout, stderr } = await debug(['--', 'sh', '-c', 'exit 3'], { emulator });

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^ {2}container {4}web \([0-9a-f]{24}\)/m);
    expect(stdout).toMatch(/^ {4}hostnames +my-db\.warp$/m);
    expect(stdout).toMatch(/^ {2}www\.shop\.example\.com +[0-9a-f]{24}$/m);
    expect(stdout).toMatch(/^ {2}command +sh -c "exit 3"$/m);
    expect(readFileSync('/etc/hosts').equals(hosts)).toBe(true);
  });

  test.each(debugFormats)('asks for no secret and shows none, as %s', async (format) => {
    const emulator = await startShop();
    const start = {
      emulator,
      config: wishes.replace(
        "'some.env'",
        JSON.stringify(fixturePathOf('SESAME_FILE=file-sesame')),
      ),
      environment: { PASSWORD: 'inherited-sesame', COPY: 'copied-sesame' },
    };
    const { status, stdout, stderr } = await debug(['--format', format], start);
    const { CYCLE_API_TOKEN: token } = emulator.environment;

    expect(status).toBe(0);
    for (const value of ['correct-horse', 'sk_test_1234', 'battery staple', '-sesame', token]) {
      expect(stdout + stderr).not.toContain(value);
    }
    expect(emulator.requests.map(({ path }) => path)).not.toContain(
      '/v1/environment/scoped-variables',
    );
    expect(emulator.requests.map(({ path }) => path)).toContain('/v1/containers/certificates');
  });

  test('gives the documented JSON: version 1, each key in the documentation', async () => {
    const emulator = await startShop();
    const { stdout } = await debug(['--format', 'json'], { emulator });
    const report: unknown = JSON.parse(stdout);
    const text = readFileSync(documentation, 'utf8');

    expect(report).toMatchObject({
      version: 1,
      mode: 'platform',
      identity: {
        container: { name: 'web', deployment: 'v2.0.0' },
        instanceId: emulator.environment.CYCLE_INSTANCE_ID,
      },
      problems: [{ code: 'E_USAGE', exitStatus: 64 }],
    });
    expect(keysOf(report).filter((key) => !text.includes(`\`${key}\``))).toEqual([]);
    const again = await debug(['--format', 'json'], { emulator });
    expect(again.stdout).toBe(stdout);
  });

  test('gives a dotenv file with the variables that init adds', async () => {
    const { stdout } = await debug(['--format', 'dotenv'], { emulator: await startShop() });

    expect(parse(stdout)).toMatchObject({
      WARP_SERVICE: 'web',
      'WARP_IST_my-db': '10.0.0.20',
      WARP_IST_my_db: '10.0.0.20',
    });
  });

  test('prints warnings to stderr, where they do not disturb a program that reads stdout', async () => {
    const { status, stdout, stderr } = await debug(['--format', 'json'], {});
    const { mode, warnings } = JSON.parse(stdout);

    expect({ status, mode }).toEqual({ status: 0, mode: 'standalone' });
    expect(warnings).toMatchObject([{ code: 'W_STANDALONE' }]);
    expect(JSON.parse(stderr)).toMatchObject({ code: 'W_STANDALONE' });
  });

  test('shows that the program is missing, and ends with 0', async () => {
    const { status, stdout } = await debug(['--format', 'json', '--', 'no-such-program'], {});

    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      start: { program: null, lookup: 'failed' },
      problems: [{ code: 'E_NOT_FOUND', exitStatus: 127 }],
    });
  });

  test.each([
    ['a wrong token', { environment: { CYCLE_API_TOKEN: 'wrong' } }, 77],
    ['a config that throws', { config: 'throw new Error("no")' }, 78],
    ['an unknown user', { environment: { WARP_INIT_USER: 'nobody-of-that-name' } }, 78],
  ])('ends as `run` would, and prints nothing: %s', async (_what, start, status) => {
    const ended = await debug([], { emulator: await startShop(), ...start });

    expect(ended).toMatchObject({ status, stdout: '' });
    expect(ended.stderr).toContain('Cannot ');
  });

  test('ends with 0 where nobody reads all of its output', async () => {
    const emulator = await startShop();
    const start = {
      emulator,
      config: `module.exports = { variables: { LONG: 'x'.repeat(100_000) } }`,
    };
    const child = spawn(process.execPath, [bundle, 'debug', '--format', 'shell'], {
      cwd: directoryOf(start),
      env: environmentOf(start),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += String(chunk)));

    expect(await once(child, 'close')).toEqual([0, null]);
    expect(stderr).toBe('');
  });
});

const hostile = fc.constantFrom(
  'db',
  "'",
  '"',
  '`touch pwned`',
  '$(touch pwned)',
  ';touch pwned;',
  '\ntouch pwned\n',
  '\r',
  '#',
  '\\',
  '&',
  '|',
  '>pwned',
  '*',
  '~',
  '!',
  '{',
  '${IFS}',
  '\t',
  '-',
  '=',
  '\u001b',
  '\u2028',
  'ā',
  'Ă',
  'é',
  '我',
  '\0',
  '\ud800',
);
const hostileText = fc
  .array(hostile, { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join(''));
const shellName = fc.constantFrom(
  'PATH',
  'IFS',
  'OPTIND',
  'UID',
  'PPID',
  'BASHOPTS',
  'LC_ALL',
  'PS4',
  'RANDOM',
  '_',
  'A',
  'é',
  'A b',
  '1A',
  'A$(touch pwned)',
  'A\ntouch pwned',
);

describe.each(['dash', 'bash', 'sh'])('the shell format in %s', (shell) => {
  test('exports exactly the values shown, whatever services are called, and carries out nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(hostileText, { maxLength: 5 }),
        fc.uniqueArray(fc.tuple(shellName, hostileText), {
          maxLength: 4,
          selector: ([name]) => name,
        }),
        async (services, settings) => {
          const rules = settings.map(
            ([name, text]) =>
              ({ name, kind: 'literal', value: text.replaceAll('\0', '') }) as const,
          );
          const hub = { id: 'h1', name: services[0] ?? 'hub' };
          const report = await reportOf({ rules, snapshot: snapshotOf(services, { hub }) });
          const text = formatShell(report);
          const names = [...text.matchAll(/^export (\w+)='/gm)].map(([, name]) => name);
          const shown = report.variables.filter(({ name }) => names.includes(name));

          expect(evaluate(shell, text)).toMatchObject(
            Object.fromEntries(shown.map(({ name, value }) => [name, value])),
          );
          expect(names.length + [...text.matchAll(/^# /gm)].length).toBeGreaterThanOrEqual(
            report.variables.length,
          );
          expect(shown.length).toBe(names.length);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('has comments that do nothing even in a shell that knows no comments', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(hostileText, { maxLength: 5 }), async (services) => {
        const text = formatShell(await reportOf({ snapshot: snapshotOf(services) }));

        evaluate(shell, text.replaceAll(/^# /gm, ''));
      }),
      { numRuns: 30 },
    );
  });
});

/** The exported variables after `eval "$(warp-init debug --format shell)"`. @throws if a file was made. */
function evaluate(shell: string, text: string): Record<string, string> {
  const cwd = mkdtempSync(join(tmpdir(), 'eval-'));
  try {
    const script = 'eval "$(/bin/cat)"; exec /usr/bin/env -0';
    const { stdout } = spawnSync(shell, ['-c', script], {
      cwd,
      input: text,
      env: { PATH: '/usr/bin:/bin' },
      encoding: 'utf8',
    });
    expect(readdirSync(cwd)).toEqual([]);
    const pairs = stdout
      .split('\0')
      .map((pair): [string, string] => [pair.split('=', 1)[0]!, pair.slice(pair.indexOf('=') + 1)]);
    return Object.fromEntries(pairs);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

function fixturePathOf(text: string): string {
  const directory = directoryOf({});
  const path = join(directory, 'some.env');
  writeFileSync(path, text);
  return path;
}

function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const keys = Array.isArray(value) ? [] : Object.keys(value);
  return [...new Set([...keys, ...Object.values(value).flatMap(keysOf)])];
}
