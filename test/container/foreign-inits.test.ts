// Below an init of the engine, or of the image: it works, and says what is superfluous.
import { expect, test } from 'vitest';

import { eventually } from '../helpers/process.ts';
import { runContainer, startContainer, startPlatform } from './container.ts';
import { shopImage } from './setup.ts';

const inits = [
  { name: 'catatonit, by --init', options: ['--init', '--init-path', '/usr/bin/catatonit'] },
  { name: 'tini, by --init', options: ['--init', '--init-path', '/usr/bin/tini-static'] },
];

test.each(inits)('below $name the app runs, and one warning names PID 1', async ({ options }) => {
  const platform = await startPlatform();
  const web = startContainer({ image: shopImage, options: [...options, ...platform.options] });
  const [line] = await web.stdout.waitFor(/^.*listens.*$/m);

  expect(JSON.parse(line)).toMatchObject({ uid: 1000, address: '10.0.0.20' });
  const pid1 = (await web.exec(['cat', '/proc/1/comm'])).stdout.trim();
  expect(web.log()).toEqual([
    expect.objectContaining({
      code: 'W_NOT_PID1',
      msg: expect.stringContaining(`PID 1 is ${pid1} here`),
      fix: expect.stringContaining('without `docker run --init`'),
    }),
  ]);
  expect(pid1).not.toMatch(/^warp-init/);

  await web.stop(30);
  expect(await web.ended).toBe(0);
  expect(web.stdout.text()).toMatch(/closing\n$/);
});

test.each(inits)('below $name init reaps the orphans of the app itself', async ({ options }) => {
  const platform = await startPlatform();
  const orphans = 'for i in 1 2 3 4 5; do (sleep 0.01 & exec true); done; exec sleep 600';
  const web = startContainer({
    image: shopImage,
    options: [...options, ...platform.options],
    command: ['sh', '-c', orphans],
  });

  await eventually(async () => {
    const { stdout } = await web.exec(['warp-init', 'status', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ pid1: { orphansReaped: 5 } });
  });
  const processes = await web.exec(['sh', '-c', 'cat /proc/[0-9]*/stat']);
  expect(processes.stdout).not.toMatch(/\) Z /);
});

test.each(inits)('below $name the status is that of the app', async ({ options }) => {
  const { status } = await runContainer({
    image: shopImage,
    options,
    command: ['sh', '-c', 'exit 42'],
  });

  expect(status).toBe(42);
});
