import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StartError } from '../../src/errors.ts';
import { loadDotenvParser, readDotenvFiles } from '../../src/inputs/dotenv-file.ts';

let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'dotenv-file-'));
  chmodSync(directory, 0o755);
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function write(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

async function errorOf(path: string): Promise<StartError> {
  const error = await readDotenvFiles([path]).then(
    () => undefined,
    (reason: unknown) => reason,
  );

  if (error instanceof StartError) {
    return error;
  }

  throw new Error('expected a StartError', { cause: error });
}

describe('dotenv files', () => {
  test('are read in the order given, each with its path and its own values', async () => {
    const first = write('first.env', 'A=1\nB=from first\n');
    const second = write('second.env', 'B=from second\nC=3\n');

    expect(await readDotenvFiles([second, first])).toEqual([
      {
        path: second,
        values: new Map([
          ['B', 'from second'],
          ['C', '3'],
        ]),
      },
      {
        path: first,
        values: new Map([
          ['A', '1'],
          ['B', 'from first'],
        ]),
      },
    ]);
  });

  test('may begin with a byte order mark and end their lines as on Windows', async () => {
    const path = write('windows.env', '\ufeffA=1\r\nB="two words"\r\n');
    const [layer] = await readDotenvFiles([path]);
    expect(layer?.values).toEqual(
      new Map([
        ['A', '1'],
        ['B', 'two words'],
      ]),
    );
  });

  test('that are empty give no values', async () => {
    expect((await readDotenvFiles([write('empty.env', '')]))[0]?.values.size).toBe(0);
  });

  test('give each name its last value, whatever quotes, comments and blank lines are around it', async () => {
    const parseDotenv = await loadDotenvParser();
    const name = fc.constantFrom('A', 'B', 'C_1', '_d', 'my.key', 'my-key', 'export');
    const value = fc.constantFrom(
      '',
      'x',
      'two words',
      '#hash',
      'a=b',
      "it's",
      'ünï✅',
      '$HOME',
      '\\d',
    );
    const noise = fc.constantFrom('', '# comment', '  ', '#A=commented', '\t# "open quote');
    const line = fc.record({
      name,
      value,
      quote: fc.constantFrom('"', '`'),
      prefix: fc.constantFrom('', 'export ', '  '),
      noise,
    });

    fc.assert(
      fc.property(fc.array(line), fc.constantFrom('\n', '\r\n'), (lines, end) => {
        const text = lines
          .map(
            (it) =>
              `${it.noise}${end}${it.prefix}${it.name}=${it.quote}${it.value}${it.quote} # ${it.name}`,
          )
          .join(end);
        expect(parseDotenv(text)).toEqual(new Map(lines.map((it) => [it.name, it.value])));
      }),
    );
  });
});

describe('refused is a dotenv file that', () => {
  test('does not exist', async () => {
    const path = join(directory, 'missing.env');
    const error = await errorOf(path);

    expect(error).toMatchObject({ code: 'E_ENV_FILE', exitCode: 78, remedy: { where: path } });
    expect(error.message).toBe(`Cannot read the dotenv file ${path}: there is no such file`);
  });

  test('is a directory', async () => {
    const path = join(directory, 'folder.env');
    mkdirSync(path);
    expect((await errorOf(path)).message).toContain('it is a directory');
  });

  test('the user of init may not read', async () => {
    const path = write('forbidden.env', 'TOKEN=hunter2\n');
    chmodSync(path, 0o000);
    const isRoot = process.geteuid?.() === 0;

    try {
      if (isRoot) {
        process.seteuid?.(65_534); // Root may read everything.
      }

      expect((await errorOf(path)).message).toContain('permission denied');
    } finally {
      if (isRoot) {
        process.seteuid?.(0);
      }
    }
  });

  test('leads only to itself', async () => {
    const path = join(directory, 'loop.env');
    symlinkSync(path, path);
    expect((await errorOf(path)).message).toContain('ELOOP');
  });

  test.each([
    ['is not UTF-8', Buffer.from('TOKEN=hunter2\xe9\n', 'latin1'), 'not UTF-8'],
    ['holds a NUL', 'TOKEN=hunter2\0\n', 'NUL'],
  ])('%s, and its text is not shown', async (_rule, content, expected) => {
    const error = await errorOf(write('bad.env', content));

    expect(error.message).toContain(expected);
    expect(JSON.stringify([error.message, error.remedy])).not.toContain('hunter2');
  });
});

describe('the parser', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));

  /** Runs in a process of its own: what is loaded and printed there is due to this script alone. */
  async function runScript(
    script: string,
    path: string,
  ): Promise<{ stdout: string; stderr: string }> {
    const source = `
      import { createRequire } from 'node:module';
      import { readDotenvFiles } from ${JSON.stringify(join(root, 'src/inputs/dotenv-file.ts'))};
      const path = ${JSON.stringify(path)};
      const isLoaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('/dotenv/'));
      ${script}`;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', source];
    const env = { ...process.env, DOTENV_CONFIG_DEBUG: 'true', NODE_OPTIONS: '', UNCHANGED: 'yes' };
    return await promisify(execFile)(process.execPath, args, { cwd: root, env });
  }

  test('is not loaded where there is no dotenv file', async () => {
    const script = `
      await readDotenvFiles([]);
      const before = isLoaded();
      await readDotenvFiles([path]);
      process.stdout.write(JSON.stringify([before, isLoaded()]));`;
    expect((await runScript(script, write('some.env', 'A=1'))).stdout).toBe('[false,true]');
  });

  test('prints nothing and leaves process.env as it is', async () => {
    const script = `
      const before = JSON.stringify(process.env);
      const [{ values }] = await readDotenvFiles([path]);
      process.stdout.write(JSON.stringify([values.get('UNCHANGED'), JSON.stringify(process.env) === before]));`;
    const path = write('env.env', 'UNCHANGED=no\nNEW_ONE=1\nPATH=/evil\n');
    expect(await runScript(script, path)).toEqual({ stdout: '["no",true]', stderr: '' });
  });
});
