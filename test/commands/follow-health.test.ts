// Health, readiness and drain alone: the files follow, and the app is told nothing before an address that it uses is gone.
import { expect, test } from 'vitest';

import type { InstanceFile, PlatformFile } from '../../src/emulator/platform-file.ts';
import { describeContainer } from '../helpers/container.ts';
import { eventually } from '../helpers/process.ts';
import { reader, startFollowed } from './follow-rig.ts';

const [a, b] = ['10.0.0.20', '10.0.0.21'];
const unhealthy = (ipv4: string): InstanceFile => ({ ipv4, healthy: false });

function shop(...instances: readonly InstanceFile[]): PlatformFile {
  const services = { web: '10.0.0.10', cache: '10.0.0.30', 'my-db': [...instances] };
  return { self: 'web', services };
}

type Step = readonly [instances: readonly InstanceFile[], hosts: string];

describeContainer('nobody is told', () => {
  test.each<[string, 'all' | 'chosen', readonly Step[]]>([
    [
      'that an instance which came unhealthy is healthy',
      'all',
      [
        [[a, unhealthy(b)], a],
        [[a, b], `${a} ${b}`],
      ],
    ],
    [
      'that the chosen one is unhealthy, and another one, which came later, is in its place',
      'chosen',
      [
        [[a, b], a],
        [[unhealthy(a), b], b],
      ],
    ],
  ])('%s, before an address in use is gone', async (_what, addresses, steps) => {
    const it = await startFollowed({
      platform: shop(a),
      args: reader(['HUP']),
      reload: { action: 'signal' },
      init: { hosts: { addresses } },
    });
    for (const [instances, hosts] of steps) {
      await it.emulator.update(shop(...instances));
      await it.reload();
      await eventually(() =>
        expect(it.host('my-db.warp').split(' ').toSorted().join(' ')).toBe(hosts),
      );
      // What is known of the instances is known to a successor as well.
      await it.killBrain();
      expect(it.stdout.text()).toMatch(/^start:.*\n$/);
    }

    await it.emulator.update(shop(b));
    await it.stdout.waitFor('HUP');
  });
});
