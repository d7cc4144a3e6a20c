// The examples of the pages are right: init takes every config, command line and platform that they show.
import { describe, expect, test } from 'vitest';

import { parseCommandLine } from '../../src/cli.ts';
import { parseConfig } from '../../src/core/config.ts';
import { describeProblem } from '../../src/core/config-problems.ts';
import { checkPlatformFile } from '../../src/emulator/platform-file.ts';
import { parseBareRun } from '../../src/invocation.ts';
import { codeBlocks, readPages } from './pages.ts';

const blocks = readPages().flatMap((page) => codeBlocks(page));

function named(language: string, pattern: RegExp) {
  return blocks
    .filter((block) => block.language === language && pattern.test(block.code))
    .map(({ path, code }, index) => [`${path}, ${index + 1}`, code] as const);
}

/** Fragments that begin with `init:` are completed. */
const configs = [
  ...named('js', /^module\.exports = \{/m),
  ...named('js', /^init: \{/).map(([name, code]) => [name, `module.exports = {${code}}`] as const),
];

describe('a config', () => {
  test.each(configs)('of %s is one', (_name, code) => {
    const module: { exports?: unknown } = {};
    // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- Our own page, as Node would run it.
    new Function('module', 'process', code)(module, { env: {} });
    const result = parseConfig(module.exports);
    expect(result.ok ? [] : result.problems.map(describeProblem)).toEqual([]);
  });

  test('is in several of them', () => {
    expect(configs.length).toBeGreaterThan(7);
  });
});

const platforms = named('json', /"services": \{/);

describe('a platform', () => {
  test.each(platforms)('of %s is one', (_name, code) => {
    expect(() => checkPlatformFile(JSON.parse(code), 'the page')).not.toThrow();
  });

  test('is in several of them', () => {
    expect(platforms.length).toBeGreaterThan(1);
  });
});

/** `ENTRYPOINT ["warp-init", …]`, with the CMD after it if there is one. */
function entrypoints(): [name: string, words: string[]][] {
  return blocks
    .filter(({ language }) => language === 'dockerfile')
    .flatMap(({ path, code }) =>
      [...code.matchAll(/^(?:ENTRYPOINT|.*\bCMD) (\[.*warp-init.*\])$/gm)].map(
        ([, json = '']): [string, string[]] => [`${path}: ${json}`, JSON.parse(json)],
      ),
    );
}

/** Lines of shells that begin with the program, perhaps behind variables; only simple words. */
function shellLines(): [name: string, words: string[]][] {
  return blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ path, code }) =>
      [...code.matchAll(/^(?:[A-Z_]+=\S+ )*(warp-init [^#&|'"$\n]+)/gm)].map(
        ([, line = '']): [string, string[]] => [`${path}: ${line}`, line.trim().split(/ +/)],
      ),
    );
}

const commandLines = [...entrypoints(), ...shellLines()];

describe('a command line', () => {
  test.each(commandLines)('of %s is one', async (_name, [, ...words]) => {
    const isPlain = words[0] === '--plain'; // Read by PID 1.
    const invocation = isPlain
      ? undefined
      : (parseBareRun(words) ?? (await parseCommandLine(words)));
    expect(invocation?.command).not.toBe('print');
  });

  test('is in many of them', () => {
    expect(commandLines.length).toBeGreaterThan(9);
  });
});
