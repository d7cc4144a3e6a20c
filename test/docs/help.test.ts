// `--help` of each command, and the manual page that is made of it.
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';

import { commandsIn, formatManual, readHelp } from '../../src/build/docs-man.ts';
import { parseCommandLine } from '../../src/cli.ts';
import { optionNames } from '../../src/core/run-options.ts';
import { exitStatus } from '../../src/errors.ts';

const commands = commandsIn(await readHelp([]));

/** As it is printed. */
async function printed(words: readonly string[]): Promise<string> {
  const invocation = await parseCommandLine([...words, '--help']);
  return invocation.command === 'print' ? invocation.text : '';
}

test('the help lists the commands', () => {
  expect(commands).toEqual(expect.arrayContaining(['run', 'debug', 'status', 'emulator', 'warm']));
});

describe.each([[], ...commands.map((name) => [name])])('the help of warp-init %s', (...words) => {
  test('fits into 80 columns', async () => {
    const lines = (await printed(words)).split('\n');
    expect(lines.length).toBeGreaterThan(4);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  test('has a space before the type of an option', async () => {
    expect(await printed(words)).not.toMatch(/\S\[(?:string|boolean)\]/);
  });

  test('says how it is used, and shows an example', async () => {
    const text = await printed(words);
    expect(text).toMatch(/^warp-init/);
    expect(text).toMatch(/^(?:Examples|In a Dockerfile):\n {2}\S/m);
  });
});

test('the help says which commands end with 1', async () => {
  expect(await printed([])).toMatch(/^ {4}1 {2}check: .*health: .*reload: /m);
});

describe('the manual page', async () => {
  const page = await formatManual('1.2.3');

  test('has every option, command and exit status', () => {
    const bold = [...page.matchAll(/^\.B (.*)$/gm)].map(([, text = '']) =>
      text.replaceAll('\\', ''),
    );
    const hasNot = (words: readonly string[]) =>
      words.filter((word) => !bold.some((text) => text === word || text.startsWith(`${word} `)));
    expect(hasNot(optionNames().map((name) => `--${name}`))).toEqual([]);
    expect(hasNot(commands.map((name) => `warp-init ${name}`))).toEqual([]);
    expect(hasNot(Object.values(exitStatus).map(String))).toEqual([]);
    expect(page).toContain('"warp\\-init 1.2.3"');
  });

  test('has no type of yargs in it, and no section without content', () => {
    expect(page).not.toMatch(/\[(?:string|boolean)\]/);
    expect(page).not.toMatch(/^\.(S[HS]) .*\n\.\1 /m);
  });

  test('has no request but those that it means', () => {
    const requests = page.split('\n').flatMap((line) => /^[.'](\S*)/.exec(line)?.[1] ?? []);
    expect([...new Set(requests)].toSorted()).toEqual([
      'B',
      'PP',
      'SH',
      'SS',
      'TH',
      'TP',
      'br',
      'fi',
      'nf',
    ]);
  });

  const groff = spawnSync('groff', ['--version']).error;

  test.skipIf(groff !== undefined)('is read by groff without a warning', () => {
    const { stdout, stderr } = spawnSync('groff', ['-man', '-Tascii', '-P-c', '-ww'], {
      input: page,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout.split('\n').length).toBeGreaterThan(100);
  });
});
