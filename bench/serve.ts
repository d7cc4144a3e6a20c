// An emulator of its own process for each size of platform, so that answering does not disturb the clock.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Place } from './contestants.ts';
import { platformOf } from './platform.ts';

export type Serving = {
  readonly count: number;
  readonly socket: string;
  readonly stop: () => void;
};

export async function serve({ root, directory }: Place, count: number): Promise<Serving> {
  const file = join(directory, `platform-${count}.json`);
  const socket = join(directory, `api-${count}.sock`);
  writeFileSync(file, JSON.stringify(platformOf(count)));
  const emulator = spawn(
    process.execPath,
    [join(root, 'dist', 'warp-init.cjs'), 'emulator', file, '--socket', socket],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(emulator.stdout, 'data');
  return { count, socket, stop: () => void emulator.kill() };
}
