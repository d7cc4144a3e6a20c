// A platform of any size, as `warp-init emulator` reads it.
import type { PlatformFile } from '../src/emulator/platform-file.ts';

/**
 * `count` services with one instance each; the first one is the container that asks.
 *
 * @param move - How often `service-1` has moved to another address.
 */
export function platformOf(count: number, move = 0): PlatformFile {
  const services = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `service-${index}`,
      {
        instances: [
          {
            ipv4: addressOf(index === 1 ? movedIndex + move : index),
            ipv6: `fd00::${index.toString(16)}`,
          },
        ],
      },
    ]),
  );
  return {
    token: 'bench-token',
    self: 'service-0',
    services,
    secrets: { 'database-url': 'postgres://bench' },
  };
}

/** Behind all that others have. */
const movedIndex = 100_000;

/** Of `service-1`. */
export function movedAddress(move: number): string {
  return addressOf(movedIndex + move);
}

function addressOf(index: number): string {
  return `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
}
