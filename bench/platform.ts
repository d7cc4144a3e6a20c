// A platform of any size, as `warp-init emulator` reads it.

/** `count` services with one instance each; the first one is the container that asks. */
export function platformOf(count: number): unknown {
  const services = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `service-${index}`,
      { instances: [{ ipv4: addressOf(index), ipv6: `fd00::${index.toString(16)}` }] },
    ]),
  );
  return {
    token: 'bench-token',
    self: 'service-0',
    services,
    secrets: { 'database-url': 'postgres://bench' },
  };
}

function addressOf(index: number): string {
  return `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
}
