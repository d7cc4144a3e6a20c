// Secrets as files: there before the app runs, for the app's user alone, or the app does not run at all.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import { tar, tarGz } from '../apply/tar-writer.ts';
import {
  describeContainer,
  refusalOf,
  refused,
  runContainer,
  startContainer,
  startPlatform,
} from '../helpers/container.ts';
import { isRoot } from '../helpers/pid1.ts';

const hosts = '127.0.0.1 localhost\n';
const bundle = tarGz([
  { path: 'tls/', type: '5', mode: 0o755 },
  { path: 'tls/key.pem', content: 'correct-horse' },
  { path: 'tls/latest.pem', type: '2', link: 'key.pem' },
]).toString('base64');
const shop: PlatformFile = {
  token: 'token-of-the-instance',
  self: 'web',
  services: { web: '10.0.0.10' },
  secrets: {
    'tls-key': 'battery\0staple',
    'tls-bundle': bundle,
    'evil-bundle': tar([{ path: '../../correct-horse', content: 'x' }]).toString('base64'),
    'other-bundle': tar([{ path: 'fine', content: 'x' }]).toString('base64'),
    'not-base64': 'correct-horse!',
    nothing: '',
  },
};

describeContainer('a secret is a file', () => {
  test('with its bytes, for the app alone, in a directory that init makes', async () => {
    const ended = await run({
      files: "{ secret: 'tls-key', path: cwd + '/run/key.pem' }",
      script: 'cat run/key.pem | tr "\\0" -; stat -c " %a %a" run/key.pem run; ls -A run | wc -l',
    });
    expect(ended).toMatchObject({
      status: 0,
      stdout: 'battery-staple 400 400\n 755 755\n1\n',
      stderr: '',
    });
  });

  test('or a directory, from a tar.gz in base64', async () => {
    const ended = await run({
      files:
        "{ secret: 'tls-bundle', path: cwd + '/out', decode: 'base64', unpack: 'tar', mode: '0440' }",
      script: 'cat out/tls/latest.pem; stat -L -c " %a" out/tls/key.pem out; readlink out',
    });
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(ended.stdout).toMatch(/^correct-horse 440\n 750\n\.out\.warp-init-[a-z0-9]+\n$/);
  });

  test('that may be empty where it says so', async () => {
    const ended = await run({
      files: "{ secret: 'nothing', path: cwd + '/empty', allowEmpty: true }",
      script: 'wc -c < empty',
    });
    expect(ended).toMatchObject({ status: 0, stdout: '0\n' });
  });

  test('beside a variable: both from one answer', async () => {
    const ended = await run({
      files: "{ secret: 'tls-bundle', path: cwd + '/bundle' }",
      script: 'test "$BUNDLE" = "$(cat bundle)" && echo same',
      env: { BUNDLE: 'warp-secret:tls-bundle' },
    });
    expect(ended).toMatchObject({ status: 0, stdout: 'same\n' });
  });

  test('that stays as it is at the next start, inode and times', async () => {
    const ended = await run({
      files: "{ secret: 'tls-key', path: cwd + '/key' }",
      script: 'test "$(stat -c "%i %y" key)" = "$(cat before)" && echo same',
      before: `printf 'battery\\0staple' > key; chmod 400 key; touch -d @1000 key; stat -c '%i %y' key > before`,
    });
    expect(ended).toMatchObject({ status: 0, stdout: 'same\n' });
  });

  describe.skipIf(!isRoot)('for a user', () => {
    test("which is the app's unless the config names another", async () => {
      const ended = await run({
        files: `[
          { secret: 'tls-key', path: cwd + '/key' },
          { secret: 'tls-key', path: cwd + '/other', user: 'daemon', group: 4321 },
          { secret: 'tls-bundle', path: cwd + '/out', decode: 'base64', unpack: 'tar' },
        ]`,
        args: ['--user', 'nobody'],
        script:
          'cat key out/tls/key.pem | tr "\\0" -; cat other 2>/dev/null || stat -c " %U %g" other',
      });
      expect(ended).toMatchObject({
        status: 0,
        stdout: 'battery-staplecorrect-horse daemon 4321\n',
        stderr: '',
      });
    });
  });
});

