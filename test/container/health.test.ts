// HEALTHCHECK of an image, run as the engine runs it.
import { expect, test } from 'vitest';

import { eventually } from '../helpers/process.ts';
import { buildImage, startContainer, startPlatform, storage } from './container.ts';
import { podman } from './podman.ts';
import { shopImage } from './setup.ts';

const dockerfile = `FROM ${shopImage}\nHEALTHCHECK --interval=1h CMD ["warp-init", "health"]\n`;

async function healthOf(name: string): Promise<number | undefined> {
  return (await podman(storage(), ['healthcheck', 'run', name])).status;
}

test('HEALTHCHECK is good while the app runs and the platform is followed, and bad when the platform is gone', async () => {
  const platform = await startPlatform();
  const image = await buildImage(dockerfile);
  const web = startContainer({ image, options: platform.options });
  await web.stdout.waitFor(/listens/);

  await eventually(async () => expect(await healthOf(web.name)).toBe(0));
  await platform.end();
  await eventually(async () => expect(await healthOf(web.name)).toBe(1));
  expect(web.log().map(({ code }) => code)).toContain('W_PIPELINE_LOST');
});

test('without a platform it is about the app alone', async () => {
  const image = await buildImage(dockerfile);
  const web = startContainer({ image });
  await web.stdout.waitFor(/listens/);

  expect(await healthOf(web.name)).toBe(0);
});
