// The text of /etc/hosts: our entries live in one marked block, every other byte stays.
//
// Format: hosts(5). Each line of ours ends with a tag: so a line is ours by what it says and not by where it
// stands, and a torn or repeated marker never makes an operator's line ours.
// Text is a string of bytes (latin1), because an operator's file may be in any encoding.
import { ownTag } from './in-place-change.ts';
import type { IstMap, IstService } from './ist.ts';

/** One line of hosts(5), or several where its names do not fit into one. */
export type HostsEntry = {
  readonly address: string;
  readonly names: readonly string[];
};

const begin = '# BEGIN warp-init (generated, do not edit)';
const end = '# END warp-init';

/** musl reads lines with a buffer of 512 bytes, line feed and NUL included; what is longer becomes a second line. */
const maxLineBytes = 510;

/**
 * The entries for every hostname of the map: of each service the chosen instance first, IPv4 before IPv6.
 *
 * @param addresses - `all`: the other instances follow, so that a client can fail over. `chosen`: they are left out.
 */
export function hostsEntries(map: IstMap, addresses: 'all' | 'chosen'): HostsEntry[] {
  return map.services.flatMap((service) => {
    const names = service.hostnames.map(({ name }) => name);
    return names.length === 0
      ? []
      : addressesOf(service, addresses).map((address) => ({ address, names }));
  });
}

/**
 * The text with exactly one block of ours, in the place of the first line that was ours, else at the end.
 * Without entries there is no block. A last line that lacks its line feed gets it when a block follows, and keeps it.
 */
export function replaceBlock(text: string, entries: readonly HostsEntry[]): string {
  const block = hostsBlock(entries);
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const first = lines.findIndex(isOurs);

  if (first === -1) {
    const separator = block === '' || text === '' || text.endsWith('\n') ? '' : '\n';
    return text + separator + block;
  }

  const after = lines.slice(first).filter((line) => !isOurs(line));
  return lines.slice(0, first).join('') + block + after.join('');
}

/** The block alone, markers included; empty without entries. */
export function hostsBlock(entries: readonly HostsEntry[]): string {
  return entries.length === 0
    ? ''
    : utf8Bytes(`${[begin, ...entries.flatMap(linesOf), end].join('\n')}\n`);
}

/** The lines of ours in a text, wherever they stand; empty without a block. */
export function parseBlock(text: string): HostsEntry[] {
  return text.split('\n').flatMap((line) => {
    if (!line.endsWith(ownTag)) {
      return [];
    }

    const [address = '', ...names] = line.slice(0, -ownTag.length).split(' ');
    return [{ address, names }];
  });
}

/** What a name of the service leads to, in the order of the file. */
export function addressesOf(service: IstService, addresses: 'all' | 'chosen'): string[] {
  const { chosen, others } = service;
  if (chosen !== undefined && others.length === 0) {
    const { ipv4, ipv6 } = chosen; // The common case, where nothing can be there twice.
    return [ipv4, ipv6].filter((address) => address !== undefined);
  }

  const instances =
    chosen === undefined ? [] : addresses === 'all' ? [chosen, ...others] : [chosen];
  const ipv4 = instances.flatMap((instance) => instance.ipv4 ?? []);
  const ipv6 = instances.flatMap((instance) => instance.ipv6 ?? []);
  return [...new Set([...ipv4, ...ipv6])];
}

/** A name that is too long for any line gets one of its own: glibc reads it, musl refuses such a name anyway. */
function linesOf({ address, names }: HostsEntry): string[] {
  if (names.length === 1) {
    return [`${address} ${names[0]}${ownTag}`];
  }

  const lines: string[] = [];
  let line = address;

  for (const name of names) {
    const longer = `${line} ${name}`;
    if (line !== address && utf8Bytes(longer + ownTag).length > maxLineBytes) {
      lines.push(line + ownTag);
      line = `${address} ${name}`;
    } else {
      line = longer;
    }
  }

  return line === address ? lines : [...lines, line + ownTag];
}

function isOurs(line: string): boolean {
  const text = line.replace(/\r?\n?$/, '');
  return text === begin || text === end || text.endsWith(ownTag);
}

/** Text as the string of its UTF-8 bytes, one character a byte. */
function utf8Bytes(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return bytes.length === text.length
    ? text
    : Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}
