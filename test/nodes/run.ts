// `npm run test:nodes`: the whole suite on each Node that warp-init supports, one after the other, and a table of how it ended.
//
// Words behind it go to vitest; numbers among them choose lines of Node: `npm run test:nodes -- 24 26 test/inputs`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as v from 'valibot';

import { type NodeLine, installNode, nodeLines, withNode } from './nodes.ts';

const root = join(import.meta.dirname, '..', '..');
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts'];
const resultSchema = v.object({
  numPassedTests: v.number(),
  numFailedTests: v.number(),
  numPendingTests: v.number(),
  testResults: v.array(
    v.object({
      name: v.string(),
      assertionResults: v.array(v.object({ fullName: v.string(), status: v.string() })),
    }),
  ),
});

type Ended = { readonly isGood: boolean; readonly summary: string };

function runOn(line: NodeLine, words: readonly string[]): Ended {
  const directory = installNode(line);
  const results = mkdtempSync(join(tmpdir(), 'test-nodes-'));
  const file = join(results, 'results.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  try {
    const { status } = spawnSync(join(directory, 'node'), [...vitest, ...reporters, ...words], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...withNode(directory) },
    });
    return describeEnd(status, file);
  } finally {
    rmSync(results, { recursive: true });
  }
}

function describeEnd(status: number | null, file: string): Ended {
  const result = v.parse(resultSchema, JSON.parse(readFileSync(file, 'utf8')));
  const failed = result.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter((test) => test.status === 'failed')
      .map(({ fullName }) => `\n    ${name.replace(`${root}/`, '')}: ${fullName}`),
  );
  const { numPassedTests, numFailedTests, numPendingTests } = result;
  return {
    isGood: status === 0 && numPassedTests > 0,
    summary: `${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped${failed.join('')}`,
  };
}

function run(words: readonly string[]): void {
  const chosen = nodeLines.filter((line) => words.includes(`${line}`));
  const rest = words.filter((word) => !chosen.some((line) => word === `${line}`));
  const ends = (chosen.length === 0 ? nodeLines : chosen).map((line) => ({
    line,
    ...runOn(line, rest),
  }));
  for (const { line, summary } of ends) {
    process.stdout.write(`Node ${line}: ${summary}\n`);
  }

  process.exitCode = ends.every(({ isGood }) => isGood) ? 0 : 1;
}

run(process.argv.slice(2));
