// A config that is wrong, as code or as data: exit status 78, with file and line where they are known.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import {
  describeContainer,
  refusalOf,
  refused,
  runContainer,
  startContainer,
  startPlatform,
} from '../helpers/container.ts';
import type { Ended } from '../helpers/container.ts';
import { program } from '../helpers/pid1.ts';
import { eventually, programOf } from '../helpers/process.ts';

const secrets = ['open-sesame'];

describeContainer('a config that calls process.exit()', () => {
  test('ends the start with 78, and with its name', async () => {
    const ended = await runContainer({ config: 'process.exit(0);' });

    expect(ended).toMatchObject({ status: 78, stdout: '' });
    expect(ended.stderr).toMatch(
      /^warp-init: Cannot load the config \S+warp\.config\.js: it calls/,
    );
  });
});

describeContainer(
  'what a config has started ends with the start that fails, also where init is not PID 1',
  () => {
    test.each([
      ['of its error', 'throw new Error("not today");', 78],
      ['of its end', 'process.kill(process.pid, "SIGKILL");', 70],
      ['of an app that is no program', 'module.exports = { args: ["/etc/passwd"] };', 126],
    ])('because %s', async (_why, end, status) => {
      const container = startContainer({
        role: 'a child',
        args: [],
        config: `const { pid } = require('node:child_process').spawn('${program('stay')}', { stdio: 'ignore' });
        require('node:fs').writeFileSync('pid', String(pid));
        ${end}`,
      });
      expect(await container.ended).toBe(status);
      const pid = Number(readFileSync(join(container.directory, 'pid'), 'utf8'));
      await eventually(() => expect(programOf(pid)).toBe(''));
    });
  },
);

describeContainer('a config is refused', () => {
  test.each([
    [
      'that throws',
      "\n\nthrow new Error('not today');",
      /^Cannot load the config \/.*\/warp\.config\.js:3: Error: not today$/,
      /\/warp\.config\.js:3$/,
      'Correct what throws there.',
    ],
    [
      'whose function throws',
      'module.exports = () => {\n  return undefined.x;\n};',
      /^Cannot load the config \/.*\/warp\.config\.js:2: TypeError: /,
      /\/warp\.config\.js:2$/,
      'Correct what throws there.',
    ],
    [
      'whose async function rejects',
      'module.exports = async () => {\n  await null;\n  throw new RangeError("later");\n};',
      /^Cannot load the config \/.*\/warp\.config\.js:3: RangeError: later$/,
      /\/warp\.config\.js:3$/,
      'Correct what throws there.',
    ],
    [
      'that leaves a rejected promise behind',
      "void Promise.reject(new Error('nobody waits'));\nmodule.exports = {};",
      /^Cannot load the config warp\.config\.js: \/.*\/warp\.config\.js:1: Error: nobody waits$/,
      /\/warp\.config\.js:1$/,
      'Correct what throws there.',
    ],
    [
      'with a syntax error',
      'module.exports = {\n  args: ["node"],\n  ist: [}\n};',
      /^Cannot load the config \/.*\/warp\.config\.js:3: SyntaxError: /,
      /\/warp\.config\.js:3$/,
      'Correct the syntax there.',
    ],
    [
      'that requires what is not there',
      "require('./missing.js');",
      /^Cannot load the config \/.*\/warp\.config\.js:1: Error: Cannot find module '\.\/missing\.js'$/,
      /\/warp\.config\.js:1$/,
      'Correct what throws there.',
    ],
    [
      'that requires a package which is not installed',
      "require('no-such-package/part');",
      /^Cannot load the config \/.*: Error: Cannot find module 'no-such-package\/part'$/,
      /\/warp\.config\.js:1$/,
      'Install it in the image, where the config finds it',
    ],
    [
      'that requires this package where it is not installed',
      "module.exports = require('warp-init').defineConfig({});",
      /^Cannot load the config \/.*\/warp\.config\.js:1: Error: Cannot find module 'warp-init'$/,
      /\/warp\.config\.js:1$/,
      'Install warp-init as a dependency of the app, too',
    ],
    [
      'that exports a number',
      'module.exports = 42;',
      /^Cannot use the config \/.*\/warp\.config\.js: it gives a number, not an object$/,
      /\/warp\.config\.js$/,
      'Export an object or a function that returns one',
    ],
    [
      'whose function returns nothing',
      'module.exports = () => {};',
      /^Cannot use the config \/.*\/warp\.config\.js: it gives nothing, not an object$/,
      /\/warp\.config\.js$/,
      'Export an object or a function that returns one',
    ],
  ])('%s', async (_what, config, message, where, fix) => {
    const ended = await runContainer({ emulator: await startPlatform(platform), config });
    expect(refusalOf(ended)).toEqual(
      refused({ status: 78, code: 'E_CONFIG', message, where, fix }),
    );
  });

  test('that has three mistakes: all three are told', async () => {
    const config = `module.exports = {
      variables: { PASSWORD: { value: 'open-sesame' } },
      ist: { service: 'db', hostnames: 'my db' },
      init: { killDealy: '10s' },
    };`;
    const ended = await runContainer({ config, secrets });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 78,
        code: 'E_CONFIG',
        message: /^Cannot use \/.*\/warp\.config\.js, which has 3 problems:\n/,
        where: /\/warp\.config\.js$/,
        fix: 'Correct the keys named above.',
      }),
    );
    const [, ...problems] = messageOf(ended).split('\n');
    expect(problems).toEqual([
      expect.stringMatching(
        /^ {2}variables\.PASSWORD: expected text without NUL, .*, received an object$/,
      ),
      expect.stringMatching(/^ {2}ist\.hostnames: expected .*, received "my db"$/),
      expect.stringMatching(
        /^ {2}init\.killDealy: unknown key \(did you mean killDelay\?\), expected /,
      ),
    ]);
  });

  test('that is named and not there', async () => {
    const ended = await runContainer({ args: ['--config', 'other.js', '--', 'true'] });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 78,
        code: 'E_CONFIG',
        message: /^Cannot read the config \/.*\/other\.js: there is no such file$/,
        where: /\/other\.js$/,
        fix: 'Correct --config (WARP_INIT_CONFIG), or leave it out.',
      }),
    );
  });

  test('whose dotenv file is not there, or is a directory', async () => {
    const [missing, directory] = await Promise.all([
      runContainer({ config: 'module.exports = { init: { dotenv: "missing.env" } };' }),
      runContainer({ args: ['--env-file', '/etc', '--', 'true'] }),
    ]);
    const where = { status: 78, code: 'E_ENV_FILE' };
    expect(refusalOf(missing)).toEqual(
      refused({
        ...where,
        message: 'Cannot read the dotenv file missing.env: there is no such file',
        where: 'missing.env',
        fix: 'Correct the path, or take it out of init.dotenv and --env-file.',
      }),
    );
    expect(refusalOf(directory)).toEqual(
      refused({
        ...where,
        message: 'Cannot read the dotenv file /etc: it is a directory',
        where: '/etc',
        fix: 'Name a file in it.',
      }),
    );
  });
});

