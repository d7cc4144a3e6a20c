// The frame reader against mutated frames, in the build with sanitizers.
//
// 60 s by default; WARP_INIT_FUZZ_SECONDS sets another time, WARP_INIT_FUZZ_SEED repeats a run.
import { expect, test } from 'vitest';

import { program } from '../helpers/pid1.ts';
import { startProcess } from '../helpers/process.ts';

const seconds = Number(process.env['WARP_INIT_FUZZ_SECONDS'] ?? 60);
const seed = Number(process.env['WARP_INIT_FUZZ_SEED'] ?? Date.now());

test(
  `no mutation of frames makes the reader read or write where it must not (${seconds} s)`,
  async () => {
    process.stdout.write(`fuzz-frames: WARP_INIT_FUZZ_SEED=${seed}\n`);
    const fuzzer = startProcess(program('fuzz-frames'), [`${seconds}`, `${seed}`]);
    const status = await fuzzer.ended;
    expect(fuzzer.stderr.text()).toBe('');
    expect(fuzzer.stdout.text()).toMatch(/^\d+ inputs, \d+ frames, \d+ launches, \d+ broken\n$/);
    expect(status).toBe(0);
  },
  (seconds + 20) * 1000,
);
