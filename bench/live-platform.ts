// The platform of bench/live.ts, in a process of its own: an emulator that moves a service when it is told to.
//
// live-platform COUNT SOCKET, with messages over IPC.
import { startEmulator } from '../src/emulator/server.ts';
import { announcerOf } from '../src/emulator/notification.ts';
import { platformOf } from './platform.ts';

export type Order =
  /** The service moves, and all are told once. */
  | { readonly type: 'move'; readonly move: number }
  /** As many notifications as can be sent, and ten moves among them; the last one at the very end. */
  | { readonly type: 'flood'; readonly total: number; readonly move: number }
  /** Nothing happens. */
  | { readonly type: 'count' };

export type Report = {
  /** CLOCK_MONOTONIC when the last notification left. */
  readonly atNs: string;
  readonly tookMs: number;
  /** How often the state was fetched so far. */
  readonly fetches: number;
};

const [count = '', socketPath = ''] = process.argv.slice(2);
const emulator = await startEmulator({ platform: platformOf(Number(count)), socketPath });

process.on('message', (order: Order) => void obey(order));
process.on('disconnect', () => process.exit()); // oxlint-disable-line unicorn/no-process-exit -- whoever asked is gone
process.send?.('ready');

async function obey(order: Order): Promise<void> {
  const startedAt = performance.now();
  const atNs = order.type === 'count' ? 0n : await move(order);
  process.send?.({
    atNs: atNs.toString(),
    tookMs: performance.now() - startedAt,
    fetches: emulator.countRequests('/v1/environment/containers'),
  } satisfies Report);
}

async function move(order: Exclude<Order, { type: 'count' }>): Promise<bigint> {
  if (order.type === 'flood') {
    const parts = 10;
    for (let part = 1; part < parts; part += 1) {
      emulator.setPlatform(platformOf(Number(count), order.move - parts + part));
      await tell(order.total / parts);
    }

    await tell(order.total / parts - 1);
  }

  emulator.setPlatform(platformOf(Number(count), order.move));
  const atNs = process.hrtime.bigint();
  await tell(1);
  return atNs;
}

async function tell(times: number): Promise<void> {
  const announce = announcerOf(emulator.platform);
  const moved = emulator.platform.services[1];
  const notification = announce(
    'container.instance.state.changed',
    { id: moved?.instances[0]?.id ?? '', state: 'running', state_previous: 'starting' },
    { containerId: moved?.id ?? '' },
  );
  const atOnce = 1000;
  for (let left = times; left > 0; left -= atOnce) {
    await emulator.notify(Array.from({ length: Math.min(left, atOnce) }, () => notification));
  }
}
