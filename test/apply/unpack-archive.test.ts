import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';

import { unpackArchive, unpackLimits } from '../../src/apply/unpack-archive.ts';
import type { TreeEntry } from '../../src/core/directory-tree.ts';
import { SecretBytes } from '../../src/core/secret.ts';
import { StartError } from '../../src/errors.ts';
import { type TarEntry, endOfArchive, paxHeader, tar, tarEntry, tarGz } from './tar-writer.ts';

const use = { identifier: 'tls', path: '/run/tls', allowEmpty: false };
const small = { ...unpackLimits, tarBytes: 64 * 1024, bytes: 4096, entries: 20 };
const mebibyte = 1024 * 1024;

describe('an archive is unpacked', () => {
  test.each(['-cf', '-czf', '--format=gnu -cf', '--format=posix -cf', '--format=v7 -cf'])(
    'as `tar %s -` of the system has made it',
    (options) => {
      const directory = mkdtempSync(join(tmpdir(), 'tar-'));
      onTestFinished(() => rmSync(directory, { recursive: true }));
      mkdirSync(join(directory, 'inner/deep'), { recursive: true });
      writeFileSync(join(directory, 'inner/deep/key.pem'), 'key');
      writeFileSync(join(directory, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
      writeFileSync(join(directory, 'größe'), '');
      symlinkSync('inner/deep', join(directory, 'current'));
      const { stdout } = spawnSync('tar', [...options.split(' '), '-', '-C', directory, '.']);

      expect(shown(unpack(stdout))).toEqual({
        inner: 'directory',
        'inner/deep': 'directory',
        'inner/deep/key.pem': 'file: key',
        'run.sh': 'program: #!/bin/sh\n',
        größe: 'file: ',
        current: '-> inner/deep',
      });
    },
  );

  test('with the directories that it does not name, each before what is in it', () => {
    const entries = unpack(
      tar([
        { path: 'a/b/c', content: 'x' },
        { path: 'a/', type: '5' },
      ]),
    );

    expect(entries.map(({ path }) => path)).toEqual(['a', 'a/b', 'a/b/c']);
  });

  test('with hard links as files of their own', () => {
    const archive = tar([
      { path: 'one', content: 'same' },
      { path: 'two', type: '1', link: './one' },
    ]);

    expect(shown(unpack(archive))).toEqual({ one: 'file: same', two: 'file: same' });
  });

  test('with paths from pax headers and GNU long names', () => {
    const long = `${'d'.repeat(120)}/${'f'.repeat(250)}`;
    const archive = Buffer.concat([
      paxHeader({ path: 'from-pax', mtime: '1.5' }),
      tarEntry({ path: 'ignored', content: 'pax' }),
      tar([{ path: long, content: 'gnu' }]),
    ]);

    expect(shown(unpack(archive))).toMatchObject({ 'from-pax': 'file: pax', [long]: 'file: gnu' });
  });

  test('whatever its files hold, byte for byte', () => {
    const content = fc.uint8Array({ size: '+1' });
    fc.assert(
      fc.property(fc.array(content, { maxLength: 8 }), fc.boolean(), (contents, isGzip) => {
        const entries = contents.map((bytes, index) => ({ path: `f${index}`, content: bytes }));
        const tree = unpack(isGzip ? tarGz(entries) : tar(entries), { ...use, allowEmpty: true });
        expect(tree.map((entry) => (entry.kind === 'file' ? bytesOf(entry) : undefined))).toEqual(
          contents.map((bytes) => Buffer.from(bytes)),
        );
      }),
      { numRuns: 40 },
    );
  });
});

describe('an archive with one bad entry is refused as a whole', () => {
  const good: TarEntry = { path: 'good', content: 'hunter2' };
  test.each<[string, readonly TarEntry[], string]>([
    ['an absolute path', [{ path: '/etc/cron.d/evil' }], 'has an absolute path'],
    ['.. in a path', [{ path: 'a/../../evil' }], 'has .. in its path'],
    ['.. alone', [{ path: '..', type: '5' }], 'has .. in its path'],
    ['.. that stays inside', [{ path: 'a/../evil' }], 'has .. in its path'],
    ['a link out', [{ path: 'out', type: '2', link: '../..' }], 'is a link to nothing in the'],
    [
      'a link to an absolute path',
      [{ path: 'o', type: '2', link: '/etc' }],
      'a target that is abs',
    ],
    [
      'a file below a link',
      [
        { path: 'dir/', type: '5' },
        { path: 'link', type: '2', link: 'dir' },
        { path: 'link/evil', content: 'x' },
      ],
      'is below something that is no directory',
    ],
    [
      'a link that gets out through another link',
      [
        { path: 'a/b/', type: '5' },
        { path: 'a/up', type: '2', link: '..' },
        { path: 'evil', type: '2', link: 'a/up/../good' },
      ],
      'is a link to nothing in the archive',
    ],
    ['a link to itself', [{ path: 'loop', type: '2', link: 'loop' }], 'is a link to nothing'],
    ['a link to what is not there', [{ path: 'l', type: '2', link: 'no' }], 'is a link to nothing'],
    ['a hard link out', [{ path: 'h', type: '1', link: '/etc/shadow' }], 'is a hard link to what'],
    ['a hard link with ..', [{ path: 'h', type: '1', link: '../x' }], 'is a hard link to what'],
    [
      'a hard link to a link',
      [
        { path: 'link', type: '2', link: 'good' },
        { path: 'h', type: '1', link: 'link' },
      ],
      'is a hard link to what is no file',
    ],
    ['a character device', [{ path: 'null', type: '3' }], 'is a CharacterDevice'],
    ['a block device', [{ path: 'sda', type: '4' }], 'is a BlockDevice'],
    ['a fifo', [{ path: 'pipe', type: '6' }], 'is a FIFO'],
    ['a setuid bit', [{ path: 'sh', mode: 0o4755 }], 'has a setuid, setgid or sticky bit'],
    ['a setgid bit', [{ path: 'sh', mode: 0o2755 }], 'has a setuid, setgid or sticky bit'],
    ['a sticky bit', [{ path: 'sh', mode: 0o1755 }], 'has a setuid, setgid or sticky bit'],
    ['a name that is there twice', [{ path: './good' }], 'has a path that an earlier one has'],
    ['a directory where a file is', [{ path: 'good/', type: '5' }], 'has a path that an earlier'],
    ['a file below a file', [{ path: 'good/x' }], 'is below something that is no directory'],
    [
      'a file where a directory was',
      [{ path: 'd/', type: '5' }, { path: 'd' }],
      'has a path that an earlier one has',
    ],
    [
      'the directory itself as a file',
      [{ path: './', type: '2', link: 'good' }],
      'the directory itself',
    ],
    ['a name over 255 bytes', [{ path: 'n'.repeat(256) }], 'has a name of more than 255 bytes'],
    ['a path over 2048 bytes', [{ path: 'long-name/'.repeat(205) + 'x' }], 'more than 2048 bytes'],
    ['33 names deep', [{ path: 'd/'.repeat(32) + 'x' }], 'is more than 32 names deep'],
    ['a name that is not UTF-8', [{ path: '\ufffd' }], 'has a path that is not UTF-8'],
  ])('%s', (_what, bad, rule) => {
    const error = refusalOf(tar([good, ...bad]));

    expect(error.message).toMatch(
      `Cannot unpack secret "tls" into /run/tls: entry ${bad.length + 1}`,
    );
    expect(error.message).toContain(rule);
    expect(error).toMatchObject({ code: 'E_ARCHIVE', exitCode: 78 });
  });

  test.each(['S', 'M', 'V', '?'])('an entry of the type %s, which tar would leave out', (type) => {
    expect(refusalOf(tar([good, { path: 'x', type }])).message).toContain(
      'has an entry of the type',
    );
  });

  test('and the message has no part of it: neither a name nor a target', () => {
    const archive = tar([{ path: 'top-secret', type: '2', link: 'classified' }]);

    expect(JSON.stringify(refusalOf(archive))).not.toMatch(/top-secret|classified/);
  });
});

describe('what is not a whole archive is refused', () => {
  const whole = tar([
    { path: 'one', content: 'x'.repeat(600) },
    { path: 'two', content: 'y' },
  ]);
  const zipped = gzipSync(whole);
  const noise = randomBytes(3000); // It stays longer than a block of tar, however often it is compressed.
  const neither = 'it is neither a tar nor a tar.gz';
  test.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), neither],
    ['a password', Buffer.from('hunter2-'.repeat(100)), neither],
    ['a short text', Buffer.from('PK'), neither],
    ['a gzip of a text', gzipSync('hunter2-'.repeat(100)), neither],
    ['a gzip in a gzip', gzipSync(gzipSync(tar([{ path: 'noise', content: noise }]))), neither],
    ['zstd', Buffer.concat([Buffer.from('28b52ffd', 'hex'), Buffer.alloc(600, 1)]), neither],
    ['a gzip cut off', zipped.subarray(0, zipped.length - 20), 'its gzip is damaged or cut off'],
    ['a damaged gzip', damaged(zipped, zipped.length - 6), 'its gzip is damaged or cut off'],
    ['a tar cut off in a file', whole.subarray(0, 700), 'it is damaged'],
    ['a tar cut off in a header', whole.subarray(0, 1536 + 100), 'it is cut off'],
    ['a tar cut off between two files', whole.subarray(0, 1536), 'it is cut off'],
    ['a tar without its second block of zeros', whole.subarray(0, -512), 'it is cut off'],
    ['a changed header', damaged(whole, 1536), 'it is damaged'],
    ['no entry', endOfArchive, 'there is nothing in it'],
  ])('%s', (_what, archive, rule) => {
    const { message } = refusalOf(archive);
    expect(message).toContain(rule);
    expect(message).not.toMatch(/hunter2/);
  });

  test('however it is damaged: an entry is as it was, or all of it is refused', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: whole.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, bits) => {
          const changed = Buffer.from(whole);
          changed[at] = (changed[at] ?? 0) ^ bits;
          const tree = attempt(() => unpack(changed));
          const outcome =
            tree instanceof StartError ? 'refused' : tree.map((entry) => entry.path).join();
          const isContent = (at >= 512 && at < 1112) || at === 2048;
          // Padding and what is behind the end belong to nobody.
          expect(isContent ? ['one,two'] : ['one,two', 'refused']).toContain(outcome);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('but nothing at all is an empty directory where allowEmpty says so', () => {
    const empty = { ...use, allowEmpty: true };
    expect(unpack(Buffer.alloc(0), empty)).toEqual([]);
    expect(unpack(endOfArchive, empty)).toEqual([]);
  });
});

