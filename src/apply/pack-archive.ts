// Makes a tar.gz of texts in memory: a container may have no place for the files one by one.
import { gzipSync } from 'node:zlib';

import { Header } from 'tar/header';

export type PackedFiles = {
  /** In the archive all files are below it, so that they unpack into one place. */
  readonly directory: string;
  /** By name. */
  readonly files: ReadonlyMap<string, string>;
  readonly madeAtMs: number;
};

export function packArchive({ directory, files, madeAtMs }: PackedFiles): Uint8Array {
  const mtime = new Date(madeAtMs);
  const entries = [...files].map(([name, text]) =>
    entryOf(`${directory}/${name}`, Buffer.from(text), mtime),
  );
  return gzipSync(Buffer.concat([...entries, Buffer.alloc(2 * blockBytes)]));
}

/** Of all: head, content and the end are whole blocks. */
const blockBytes = 512;

function entryOf(path: string, content: Buffer, mtime: Date): Buffer {
  const head = Buffer.alloc(blockBytes);
  const needsMore = new Header({
    path,
    mode: 0o600,
    uid: 0,
    gid: 0,
    size: content.length,
    mtime,
    type: 'File',
  }).encode(head);
  if (needsMore) {
    throw new RangeError(`the path ${path} does not fit into the head of a tar entry`);
  }

  const padding = Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes);
  return Buffer.concat([head, content, padding]);
}
