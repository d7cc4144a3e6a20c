// Five hundred reloads leave nothing behind. Coarse: `npm run bench` measures it with a thousand services.
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';

import type { PlatformFile } from '../../src/emulator/platform-file.ts';
import { describeContainer } from '../helpers/container.ts';
import { childrenOf, eventually } from '../helpers/process.ts';
import { shop, startFollowed } from './follow-rig.ts';

describeContainer('a brain that has reloaded five hundred times', () => {
  test(
    'is no larger than after one hundred, and pid1 not at all',
    { timeout: 60_000 },
    async () => {
      const it = await startFollowed({
        platform: state(0),
        reload: { quiet: '1ms', maxWait: '1ms' },
        init: { secrets: { files: { secret: 'key', path } } },
      });
      const brain = await it.brain();
      let count = 0;
      const reload = async (times: number) => {
        for (const end = count + times; count < end;) {
          count += 1;
          await it.emulator.update(state(count));
          await eventually(() =>
            expect(readFileSync(it.inside(path), 'utf8')).toBe(`key-number-${count}`),
          );
        }

        await it.counted('applied', times);
        return {
          brainKb: await leastDirtyKb(brain),
          initKb: privateDirtyKb(it.init),
          fds: fdsOf(brain),
        };
      };
      const early = await reload(100);
      const late = await reload(400);
      // What is dead is collected some time after the last reload (reload/spare-memory.ts).
      await eventually(() => expect(privateDirtyKb(brain) - early.brainKb).toBeLessThan(5 * 1024));
      expect(late.initKb - early.initKb).toBeLessThan(100);
      expect(late.fds).toBeLessThanOrEqual(early.fds + 2);
      expect(childrenOf(it.init)).toHaveLength(2);
      expect(await it.count('applied')).toBeGreaterThan(450);
    },
  );
});

describeContainer('pid1', () => {
  test('holds less than 1 MB for a brain that knows 5,000 services, and gives it back', async () => {
    const it = await startFollowed({ platform: many('10.1.0.1') });
    await it.emulator.update(many('10.1.0.2'));
    await it.counted('applied', 1);
    expect(privateDirtyKb(it.init)).toBeLessThan(1024);
    await it.killBrain();
    expect(await it.reload()).toMatchObject({ outcome: 'unchanged' });
    expect(it.stderr.text()).not.toContain('W_');
    expect(privateDirtyKb(it.init)).toBeLessThan(1024);
  });
});

function many(db: string): PlatformFile {
  const services = Array.from({ length: 5000 }, (_, n): [string, string] => [
    `service-${n}`,
    `10.2.${Math.floor(n / 250)}.${n % 250}`,
  ]);
  return { self: 'web', services: { web: '10.0.0.10', db, ...Object.fromEntries(services) } };
}

const path = '/run/app/key';

/** Each has another secret, and each twentieth another address. */
function state(n: number): PlatformFile {
  return shop(`10.0.1.${Math.floor(n / 20)}`, { key: `key-number-${n}` });
}

/** What is dead is collected some time after the last reload (reload/spare-memory.ts): what is left then counts. */
async function leastDirtyKb(pid: number): Promise<number> {
  let leastKb = Infinity;
  for (let passedMs = 0; passedMs < 4000; passedMs += 200) {
    leastKb = Math.min(leastKb, privateDirtyKb(pid));
    await wait(200);
  }

  return leastKb;
}

/** proc_pid_smaps(5): what would be free without it. */
function privateDirtyKb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Private_Dirty:\s+(\d+) kB$/m.exec(text)?.[1]);
}

function fdsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
