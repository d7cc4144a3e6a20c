// Hostnames through getaddrinfo(3), as programs of this machine look them up: nsswitch.conf, hosts, DNS.
import { lookup } from 'node:dns/promises';
import { SocketAddress, isIP } from 'node:net';

import type { NameLookups } from '../core/check-names.ts';
import { errnoOf } from '../errors.ts';

/** Of Node's own thread pool; more would only wait there. */
const lookupsAtOnce = 4;

/** Never rejects. What has no answer by then is left out. */
export async function lookupNames(
  names: Iterable<string>,
  deadlineMs: number,
): Promise<NameLookups> {
  const found = new Map<string, ReadonlySet<string> | string>();
  const waiting = [...names];
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      found.set(name, await lookupOne(name));
    }
  };
  await Promise.race([Promise.all(Array.from({ length: lookupsAtOnce }, work)), deadline]);
  clearTimeout(timer);
  waiting.length = 0;
  return { found: new Map(found), deadlineMs };
}

/** In the form in which getaddrinfo gives an address: IPv6 can be written in many. */
export function usualForm(address: string): string {
  const family = isIP(address);
  // A line of ours that somebody has changed may have anything in its place.
  return family === 0
    ? address
    : new SocketAddress({ address, family: family === 6 ? 'ipv6' : 'ipv4' }).address;
}

async function lookupOne(name: string): Promise<ReadonlySet<string> | string> {
  try {
    const answers = await lookup(name, { all: true });
    return new Set(answers.map(({ address }) => usualForm(address)));
  } catch (error) {
    return errnoOf(error) ?? 'unknown error';
  }
}
