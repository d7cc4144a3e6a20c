// Secrets that the platform serves once, and what may happen to the one answer that has them.
import { expect, test } from 'vitest';

import { describeContainer } from '../helpers/container.ts';
import { idle, shop, startFollowed } from './follow-rig.ts';

/** Nothing but built-ins, to be there before the brain has loaded what it needs next. */
const endsBrain = `read -r children < /proc/1/task/1/children
for child in $children; do [ $child = $$ ] || kill -KILL $child; done
trap 'exit 7' TERM
echo "start: $KEY"
${idle}`;

describeContainer('a secret that is served once', () => {
  test('is known to the successor of a brain that ended as soon as the app ran', async () => {
    const once = { key: { value: 'correct-horse', once: true } };
    const it = await startFollowed({
      platform: shop('10.0.0.20', once),
      args: ['--', 'sh', '-c', endsBrain],
      init: { secrets: { env: { KEY: 'key' } } },
    });
    await it.emulator.update(shop('10.0.0.21', once));
    await it.counted('applied', 1);
    expect(it.host('my-db.warp')).toBe('10.0.0.21');
    expect(it.stderr.text()).not.toContain('W_SECRET');
  });
});
