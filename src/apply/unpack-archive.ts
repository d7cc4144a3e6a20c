// Reads a tar or tar.gz into memory. Nothing is written: apply/replace-directory.ts does that, when all of it is good.
//
// Of the package tar only the parser is used, with `strict`. It stops a damaged gzip, a wrong checksum, bad pax headers and
// a file that is cut off; not: an archive that ends between two entries, paths, links, types, sizes, the number of
// entries. Its unpacker would skip what is bad, or strip it, and unpack the rest; here one bad entry refuses the archive
// (core/archive-tree.ts). gzip is read by node:zlib, which stops at a size; minizlib gives all that a chunk expands to.
import { gunzipSync } from 'node:zlib';
import { Parser } from 'tar/parse';
import type { ReadEntry } from 'tar/read-entry';

import { type ArchiveEntry, type ArchiveLimits, buildTree } from '../core/archive-tree.ts';
import type { TreeEntry } from '../core/directory-tree.ts';
import type { SecretBytes } from '../core/secret.ts';
import { StartError, errnoOf, exitStatus } from '../errors.ts';

export type ArchiveUse = {
  /** Of the secret. */
  readonly identifier: string;
  readonly path: string;
  readonly allowEmpty: boolean;
};

export type UnpackLimits = ArchiveLimits & {
  /** Of the tar, gunzipped: what it takes in memory. */
  readonly tarBytes: number;
};

/** A secret is at most 32 MiB of JSON; these are more than a keystore or a bundle of certificates needs. */
export const unpackLimits: UnpackLimits = {
  tarBytes: 64 * 1024 * 1024,
  bytes: 64 * 1024 * 1024,
  entries: 10_000,
  depth: 32,
};

/** @throws {StartError} E_ARCHIVE, 78: it is damaged, hostile or too large; the message counts the entries, and names none: names are a part of the secret. */
export function unpackArchive(
  archive: SecretBytes,
  use: ArchiveUse,
  limits = unpackLimits,
): readonly TreeEntry[] {
  if (archive.isEmpty() && use.allowEmpty) {
    return [];
  }

  const tree = buildTree(readEntries(archive, use, limits), limits);
  if (!tree.ok) {
    throw refused(use, tree.rule);
  }

  if (tree.entries.length === 0 && !use.allowEmpty) {
    throw refused(use, 'there is nothing in it');
  }

  return tree.entries;
}

function readEntries(
  archive: SecretBytes,
  use: ArchiveUse,
  limits: UnpackLimits,
): readonly ArchiveEntry[] {
  const tar = gunzip(toBuffer(archive.reveal()), use, limits);
  if (tar.length > limits.tarBytes) {
    throw tooLarge(use, limits);
  }

  // The parser would gunzip what is still gzip, to any size.
  if (tar.length < blockBytes || isGzip(tar)) {
    throw refused(use, notTar);
  }

  return parse(tar, use, limits);
}

const blockBytes = 512;
const notTar = 'it is neither a tar nor a tar.gz';

function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** RFC 1952, 2.3.1. */
function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function gunzip(bytes: Buffer, use: ArchiveUse, limits: UnpackLimits): Buffer {
  if (!isGzip(bytes)) {
    return bytes;
  }

  try {
    return gunzipSync(bytes, { maxOutputLength: limits.tarBytes });
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw tooLarge(use, limits);
    }

    throw code === undefined ? error : refused(use, `its gzip is damaged or cut off (${code})`);
  }
}

function parse(tar: Buffer, use: ArchiveUse, limits: UnpackLimits): readonly ArchiveEntry[] {
  const entries: ArchiveEntry[] = [];
  const seen = { entry: false, end: false };
  const parser = new Parser({ strict: true, brotli: false, zstd: false });
  // Parsing is synchronous: what a listener throws ends it.
  parser.on('error', (error: unknown) => {
    // An archive of nothing but its end is an error to tar; here the caller decides.
    if (seen.entry || !seen.end) {
      throw refused(use, seen.entry ? `it is damaged: ${messageOf(error)}` : notTar);
    }
  });
  parser.on('eof', () => {
    seen.end = true;
  });
  // A type that tar does not know, or metadata over 1 MiB: the entry would be left out in silence.
  parser.on('ignoredEntry', ({ type }: ReadEntry) => {
    throw refused(use, `it has an entry of the type ${type}`);
  });
  parser.on('entry', (entry: ReadEntry) => {
    seen.entry = true;
    if (entries.length >= limits.entries) {
      throw refused(use, `it has more than ${limits.entries} entries`);
    }

    collect(entry, entries);
  });
  parser.end(tar);
  if (!seen.end) {
    throw refused(use, 'it is cut off: two blocks of zeros must end it');
  }

  return entries;
}

/** The parser runs through all of it before `end` returns, so the order is that of the archive. */
function collect(entry: ReadEntry, entries: ArchiveEntry[]): void {
  const chunks: Buffer[] = [];
  entry.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
  });
  entry.on('end', () => {
    const [first = Buffer.alloc(0), ...more] = chunks;
    entries.push({
      path: entry.path,
      type: entry.type,
      mode: entry.mode ?? 0,
      linkPath: entry.linkpath ?? '',
      bytes: more.length === 0 ? first : Buffer.concat(chunks),
    });
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}

function tooLarge(use: ArchiveUse, { tarBytes }: UnpackLimits): StartError {
  return refused(use, `it has more than ${tarBytes} bytes when unpacked`);
}

function refused({ identifier, path }: ArchiveUse, rule: string): StartError {
  return new StartError('E_ARCHIVE', `Cannot unpack secret "${identifier}" into ${path}: ${rule}`, {
    exitCode: exitStatus.config,
    remedy: {
      where: 'init.secrets.files',
      fix: 'Store a tar or tar.gz of files, directories and relative links; `tar -t` lists its entries in this order.',
    },
  });
}