describeContainer('a file that cannot be had ends the start, and nothing was written', () => {
  test.each([
    {
      what: 'that the platform does not know',
      file: "{ secret: 'no-such', path: cwd + '/key' }",
      error: {
        status: 78,
        code: 'E_SECRET_UNKNOWN',
        message: /secret "no-such" for file \/.*\/key \(init\.secrets\.files\)/,
        where: 'init.secrets.files',
        fix: 'give this container access',
      },
    },
    {
      what: 'that is empty',
      file: "{ secret: 'nothing', path: cwd + '/key' }",
      error: {
        status: 78,
        code: 'E_SECRET_EMPTY',
        message: 'secret "nothing" for file',
        where: 'init.secrets.files',
        fix: 'allowEmpty',
      },
    },
    {
      what: 'that is no base64',
      file: "{ secret: 'not-base64', path: cwd + '/key', decode: 'base64' }",
      error: {
        status: 78,
        code: 'E_SECRET_BASE64',
        message: 'Cannot use secret "not-base64" for file',
        where: 'init.secrets.files',
        fix: 'leave out `decode`',
      },
    },
    {
      what: 'with a user that is not there',
      file: "{ secret: 'tls-key', path: cwd + '/key', user: 'daemn' }",
      error: {
        status: 78,
        code: 'E_USER',
        message: 'Cannot give files to "daemn": no such user in /etc/passwd',
        where: '/etc/passwd',
        fix: 'Write "daemon"',
      },
    },
    {
      what: 'an archive that writes outside of its directory: no other one is unpacked either',
      file: "{ secret: 'evil-bundle', path: cwd + '/evil', decode: 'base64', unpack: 'tar' }",
      error: {
        status: 78,
        code: 'E_ARCHIVE',
        message: /^Cannot unpack secret "evil-bundle" into \/.*: entry 1 has \.\. in its path$/,
        where: 'init.secrets.files',
        fix: '`tar -t` lists its entries',
      },
    },
  ])('$what', async ({ file, error }) => {
    const ended = await run({
      files: `[{ secret: 'other-bundle', path: cwd + '/good', decode: 'base64', unpack: 'tar' }, ${file}]`,
      script: 'echo the app ran',
    });
    expect(refusalOf(ended)).toEqual(refused(error));
    expect(ended.left).toEqual(['warp.config.js']);
    expect(ended.hosts).toBe(hosts);
  });

  test('where something else is: status 73', async () => {
    const ended = await run({
      files: "{ secret: 'tls-key', path: cwd }",
      script: 'echo the app ran',
    });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 73,
        code: 'E_FILE',
        message: /^Cannot write \/.*\/app: it is a directory \(EISDIR\)$/,
        where: /\/app$/,
        fix: 'Name a path inside of it',
      }),
    );
  });
});

describeContainer('where the app owns a directory on the way', () => {
  const before =
    'mkdir data victim; chown 65534 data; ln -s ../victim data/link; chown -h 65534 data/link';

  test.skipIf(!isRoot)('a file is written there, and its own', async () => {
    const ended = await run({
      files: "{ secret: 'tls-key', path: cwd + '/data/key' }",
      args: ['--user', 'nobody'],
      script: 'tr "\\0" - < data/key; stat -c " %u %a" data/key; ls -A data',
      before,
    });
    expect(ended).toMatchObject({ status: 0, stdout: 'battery-staple 65534 400\nkey\nlink\n' });
  });

  test.skipIf(!isRoot)('a link of the app ends the start, and nothing is written', async () => {
    const ended = await run({
      files: "{ secret: 'tls-key', path: cwd + '/data/link/key' }",
      args: ['--user', 'nobody'],
      script: 'echo the app ran',
      before,
    });
    expect(refusalOf(ended)).toEqual(
      refused({
        status: 73,
        code: 'E_FILE',
        message: /^Cannot write \/.*\/data\/link is a symbolic link that belongs to uid 65534$/,
        where: /\/data\/link\/key$/,
        fix: 'Name the directory itself',
      }),
    );
    expect(readdirSync(join(ended.directory, 'victim'))).toEqual([]);
  });
});

describeContainer('debug', () => {
  test('shows what would be written, and asks for no secret', async () => {
    const emulator = await startPlatform(shop);
    const ended = await runContainer({
      emulator,
      config: configOf("{ secret: 'tls-key', path: '/run/key.pem', user: 1234 }"),
      args: ['debug', '--format', 'json', '--', 'true'],
    });
    const report: unknown = JSON.parse(ended.stdout);
    expect(report).toMatchObject({
      steps: expect.arrayContaining([
        {
          kind: 'write-secret',
          path: '/run/key.pem',
          identifier: 'tls-key',
          mode: '0400',
          uid: 1234,
          gid: 0,
        },
      ]),
    });
    expect(emulator.requests.map(({ path }) => path)).not.toContain(
      '/v1/environment/scoped-variables',
    );
  });
});

type Run = {
  /** `init.secrets.files`, JavaScript; `cwd` is the current directory. */
  readonly files: string;
  readonly script: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly before?: string;
};

async function run({ files, script, args = [], before = '', env = {} }: Run) {
  const container = startContainer({
    emulator: await startPlatform(shop),
    config: configOf(files),
    hosts,
    before,
    env,
    args: [...args, '--', 'sh', '-c', script],
  });
  container.child.stdin?.end();
  const status = await container.ended;
  return {
    status,
    stdout: container.stdout.text(),
    stderr: container.stderr.text(),
    hosts: container.hosts(),
    log: container.log,
    /** What is in the current directory then. */
    left: readdirSync(container.directory),
    directory: container.directory,
  };
}

function configOf(files: string): string {
  return `const cwd = process.cwd();\nmodule.exports = { init: { secrets: { files: ${files} } } };`;
}
