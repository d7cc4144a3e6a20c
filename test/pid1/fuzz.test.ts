// What pid1 is told, by its brain and by its command line, fuzzed by libFuzzer in builds with sanitizers.
//
// 60 s for each target; WARP_INIT_FUZZ_SECONDS sets another time, WARP_INIT_FUZZ_SEED begins as another run did. An input
// that fails is in the report, in base64: in a file it is the target's only argument.
import { mkdirSync, mkdtempSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { program } from '../helpers/pid1.ts';
import { startProcess } from '../helpers/process.ts';
import { dictionary, seeds } from './fuzz-seeds.ts';

const targets = ['fuzz-link', 'fuzz-options'] as const;
const seconds = Number(process.env['WARP_INIT_FUZZ_SECONDS'] ?? 60);
const seed = Number(process.env['WARP_INIT_FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const noTargetsBecause = findObstacle();

describe.skipIf(noTargetsBecause !== undefined)(
  `fuzzed${noTargetsBecause === undefined ? '' : ` (skipped: ${noTargetsBecause})`}`,
  { timeout: (seconds + 60) * 1000 },
  () => {
    test.each([
      ['nothing that a brain says makes pid1 do what it must not', 'fuzz-link'],
      ['no command line is read in another way than it is meant', 'fuzz-options'],
    ] as const)(`%s (${seconds} s)`, async (_, target) => {
      const { status, report } = await runTarget(target);
      const done = /^#\d+\s+DONE +cov: (\d+) ft: \d+ corp: (\d+)/m.exec(report);
      const [, edges = '0', kept = '0'] = done ?? [];
      const [, runs = '0'] = /^Done (\d+) runs/m.exec(report) ?? [];
      process.stdout.write(
        `${target}: WARP_INIT_FUZZ_SEED=${seed}, ${runs} runs, ${edges} edges, ${kept} inputs kept\n`,
      );

      expect(/^.*(?:ERROR|SUMMARY|runtime error)[^]*/m.exec(report)?.[0]).toBeUndefined();
      expect(status).toBe(0);
      expect(Number(edges)).toBeGreaterThan(leastEdges[target]);
    });
  },
);

type Target = (typeof targets)[number];

async function runTarget(target: Target): Promise<{ status: number | string; report: string }> {
  const fuzzer = startProcess(program(target), optionsOf(target), { cwd: '/' });
  return { status: await fuzzer.ended, report: fuzzer.stderr.text() };
}

/** What the seeds alone reach, more or less: fewer, and the target does not run what it is there for. */
const leastEdges = { 'fuzz-link': 300, 'fuzz-options': 150 };

function optionsOf(target: Target): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'fuzz-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const corpus = join(directory, 'corpus');
  mkdirSync(corpus);
  for (const [index, bytes] of seeds[target].entries()) {
    writeFileSync(join(corpus, `seed-${index}`), bytes);
  }

  const words = join(directory, 'words');
  writeFileSync(words, dictionary.map((word) => `"${word}"\n`).join(''));
  return [
    `-max_total_time=${seconds}`,
    `-seed=${seed}`,
    '-max_len=8192',
    ...(target === 'fuzz-options' ? [`-dict=${words}`] : []),
    `-artifact_prefix=${directory}/`,
    corpus,
  ];
}

function findObstacle(): string | undefined {
  const missing = targets.find((target) => !existsSync(program(target)));
  if (missing === undefined) {
    return undefined;
  }

  const why = `there is no dist/test/${missing}: it needs clang and libclang-rt`;
  if (process.env['WARP_INIT_REQUIRE_FUZZ'] === '1') {
    throw new Error(`Cannot fuzz, and WARP_INIT_REQUIRE_FUZZ=1 asks for it: ${why}`);
  }

  return why;
}
