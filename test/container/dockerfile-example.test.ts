// Dockerfile.example as it is, beside a platform.
import { expect, test } from 'vitest';

import { nodeVersion } from '../../src/build/overlay-node.ts';
import { eventually } from '../helpers/process.ts';
import { shopPlatform, startContainer, startPlatform } from './container.ts';
import { shopImage } from './setup.ts';

const withSecret = ['--env', 'DATABASE_URL=warp-secret:database-url'];

test('the app runs as node below a PID 1 that is root, with names, variables and a secret', async () => {
  const platform = await startPlatform();
  const web = startContainer({ image: shopImage, options: [...platform.options, ...withSecret] });
  const [line] = await web.stdout.waitFor(/^.*listens.*$/m);

  expect(JSON.parse(line)).toEqual({
    event: 'listens',
    uid: 1000,
    groups: [1000],
    parent: 1,
    node: `v${nodeVersion}`,
    address: '10.0.0.20',
    variables: {
      DB_HOST: '10.0.0.20',
      WARP_IST_my_db: '10.0.0.20',
      DATABASE_URL: shopPlatform.secrets['database-url'],
    },
  });
  expect(web.log()).toEqual([]);
  expect((await web.exec(['cat', '/proc/1/comm', '/proc/1/status'])).stdout).toMatch(
    /^warp-init\n[^]*\nUid:\t0\t/,
  );
});

test('a service that moves has its new address in the hosts file that podman has mounted, and the app is told', async () => {
  const platform = await startPlatform();
  const web = startContainer({ image: shopImage, options: platform.options });
  await web.stdout.waitFor(/listens/);
  const mounts = await web.exec(['cat', '/proc/self/mountinfo']);
  const foreign = (await web.exec(['cat', '/etc/hosts'])).stdout.replace(
    /^# BEGIN [^]*# END .*\n/m,
    '',
  );
  await eventually(async () => {
    expect((await web.exec(['warp-init', 'health'])).status).toBe(0);
  });

  platform.change({
    ...shopPlatform,
    services: { ...shopPlatform.services, 'my-db': '10.0.0.21' },
  });
  const [line] = await web.stdout.waitFor(/^.*reloaded.*$/m);

  expect(mounts.stdout).toMatch(/ \/etc\/hosts /);
  expect(JSON.parse(line)).toMatchObject({ address: '10.0.0.21', parent: 1 });
  const hosts = (await web.exec(['cat', '/etc/hosts'])).stdout;
  expect(hosts).toContain('10.0.0.21 my-db.warp');
  expect(hosts).not.toContain('10.0.0.20');
  expect(hosts.replace(/^# BEGIN [^]*# END .*\n/m, '')).toBe(foreign);
  expect(foreign).toMatch(/^127\.0\.0\.1\s+localhost/m);
});

test('status, executed in it, tells how app and pipeline are', async () => {
  const platform = await startPlatform();
  const web = startContainer({ image: shopImage, options: platform.options });
  await web.stdout.waitFor(/listens/);

  await eventually(async () => {
    const { status, stdout, stderr } = await web.exec(['warp-init', 'status', '--json']);
    expect([status, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({
      init: { isPid1: true },
      app: { starts: 1, isRestarting: false },
      pipeline: { isConnected: true },
    });
  });
  expect((await web.exec(['warp-init', 'status'])).stdout).toMatch(
    /^healthy: the app runs .*, the pipeline is connected\n/,
  );
});

test('check, executed in it, finds nothing that would fail', async () => {
  const platform = await startPlatform();
  const web = startContainer({ image: shopImage, options: platform.options });
  await web.stdout.waitFor(/listens/);

  const { status, stdout } = await web.exec(['warp-init', 'check', '--json']);

  expect(JSON.parse(stdout)).toMatchObject({ verdict: 'ok', notChecked: [] });
  expect(status).toBe(0);
});

test('without /etc/host.conf, as in images of single files, glibc gives one address a name: a warning', async () => {
  const platform = await startPlatform();
  const web = startContainer({ image: shopImage, options: platform.options });
  await web.stdout.waitFor(/listens/);
  await web.exec(['rm', '/etc/host.conf']);

  const { status, stdout } = await web.exec(['warp-init', 'check', '--json']);

  expect(JSON.parse(stdout)).toMatchObject({
    verdict: 'warning',
    findings: expect.arrayContaining([
      expect.objectContaining({ id: 'names', code: 'W_NAME_FIRST_ONLY' }),
    ]),
  });
  expect(status).toBe(0);
});