describeContainer('a config that hangs', () => {
  test('is ended after 5 s, with the line where it hangs', { timeout: 30_000 }, async () => {
    const configs = [
      'const x = 1;\nwhile (x) {}',
      'module.exports = () => {\n  for (;;);\n};',
      'module.exports = async () => {\n  await null;\n  for (;;);\n};',
      '\nmodule.exports = () => new Promise(() => {});',
    ];
    const startMs = performance.now();
    const [topLevel, inFunction, afterAwait, waiting] = await Promise.all(
      configs.map((config) => runContainer({ config })),
    );
    expect(performance.now() - startMs).toBeGreaterThan(4900);
    const runs = 'End the loop there, or what takes so long.';
    expect(refusalOf(topLevel!)).toEqual(refused(hang(2, /it is still running \(\/.*:2\)$/, runs)));
    expect(refusalOf(inFunction!)).toEqual(
      refused(hang(2, /it is still running \(\/.*:2\)$/, runs)),
    );
    expect(refusalOf(afterAwait!)).toEqual(
      refused(hang(3, /it is still running \(\/.*:3\)$/, runs)),
    );
    const waits = 'Give what it awaits a deadline of its own.';
    expect(refusalOf(waiting!)).toEqual(
      refused(hang(2, /its promise has not settled \(\/.*:2\)$/, waits)),
    );
  });
});

describeContainer('a config that waits in the kernel', () => {
  const readPipe = "require('node:fs').readFileSync('pipe')";

  test('is ended after 5 s, with the line where it waits', { timeout: 40_000 }, async () => {
    const runs = 'End the loop there, or what takes so long.';
    const cases: readonly (readonly [line: number, file: string, config: string])[] = [
      [2, 'warp.config.js', "\nrequire('node:child_process').execSync('sleep 1000; true');"],
      [2, 'warp.config.js', `module.exports = () => {\n  ${readPipe};\n};`],
      [3, 'warp.config.js', `module.exports = async () => {\n  await null;\n  ${readPipe};\n};`],
      [2, 'warp.config.mjs', "import { readFileSync } from 'node:fs';\nreadFileSync('pipe');"],
    ];
    const all = await Promise.all(
      cases.map(([, file, config]) =>
        runContainer({ files: { [file]: config }, before: 'mkfifo pipe' }),
      ),
    );

    expect(all.map((ended) => refusalOf(ended))).toEqual(
      cases.map(([line, file]) => {
        const place = String.raw`\/app\/${file}:${line}`;
        const message = new RegExp(
          String.raw`within 5000 ms: it is still running \(\/.*${place}\)$`,
        );
        return refused({
          status: 78,
          code: 'E_CONFIG',
          message,
          where: new RegExp(`${place}$`),
          fix: runs,
        });
      }),
    );
  });

  test('leaves nothing behind where init is no PID 1', { timeout: 30_000 }, async () => {
    const init = startContainer({ config: readPipe, before: 'mkfifo pipe', role: 'a child' });
    expect(await init.ended).toBe(78);
    expect(processesIn(init.directory)).toEqual([]);
  });

  test('and comes back in time is no failure, nor is what takes long after it', async () => {
    const [slow, late] = await Promise.all([
      runContainer({
        config: `${readPipe.replace("'pipe'", "'pipe', 'utf8'")}; require('node:child_process').execSync('true');`,
        before: 'mkfifo pipe; (sleep 1; echo x > pipe) &',
      }),
      runContainer({
        config:
          "require('node:child_process').execSync('true');\n" +
          "module.exports = { init: { platform: { required: true, deadline: '6500ms' } } };",
      }),
    ]);
    expect(slow).toMatchObject({ status: 0, stdout: 'the app ran\n' });
    expect(late.status).toBe(69);
  });
});