describe('an archive that is too large is refused before it is a burden', () => {
  test('10 GB of zeros in a small gzip', () => {
    const archive = bomb(10 * 1024 * mebibyte);
    expect(archive.length).toBeLessThan(11 * mebibyte);

    const { error, heldBytes, ms } = measured(() => refusalOf(archive));
    expect(error.message).toContain('it has more than 67108864 bytes when unpacked');
    expect(heldBytes).toBeLessThan(200 * mebibyte);
    expect(ms).toBeLessThan(3000);
  });

  test('a million empty entries', () => {
    const entry = tarEntry({ path: 'x' });
    const many = gzipSync(Buffer.alloc(100_000 * 512, entry));

    expect(refusalOf(many).message).toContain('it has more than 10000 entries');
    const million = Buffer.concat(Array.from({ length: 10 }, () => many));
    expect(refusalOf(million).message).toContain('bytes when unpacked');
  });

  test('a file whose header says more than there is', () => {
    expect(refusalOf(tar([{ path: 'big', size: 8 ** 11 - 1 }])).message).toContain('it is damaged');
  });

  test('at each limit: what has just that much is good', () => {
    expect(unpack(filesOf(20, 1), use, small)).toHaveLength(20);
    expect(refusalOf(filesOf(21, 1), small).message).toContain('more than 20 entries');
    expect(unpack(filesOf(1, 4096), use, small)).toHaveLength(1);
    expect(refusalOf(filesOf(1, 4097), small).message).toContain('its files have more than 4096');
    expect(unpack(tar([{ path: 'd/'.repeat(31) + 'x' }]))).toHaveLength(32);
    const padding = Buffer.alloc(64 * 1024 - 2048);
    expect(unpack(Buffer.concat([filesOf(1, 1), padding]), use, small)).toHaveLength(1);
    expect(refusalOf(Buffer.concat([filesOf(1, 1), padding, padding]), small).message).toContain(
      'more than 65536 bytes when unpacked',
    );
  });

  test('directories that it does not name count, too', () => {
    expect(refusalOf(tar([{ path: 'd/'.repeat(20) + 'x' }]), small).message).toContain(
      'more than 20 entries',
    );
  });

  test('hard links count as what they name', () => {
    const links = Array.from({ length: 4 }, (_, index) => ({
      path: `h${index}`,
      type: '1',
      link: 'f',
    }));
    const archive = tar([{ path: 'f', content: 'x'.repeat(1000) }, ...links]);

    expect(refusalOf(archive, small).message).toContain('its files have more than 4096 bytes');
  });

  test('a chain of more links than the kernel follows', () => {
    expect(unpack(chainOf(40))).toHaveLength(41);
    expect(refusalOf(chainOf(41)).message).toContain('entry 42 is a link to nothing');
  });

  test('links that only cost time', () => {
    const zigzag = 'd/../'.repeat(400);
    const links = Array.from({ length: 5000 }, (_, index) => ({
      path: `l${index}`,
      type: '2',
      link: index === 0 ? 'd' : `${zigzag}l${Math.min(index - 1, 37)}`,
    }));
    const archive = tar([{ path: 'd/', type: '5' }, ...links]);

    const { error, ms } = measured(() => refusalOf(archive));
    expect(error.message).toContain('is a link to nothing in the archive');
    expect(ms).toBeLessThan(3000);
  });
});

