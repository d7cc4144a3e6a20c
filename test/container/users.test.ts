// Who init and the app are, and what of the container they may write.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { eventually } from '../helpers/process.ts';
import {
  type Platform,
  shopPlatform,
  startContainer,
  startPlatform,
  temporaryDirectory,
} from './container.ts';
import { shopImage } from './setup.ts';

/** As an image that was built with `USER node` and without WARP_INIT_USER. */
const asNode = ['--user', 'node', '--unsetenv', 'WARP_INIT_USER'];
const hardened = [...asNode, '--read-only', '--cap-drop=all', '--security-opt=no-new-privileges'];

/** The platform of somebody who serves containers that are not root. */
async function startOpenPlatform(): Promise<Platform> {
  const platform = await startPlatform();
  chmodSync(join(platform.directory, 'api/api.sock'), 0o666);
  return platform;
}

test('init that is root leaves nothing of root to the app', async () => {
  const platform = await startPlatform();
  const command = ['node', '-p', "require('fs').readFileSync('/proc/self/status', 'utf8')"];
  const web = startContainer({ image: shopImage, options: platform.options, command });

  expect(await web.ended).toBe(0);
  expect(web.stdout.text()).toMatch(
    /^Uid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000$/m,
  );
  expect(web.stdout.text()).toMatch(/^Groups:\t1000 $/m);
  expect(web.stdout.text()).toMatch(/^CapInh:\t0+\nCapPrm:\t0+\nCapEff:\t0+$/m);
});

test.each([
  ['with a state directory', ['--tmpfs', '/run/warp-init:U,mode=0700'], '/run/warp-init'],
  ['with a /dev/shm alone', [], '/dev/shm/warp-init-1000'],
])(
  'a read-only image without root and capabilities, %s, has variables, secrets and ist.json, and says what it lacks',
  async (_how, more, directory) => {
    const platform = await startOpenPlatform();
    const options = [...platform.options, ...hardened, ...more];
    const secret = ['--env', 'DATABASE_URL=warp-secret:database-url'];
    const web = startContainer({ image: shopImage, options: [...options, ...secret] });
    const [line] = await web.stdout.waitFor(/^.*listens.*$/m);

    expect(JSON.parse(line)).toMatchObject({
      uid: 1000,
      parent: 1,
      variables: { DB_HOST: '10.0.0.20', DATABASE_URL: expect.stringContaining('correct-horse') },
    });
    const ist = await web.exec(['cat', `${directory}/ist.json`]);
    expect(ist).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(ist.stdout)).toMatchObject({ variables: { DB_HOST: '10.0.0.20' } });
    expect((await web.exec(['warp-init', 'status'])).status).toBe(0);
    expect(web.log()).toEqual([
      expect.objectContaining({
        code: 'W_HOSTS',
        msg: expect.stringContaining('Cannot write /etc/hosts'),
      }),
    ]);
  },
);

test('where nothing at all can be written, the app runs and one warning says what to mount', async () => {
  const platform = await startOpenPlatform();
  const nowhere = ['--read-only-tmpfs=false', `--volume=${temporaryDirectory()}:/dev/shm:ro`];
  const options = [...platform.options, ...hardened, ...nowhere];
  const web = startContainer({ image: shopImage, options });
  await web.stdout.waitFor(/listens/);

  expect(web.log().map(({ code }) => code)).toEqual(['W_STATE_DIRECTORY', 'W_HOSTS']);
  expect(web.log()[0]?.fix).toContain('--tmpfs /run/warp-init:mode=0700');
});

test('of a read-only container podman mounts the hosts file read-only, for root too: a warning says so', async () => {
  const platform = await startPlatform();
  const web = startContainer({ image: shopImage, options: [...platform.options, '--read-only'] });
  const [line] = await web.stdout.waitFor(/^.*listens.*$/m);

  expect(JSON.parse(line)).toMatchObject({ uid: 1000, variables: { DB_HOST: '10.0.0.20' } });
  expect(web.log()).toEqual([
    expect.objectContaining({
      code: 'W_HOSTS',
      msg: expect.stringContaining('read-only file system (EROFS)'),
      fix: expect.stringContaining('a hosts file as a volume'),
    }),
  ]);
});

test('with a hosts file as a volume, as the warning says, names resolve there', async () => {
  const platform = await startPlatform();
  const hosts = join(temporaryDirectory(), 'hosts');
  writeFileSync(hosts, '127.0.0.1 localhost\n');
  const options = [...platform.options, '--read-only', `--volume=${hosts}:/etc/hosts`];
  const web = startContainer({ image: shopImage, options });
  const [line] = await web.stdout.waitFor(/^.*listens.*$/m);

  expect(JSON.parse(line)).toMatchObject({ uid: 1000, address: '10.0.0.20' });
  expect(web.log()).toEqual([]);
  expect(readFileSync(hosts, 'utf8')).toContain('10.0.0.20 my-db.warp');
});

test('root without capabilities cannot become another user, and is told so', async () => {
  const web = startContainer({ image: shopImage, options: ['--cap-drop=all'] });

  expect(await web.ended).toBe(78);
  expect(web.log().at(-1)).toMatchObject({
    code: 'E_USER',
    fix: expect.stringContaining('SETUID'),
  });
});

test.each([
  ['read-only', 'api:/var/run/cycle/api:ro'],
  ['as a whole directory above it', '.:/var/run/cycle'],
])('the socket of the platform, mounted %s, is found', async (_how, volume) => {
  const platform = await startPlatform();
  const token = platform.options.filter((option) => option.startsWith('--env='));
  const options = [...token, `--volume=${join(platform.directory, volume)}`];
  const web = startContainer({ image: shopImage, options });
  const [line] = await web.stdout.waitFor(/^.*listens.*$/m);

  expect(JSON.parse(line)).toMatchObject({ address: '10.0.0.20' });
});

test('a platform that begins again on the same volume, with a socket that is new, is followed again', async () => {
  const platform = await startPlatform();
  const web = startContainer({ image: shopImage, options: platform.options });
  await web.stdout.waitFor(/listens/);
  const isHealthy = async () => (await web.exec(['warp-init', 'health'])).status === 0;
  await eventually(async () => expect(await isHealthy()).toBe(true));

  await platform.end();
  await eventually(async () => expect(await isHealthy()).toBe(false));
  platform.change({
    ...shopPlatform,
    services: { ...shopPlatform.services, 'my-db': '10.0.0.22' },
  });
  await platform.begin();

  const [line] = await web.stdout.waitFor(/^.*reloaded.*$/m);
  expect(JSON.parse(line)).toMatchObject({ address: '10.0.0.22', parent: 1 });
});
