// A service that moves while the app runs: what is new where, and when nothing happens at all.
import { expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import type { Notification } from '../../src/emulator/notification.ts';
import type { Emulator } from '../../src/emulator/server.ts';
import { describeContainer } from '../helpers/container.ts';
import { fingerprint, reader, shop, startFollowed } from './follow-rig.ts';

describeContainer('a service that moved', () => {
  test('is in hosts, ist.json and the env file before the app hears of it, and not in its environment', async () => {
    const it = await startFollowed({
      args: reader(['HUP']),
      reload: { action: 'signal' },
      init: { envFile: true },
    });
    await it.stdout.waitFor('start: 10.0.0.20 10.0.0.20 10.0.0.20 10.0.0.20\n');
    await it.emulator.update(shop('10.0.0.21'));
    await it.stdout.waitFor('HUP: 10.0.0.20 10.0.0.21 10.0.0.21 10.0.0.21\n');
    await it.counted('signaled', 1);
    expect((await it.status()).reload.last).toMatchObject({
      outcome: 'signaled',
      changed: { ist: ['my-db'], secrets: [], certificates: [], config: [] },
    });
    await it.signal('SIGTERM');
    expect(await it.ended).toBe(7);
    expect(it.stdout.text().match(/HUP/g)).toHaveLength(1);
  });

  test('is not told to an app that has not asked for a signal, but is in the files', async () => {
    const it = await startFollowed({ args: reader(['HUP', 'USR1']) });
    await it.emulator.update(shop('10.0.0.21'));
    await it.counted('applied', 1);
    expect(it.host('my-db.warp')).toBe('10.0.0.21');
    expect(it.stdout.text()).toMatch(/^start: .*\n$/);

    // What one reload has told of, the next one does not tell of again.
    expect(await it.reload()).toMatchObject({ outcome: 'unchanged', changed: { ist: [] } });
    await it.emulator.update({
      ...shop('10.0.0.21'),
      services: { web: '10.0.0.10', 'my-db': '10.0.0.21', cache: '10.0.0.31' },
    });
    await it.counted('applied', 2);
    expect((await it.status()).reload.last).toMatchObject({ changed: { ist: ['cache'] } });
  });
});

describeContainer('nothing is touched, and nobody is told', () => {
  const files = ['/etc/hosts', '/run/warp-init/ist.json', '/run/warp-init/env', '/run/app/key'];
  const secret = { key: 'correct-horse' };

  async function startWatched() {
    const it = await startFollowed({
      platform: shop('10.0.0.20', secret),
      args: reader(['HUP']),
      reload: { action: 'signal' },
      init: { envFile: true, secrets: { files: { secret: 'key', path: '/run/app/key' } } },
    });
    const before = files.map((path) => fingerprint(it.inside(path)));
    return {
      ...it,
      expectUntouched: () => {
        expect(files.map((path) => fingerprint(it.inside(path)))).toEqual(before);
        expect(it.stdout.text()).toMatch(/^start: .*\n$/);
      },
    };
  }

  test('where a fetch finds what was there before: files keep inode and times', async () => {
    const it = await startWatched();
    for (const [index, tell] of harmless.entries()) {
      await tell(it.emulator);
      await it.counted('unchanged', index + 2);
    }

    it.emulator.dropConnections();
    await it.counted('unchanged', harmless.length + 2);
    expect(await it.reload()).toMatchObject({ outcome: 'unchanged' });
    it.expectUntouched();
  });

  test('and nobody is asked, for notifications that cannot concern us', async () => {
    const it = await startFollowed({ platform: deployed('10.0.0.40'), args: reader(['HUP']) });
    const requests = it.emulator.requests.length;
    // Of a container in another deployment, of another environment, and what is no notification at all.
    expect(await it.emulator.update(deployed('10.0.0.41'))).toHaveLength(1);
    await it.emulator.notify(about('container.reconfigured', ['000000000000000000000001']));
    for (const spelling of ['state_previous', 'previous_state']) {
      const object = { id: '0', state: 'running', [spelling]: 'running' };
      await it.emulator.sendFrame(JSON.stringify({ topic: 'container.state.changed', object }));
    }

    for (const frame of ['no JSON', '{"topic":"weather.changed"}', Buffer.from('{}')]) {
      await it.emulator.sendFrame(frame);
    }

    await expect
      .poll(async () => (await it.status()).pipeline)
      .toMatchObject({
        eventsSeen: 7,
        eventsIgnored: {
          'not-ours': 2,
          'no-change': 2,
          'not-json': 1,
          'unknown-topic': 1,
          binary: 1,
        },
      });
    expect((await it.status()).reload).toMatchObject({
      phase: 'idle',
      byOutcome: { unchanged: 1 },
    });
    expect(it.emulator.requests).toHaveLength(requests);
  });

  test('and a warning that the start gave is not given again', async () => {
    const it = await startFollowed({ config: { ist: { service: 'nobody', variables: 'NOBODY' } } });
    await it.emulator.update(shop('10.0.0.21'));
    await it.counted('applied', 1);
    expect(it.stderr.text().match(/W_IST_UNKNOWN_SERVICE/g)).toHaveLength(1);
  });

  test('where the platform does not give our identity for a while: the variables stay as they are', async () => {
    const it = await startWatched();
    it.emulator.setAnswer('/v1/hub', null);
    it.emulator.setAnswer('/v1/environment', 7);
    it.emulator.setAnswer('/v1/server', []);
    expect(await it.reload()).toMatchObject({ outcome: 'unchanged' });
    await it.killBrain();
    expect(await it.reload()).toMatchObject({ outcome: 'unchanged' });
    expect(it.stderr.text()).not.toContain('left out');
    it.expectUntouched();
  });
});

/** Each leads to a fetch that finds nothing new. */
const harmless: ((emulator: Emulator) => Promise<unknown>)[] = [
  'container.reconfigured',
  'environment.scoped-variable.updated',
  'dns.zone.certificate.ready',
  'sdn.network.reconfigured',
].map((topic) => (emulator) => emulator.notify(about(topic)));

function about(topic: string, environments: readonly string[] | null = null): Notification {
  const nothing = { label: null, hub_id: null, account_id: null, dns_zones: null };
  return {
    topic,
    object: { id: '5dcf22dd782939a8bb1f4b79' },
    context: { ...nothing, environments, containers: null, clusters: null },
  };
}

/** We are in a deployment, and another one has a service, too. */
function deployed(hidden: string): PlatformFile {
  return {
    self: 'web',
    services: {
      web: { deployment: 'v2' },
      'my-db': '10.0.0.20',
      old: { deployment: 'v1', instances: [hidden] },
    },
  };
}

describeContainer('the address of a service', () => {
  const instances = ['10.0.0.20', '10.0.0.21', '10.0.0.22', '10.0.0.23'];
  test('stays through reloads and the death of the brain, also where another would be chosen now', async () => {
    const it = await startFollowed({
      platform: db(instances.slice(0, 1)),
      args: reader(['HUP']),
      reload: { action: 'signal' },
    });
    await it.emulator.update(db(instances));
    await it.counted('signaled', 1);
    expect(first(it.host('my-db.warp'))).toBe('10.0.0.20');
    await it.killBrain();
    await it.emulator.update(db(instances.toReversed()));
    expect(await it.reload()).toMatchObject({
      outcome: expect.stringMatching(/unchanged|applied/),
    });
    expect(first(it.host('my-db.warp'))).toBe('10.0.0.20');
  });

  test('leaves an instance that is ill without a word to the app, which is told when that is gone', async () => {
    const it = await startFollowed({
      platform: db(instances.slice(0, 2)),
      args: reader(['HUP']),
      reload: { action: 'signal' },
    });
    const used = first(it.host('my-db.warp'));
    const other = used === '10.0.0.20' ? '10.0.0.21' : '10.0.0.20';
    await it.emulator.update(db(instances.slice(0, 2), [used]));
    await it.counted('applied', 1);
    expect(first(it.host('my-db.warp'))).toBe(other);
    expect(it.stdout.text()).not.toContain('HUP');
    // The app has the old address in its environment: now that is a matter of life and death.
    await it.emulator.update(db([other]));
    await it.stdout.waitFor(`HUP: ${used} ${other} ${other}`);
  });
});

/** A database that runs several times. */
function db(addresses: readonly string[], ill: readonly string[] = []): PlatformFile {
  const instances = addresses.map((ipv4) => ({
    id: idOf(ipv4),
    ipv4,
    healthy: !ill.includes(ipv4),
  }));
  return { self: 'web', services: { web: '10.0.0.10', 'my-db': instances } };
}

function first(addresses: string): string {
  return addresses.split(' ')[0] ?? '';
}

function idOf(address: string): string {
  return address.replaceAll('.', '').padStart(24, 'a');
}
