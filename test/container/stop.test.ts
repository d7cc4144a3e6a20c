// `podman stop`, with and without a handler in the app.
import { expect, test } from 'vitest';

import { type Container, startContainer } from './container.ts';
import { shopImage } from './setup.ts';

const ready = "process.stdout.write('ready\\n'); setInterval(() => {}, 1000);";
const withoutHandler = ['node', '-e', ready];
const ignores = ['node', '-e', `process.on('SIGTERM', () => {}); ${ready}`];

async function secondsToStop(container: Container, seconds: number): Promise<number> {
  const start = performance.now();
  await container.stop(seconds);
  return (performance.now() - start) / 1000;
}

test('an app with a handler ends as it wants to, and its status is that of the container', async () => {
  const web = startContainer({ image: shopImage });
  await web.stdout.waitFor(/listens/);

  expect(await secondsToStop(web, 30)).toBeLessThan(10);
  expect(await web.ended).toBe(0);
  expect(web.stdout.text()).toMatch(/closing\n$/);
});

test('an app without one ends at once: it is not PID 1, which the kernel would shield', async () => {
  const web = startContainer({ image: shopImage, command: withoutHandler });
  await web.stdout.waitFor(/ready/);

  expect(await secondsToStop(web, 30)).toBeLessThan(10);
  expect(await web.ended).toBe(128 + 15);
});

test('the same app as PID 1 itself is killed when the time is over', async () => {
  const options = ['--entrypoint', '[]'];
  const web = startContainer({ image: shopImage, options, command: withoutHandler });
  await web.stdout.waitFor(/ready/);

  expect(await secondsToStop(web, 1)).toBeGreaterThan(1);
  expect(await web.ended).toBe(128 + 9);
});

test('an app that ignores TERM is killed when the time of the engine is over', async () => {
  const web = startContainer({ image: shopImage, command: ignores });
  await web.stdout.waitFor(/ready/);

  expect(await secondsToStop(web, 1)).toBeGreaterThan(1);
  expect(await web.ended).toBe(128 + 9);
});

test('or by warp-init, when the kill delay is over', async () => {
  const options = ['--env', 'WARP_INIT_KILL_DELAY=200ms'];
  const web = startContainer({ image: shopImage, options, command: ignores });
  await web.stdout.waitFor(/ready/);

  expect(await secondsToStop(web, 30)).toBeLessThan(10);
  expect(await web.ended).toBe(128 + 9);
});

test('STOPSIGNAL of the image reaches the app as it is', async () => {
  const hears = `process.on('SIGQUIT', () => process.exit(3)); ${ready}`;
  const options = ['--stop-signal', 'SIGQUIT'];
  const web = startContainer({ image: shopImage, options, command: ['node', '-e', hears] });
  await web.stdout.waitFor(/ready/);

  await web.stop(30);
  expect(await web.ended).toBe(3);
});
