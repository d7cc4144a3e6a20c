// Writes tars that no tar program would: each header says what the test wants it to say.
import { gzipSync } from 'node:zlib';

const block = 512;

export type TarEntry = {
  readonly path: string;
  /** The type flag: `0` file, `1` hard link, `2` symbolic link, `3` device, `5` directory, … @default `0` */
  readonly type?: string;
  readonly mode?: number;
  readonly link?: string;
  readonly content?: string | Uint8Array;
  /** What the header says; the content is as long as it is. */
  readonly size?: number;
};

/** A whole archive. */
export function tar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(tarEntry), endOfArchive]);
}

export function tarGz(entries: readonly TarEntry[]): Buffer {
  return gzipSync(tar(entries));
}

export const endOfArchive = Buffer.alloc(2 * block);

/** A path that does not fit into the header goes before it, as GNU tar does it. */
export function tarEntry({ content = '', ...entry }: TarEntry): Buffer {
  const body = Buffer.from(content);
  const { path, type = '0', mode = 0o644, link = '', size = body.length } = entry;
  const long = [
    ...(Buffer.byteLength(path) > 100 ? [longName('L', path)] : []),
    ...(Buffer.byteLength(link) > 100 ? [longName('K', link)] : []),
  ];
  const header = Buffer.alloc(block);
  header.write(path, 0, 100);
  header.write(`${octal(mode, 7)}\0`, 100);
  header.write(`${octal(0, 7)}\0${octal(0, 7)}\0`, 108);
  header.write(`${octal(size, 11)}\0${octal(1, 11)}\0`, 124);
  header.write(`${' '.repeat(8)}${type}`, 148);
  header.write(link, 157, 100);
  header.write('ustar\u000000', 257);
  header.write(`${octal(1, 7)}\0${octal(3, 7)}\0`, 329);
  header.write(`${octal(sum(header), 6)}\0 `, 148);
  return Buffer.concat([...long, header, padded(body)]);
}

/** A pax header (POSIX.1-2001) for the entry after it. */
export function paxHeader(records: Readonly<Record<string, string>>): Buffer {
  const content = Object.entries(records)
    .map(([key, value]) => paxRecord(`${key}=${value}\n`))
    .join('');
  return tarEntry({ path: 'PaxHeader', type: 'x', content });
}

function paxRecord(text: string): string {
  const rest = Buffer.byteLength(text) + 1;
  const digits = String(rest + String(rest).length).length;
  return `${rest + digits} ${text}`;
}

function longName(type: string, name: string): Buffer {
  return tarEntry({ path: '././@LongLink', type, content: `${name}\0` });
}

function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((block - (body.length % block)) % block)]);
}

function octal(value: number, width: number): string {
  return value.toString(8).padStart(width, '0');
}

function sum(header: Buffer): number {
  return header.reduce((total, byte) => total + byte, 0);
}