describeContainer('a top-level await that never settles', () => {
  test('is ended after 5 s, with its line', { timeout: 30_000 }, async () => {
    const config = 'setInterval(() => {}, 1000);\n\nawait new Promise(() => {});';
    const ended = await runContainer({ files: { 'warp.config.mjs': config } });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 78,
        code: 'E_CONFIG',
        message: /its promise has not settled \(\/.*\/warp\.config\.mjs:3\)$/,
        where: /\/warp\.config\.mjs:3$/,
        fix: 'Give what it awaits a deadline of its own.',
      }),
    );
  });
});

const platform = { services: { web: '10.0.0.10' } };

function hang(line: number, message: RegExp, fix: string) {
  const start = String.raw`^Cannot load the config \/.*\/warp\.config\.js within 5000 ms: `;
  return {
    status: 78,
    code: 'E_CONFIG',
    message: new RegExp(start + message.source),
    where: new RegExp(String.raw`\/warp\.config\.js:${line}$`),
    fix,
  };
}

function messageOf(ended: Ended): string {
  return ended.log().find(({ level }) => level === 60)?.msg ?? '';
}

/** Command lines of the processes whose current directory it is. */
function processesIn(directory: string): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        const isThere = readlinkSync(`/proc/${pid}/cwd`) === directory;
        return isThere ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : [];
      } catch {
        return []; // It has ended meanwhile.
      }
    });
}

describeContainer('a config that is not read', () => {
  test.each([
    ['in TypeScript', { 'warp.config.ts': '' }, /warp\.config\.ts is not read/, /22\.18 or newer/],
    ['in JSON', { 'warp.config.json': '{}' }, /\.json is not read/, /WARP_INIT_CONFIG/],
  ])('%s: one warning says so, and the app runs', async (_what, files, msg, fix) => {
    const ended = await runContainer({ files, args: ['--', 'true'] });

    expect(ended.status).toBe(0);
    expect(ended.log().filter(({ code }) => code !== 'W_STANDALONE')).toEqual([
      expect.objectContaining({
        code: 'W_CONFIG_NOT_READ',
        msg: expect.stringMatching(msg),
        fix: expect.stringMatching(fix),
      }),
    ]);
  });

  test('beside one that is read, or that is named, is none of our business', async () => {
    const files = { 'warp.config.json': '{}' };
    const all = await Promise.all([
      runContainer({ files, config: 'module.exports = {};', args: ['--', 'true'] }),
      runContainer({ files, args: ['--config', 'warp.config.json', '--', 'true'] }),
    ]);

    for (const { status, log } of all) {
      expect(status).toBe(0);
      expect(log().filter(({ code }) => code !== 'W_STANDALONE')).toEqual([]);
    }
  });
});

describeContainer('a config in TypeScript', () => {
  // As Node 20 is, and 22 before 22.18.
  const withoutTypes =
    'printf \'#!/bin/sh\\nexec "%s" --no-experimental-strip-types "$@"\\n\' "$(command -v node)" >node; chmod 755 node';
  const knowsTypes = Reflect.get(process.features, 'typescript') !== undefined;

  test('needs a Node that can read it, and the error says so', async () => {
    const ended = await runContainer({
      files: {
        'warp.config.ts': 'const port: number = 80;\nexport default { deployment: { port } };',
      },
      env: {
        WARP_INIT_CONFIG: 'warp.config.ts',
        ...(knowsTypes && { WARP_INIT_NODE: './node' }),
      },
      before: knowsTypes ? withoutTypes : '',
    });

    expect(refusalOf(ended)).toEqual(
      refused({
        status: 78,
        code: 'E_CONFIG',
        message: /^Cannot load the config \S*warp\.config\.ts/,
        where: /warp\.config\.ts/,
        fix: /^Make a warp\.config\.js of it, or take Node 22\.18 or newer, which reads TypeScript/,
      }),
    );
  });
});
