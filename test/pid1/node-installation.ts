// warp-init with a brain on Node that only launches and follows: talkative-brain.ts.
import { buildSync } from 'esbuild';

import { installation } from '../helpers/pid1.ts';

/** The path of the binary. Node is found by `WARP_INIT_NODE`. */
export function nodeInstallation(): string {
  const { outputFiles } = buildSync({
    entryPoints: [new URL('talkative-brain.ts', import.meta.url).pathname],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
  });
  return installation('release', outputFiles[0]?.text ?? '');
}
