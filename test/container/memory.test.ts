// A container of 256 MB.
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { eventually } from '../helpers/process.ts';
import { runContainer, startContainer, startPlatform } from './container.ts';
import { shopImage } from './setup.ts';

const limited = ['--memory=256m', '--memory-swap=256m'];
const controllers = ['/sys/fs/cgroup/memory/memory.limit_in_bytes', '/sys/fs/cgroup/memory.max'];
/** The root of version 2 has no limit itself; a controller is listed where it can be used. */
const hasLimits =
  controllers.some((path) => existsSync(path)) || existsSync('/sys/fs/cgroup/cgroup.controllers');

describe.skipIf(!hasLimits)(`256 MB${hasLimits ? '' : ' (skipped: no memory controller)'}`, () => {
  test('are enough for init and app, and check sees them', async () => {
    const platform = await startPlatform();
    const options = [...limited, ...platform.options];
    const web = startContainer({ image: shopImage, options });
    await web.stdout.waitFor(/listens/);

    await eventually(async () => {
      expect((await web.exec(['warp-init', 'health'])).status).toBe(0);
    });
    const { stdout } = await web.exec(['warp-init', 'check', '--json']);
    expect(stdout).toContain('a limit of 256 MiB');
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'ok' });
  });

  test('an app that wants more is ended by the kernel, and that is the status of the container', async () => {
    const platform = await startPlatform();
    const eat = 'const all = []; for (;;) all.push(Buffer.alloc(8e6, 1));';
    const options = [...limited, ...platform.options];
    const { status, log } = await runContainer({
      image: shopImage,
      options,
      command: ['node', '-e', eat],
    });

    expect(status).toBe(128 + 9);
    expect(log.filter(({ level }) => level >= 50)).toEqual([]);
  });
});