function unpack(archive: Buffer, as = use, limits = unpackLimits): readonly TreeEntry[] {
  return unpackArchive(new SecretBytes(archive), as, limits);
}

function attempt<T>(work: () => T): T | StartError {
  try {
    return work();
  } catch (error) {
    if (error instanceof StartError) {
      return error;
    }

    throw error;
  }
}

function refusalOf(archive: Buffer, limits = unpackLimits): StartError {
  const result = attempt(() => unpack(archive, use, limits));
  if (result instanceof StartError) {
    return result;
  }

  throw new Error(`it was unpacked: ${JSON.stringify(shown(result))}`);
}

function shown(tree: readonly TreeEntry[]): Record<string, string> {
  return Object.fromEntries(tree.map((entry) => [entry.path, describeEntry(entry)]));
}

function describeEntry(entry: TreeEntry): string {
  switch (entry.kind) {
    case 'directory':
      return 'directory';
    case 'file':
      return `${entry.isExecutable ? 'program' : 'file'}: ${bytesOf(entry).toString()}`;
    case 'link':
      return `-> ${entry.target}`;
  }
}

function bytesOf({ content }: Extract<TreeEntry, { kind: 'file' }>): Buffer {
  return Buffer.from(content.reveal());
}

function damaged(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0x55;
  return copy;
}

/** Members of a gzip file are one stream (RFC 1952, 2.2): 64 MiB of zeros, again and again. */
function bomb(size: number): Buffer {
  const header = gzipSync(tarEntry({ path: 'zeros', size: 8 * 1024 * mebibyte }));
  const zeros = gzipSync(Buffer.alloc(64 * mebibyte), { level: 9 });
  return Buffer.concat([header, ...Array.from({ length: size / (64 * mebibyte) }, () => zeros)]);
}

function measured<T>(work: () => T): { error: T; heldBytes: number; ms: number } {
  const before = process.memoryUsage.rss();
  const start = performance.now();
  const error = work();
  return { error, heldBytes: process.memoryUsage.rss() - before, ms: performance.now() - start };
}

function filesOf(count: number, size: number): Buffer {
  const content = 'x'.repeat(size);
  return tar(Array.from({ length: count }, (_, index) => ({ path: `${index}`, content })));
}

function chainOf(length: number): Buffer {
  const links = Array.from({ length }, (_, index) => ({
    path: `l${index + 1}`,
    type: '2',
    link: `l${index}`,
  }));
  return tar([{ path: 'l0' }, ...links]);
}
