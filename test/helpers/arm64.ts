// The arm64 build: on an arm64 machine as it is, elsewhere under the user mode of qemu.
//
// qemu runs pid1 alone: what that starts is of the machine itself. Where there is no qemu or no such build those tests
// are skipped, or fail if WARP_INIT_REQUIRE_ARM64=1 says that both are expected.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** What a command line for arm64 begins with. */
export const arm64Emulator: readonly string[] =
  process.arch === 'arm64' ? [] : ['qemu-aarch64-static'];

const dist = new URL('../../dist/', import.meta.url).pathname;

/** Why nothing for arm64 can run here; undefined: it can. */
export const noArm64Because = findObstacle();

function findObstacle(): string | undefined {
  const missing = ['warp-init-arm64', 'test/fuzz-frames-arm64'].filter(
    (name) => !existsSync(`${dist}${name}`),
  );
  const why =
    missing.length > 0
      ? `there is no dist/${missing.join(', dist/')}: install what \`npm run build\` names`
      : findObstacleOfQemu();
  if (why !== undefined && process.env['WARP_INIT_REQUIRE_ARM64'] === '1') {
    throw new Error(`Cannot test arm64, and WARP_INIT_REQUIRE_ARM64=1 asks for it: ${why}`);
  }

  return why;
}

function findObstacleOfQemu(): string | undefined {
  const [qemu] = arm64Emulator;
  return qemu === undefined || spawnSync(qemu, ['--version']).status === 0
    ? undefined
    : `there is no ${qemu}: apt-get install qemu-user-static`;
}
