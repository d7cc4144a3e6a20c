// pid1 for arm64: the binary of the package, and its frame reader in a build that traps undefined acts.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { arm64Emulator, noArm64Because } from '../helpers/arm64.ts';
import { program } from '../helpers/pid1.ts';
import { startProcess } from '../helpers/process.ts';
import { describeBasics } from './basics.ts';

const binary = new URL('../../dist/warp-init-arm64', import.meta.url).pathname;
const seconds = 5;
const seed = Number(process.env['WARP_INIT_FUZZ_SEED'] ?? Date.now());
const reason = noArm64Because === undefined ? '' : ` (skipped: ${noArm64Because})`;

describe.skipIf(noArm64Because !== undefined)(`on arm64${reason}`, () => {
  describeBasics('arm64');

  test(`no mutation of frames makes the reader do what is undefined (${seconds} s)`, async () => {
    process.stdout.write(`fuzz-frames-arm64: WARP_INIT_FUZZ_SEED=${seed}\n`);
    // By way of env(1), which starts what is behind qemu or there alone.
    const command = [...arm64Emulator, program('fuzz-frames-arm64'), `${seconds}`, `${seed}`];
    const fuzzer = startProcess('env', command);
    const status = await fuzzer.ended;

    expect(fuzzer.stderr.text()).toBe('');
    expect(fuzzer.stdout.text()).toMatch(/^\d+ inputs, \d+ frames, \d+ launches, \d+ broken\n$/);
    expect(status).toBe(0);
  });

  test('the binary is for arm64, static, and below 100 kB with musl', () => {
    const { stdout } = spawnSync('readelf', ['--file-header', '--segments', '--wide', binary], {
      encoding: 'utf8',
    });
    const hasMusl = spawnSync('aarch64-linux-musl-gcc', ['--version']).status === 0;

    expect(stdout).toMatch(/Machine: +AArch64/);
    expect(stdout).not.toMatch(/INTERP|DYNAMIC/);
    expect(statSync(binary).size).toBeLessThan(hasMusl ? 100_000 : 1_000_000);
    // Kernels with pages of 64 kB load nothing that is aligned to less.
    const alignments = [...stdout.matchAll(/^ +LOAD .* (0x[\da-f]+)$/gm)].map(([, hex]) =>
      Number(hex),
    );
    expect(Math.min(...alignments)).toBeGreaterThanOrEqual(65_536);
  });
});
