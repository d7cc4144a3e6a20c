// Hostnames through getaddrinfo(3), as programs of this machine look them up: nsswitch.conf, hosts, DNS.
//
// In a process of its own: Node ends only when its last lookup has ended, and nothing but a kill ends one.
import { spawn } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { SocketAddress, isIP } from 'node:net';
import { createInterface } from 'node:readline';

import type { NameLookups } from '../core/check-names.ts';
import { errnoOf } from '../errors.ts';

/** The first argument of such a process; main.ts. */
const lookupChildRole = 'lookup-child';

/** Of Node's own thread pool; more would only wait there. */
const lookupsAtOnce = 4;

export type LookupOptions = {
  readonly env: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
};

type Found = ReadonlySet<string> | string;

/** Never rejects. What has no answer by then is left out. */
export async function lookupNames(
  names: Iterable<string>,
  { env, deadlineMs }: LookupOptions,
): Promise<NameLookups> {
  const found = new Map<string, Found>();
  const child = spawn(
    process.execPath,
    [...process.execArgv, process.argv[1] ?? '', lookupChildRole],
    { stdio: ['pipe', 'pipe', 'ignore'], env },
  );
  child.on('error', () => undefined); // It could not be started: then there is no answer, either.
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify([...names]));
  const kill = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  for await (const line of createInterface({ input: child.stdout })) {
    const parsed = parseLine(line);
    if (parsed !== undefined) {
      const [name, answer] = parsed;
      found.set(name, typeof answer === 'string' ? answer : new Set(answer));
    }
  }

  clearTimeout(kill);
  return { found, deadlineMs };
}

/** That process: a line of JSON for each name of the list on stdin, as it is found. */
export async function runLookupChild(): Promise<void> {
  let text = '';
  for await (const part of process.stdin.setEncoding('utf8')) {
    text += String(part);
  }

  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Of our own process.
  const waiting = JSON.parse(text) as string[];
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      process.stdout.write(`${JSON.stringify([name, await lookupOne(name)])}\n`);
    }
  };
  await Promise.all(Array.from({ length: lookupsAtOnce }, work));
}

type Line = readonly [name: string, answer: string | readonly string[]];

/** Undefined for half a line: the process was killed. */
function parseLine(line: string): Line | undefined {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Of our own process.
    return JSON.parse(line) as Line;
  } catch {
    return undefined;
  }
}

/** In the form in which getaddrinfo gives an address: IPv6 can be written in many. */
export function usualForm(address: string): string {
  const family = isIP(address);
  // A line of ours that somebody has changed may have anything in its place.
  return family === 0
    ? address
    : new SocketAddress({ address, family: family === 6 ? 'ipv6' : 'ipv4' }).address;
}

async function lookupOne(name: string): Promise<string | readonly string[]> {
  try {
    const answers = await lookup(name, { all: true });
    return answers.map(({ address }) => usualForm(address));
  } catch (error) {
    return errnoOf(error) ?? 'unknown error';
  }
}
