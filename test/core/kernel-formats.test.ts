import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { kernelFormatOf } from '../../src/core/kernel-formats.ts';
import { headerBytes } from '../../src/core/program-header.ts';

type Fields = { readonly bits?: 32 | 64; readonly machine?: number; readonly bytes?: number };

/** With one program header behind the header, and nothing more. */
function elf({ bits = 64, machine = 62, bytes }: Fields = {}): Uint8Array {
  const [size, entrySize] = bits === 64 ? [64, 56] : [52, 32];
  const file = new Uint8Array(bytes ?? size + entrySize);
  const put = (at: number, byte: number): void => void (at < file.length && (file[at] = byte));
  [0x7f, 0x45, 0x4c, 0x46, bits / 32, 1, 1].forEach((byte, at) => put(at, byte));
  put(16, 2); // ET_EXEC
  put(18, machine);
  put(bits === 64 ? 32 : 28, size);
  put(bits === 64 ? 54 : 42, entrySize);
  put(bits === 64 ? 56 : 44, 1);
  return file;
}

function changed(at: number, byte: number, file = elf()): Uint8Array {
  return file.map((old, index) => (index === at ? byte : old));
}

test('The Node that runs here is of our own format', () => {
  const head = readFileSync(process.execPath).subarray(0, headerBytes);
  expect(kernelFormatOf(head, process.arch)).toBe('own');
});

test.each([
  ['x86_64', 'x64', elf(), 'own'],
  ['aarch64', 'arm64', elf({ machine: 183 }), 'own'],
  ['of no class: the kernel does not look', 'x64', changed(4, 0), 'own'],
  ['of the other class', 'x64', changed(4, 1), 'own'],
  ['of the other byte order', 'x64', changed(5, 2), 'own'],
  ['a shared object, as most programs are', 'x64', changed(16, 3), 'own'],
  ['i386', 'x64', elf({ bits: 32, machine: 3 }), 'relative'],
  ['i486', 'x64', elf({ bits: 32, machine: 6 }), 'relative'],
  ['x32', 'x64', elf({ bits: 32 }), 'relative'],
  ['arm', 'arm64', elf({ bits: 32, machine: 40 }), 'relative'],
  ['aarch64 on x86_64', 'x64', elf({ machine: 183 }), 'none'],
  ['x86_64 on aarch64', 'arm64', elf(), 'none'],
  ['i386 on aarch64', 'arm64', elf({ bits: 32, machine: 3 }), 'none'],
  ['arm on x86_64', 'x64', elf({ bits: 32, machine: 40 }), 'none'],
  ['an object file', 'x64', changed(16, 1), 'none'],
  ['a core dump', 'x64', changed(16, 4), 'none'],
  ['without program headers', 'x64', changed(56, 0), 'none'],
  ['with program headers of another size', 'x64', changed(54, 57), 'none'],
  ['whose last program header is cut off', 'x64', elf({ bytes: 119 }), 'none'],
  ['whose program headers lie behind the first bytes', 'x64', farTable(headerBytes), 'own'],
  ['a text', 'x64', new TextEncoder().encode('#!/bin/sh\n'), 'none'],
  ['nothing', 'x64', new Uint8Array(), 'none'],
  ['anything, for an architecture that we do not know', 'riscv64', new Uint8Array(), 'relative'],
])('%s (on %s)', (_what, arch, bytes, format) => {
  expect(kernelFormatOf(bytes, arch)).toBe(format);
});

// The smallest one that there is: https://www.muppetlabs.com/~breadbox/software/tiny/teensy.html
test('A program of 45 bytes, whose headers lie in each other', () => {
  const tiny = new Uint8Array(45);
  tiny.set([0x7f, 0x45, 0x4c, 0x46]);
  tiny.set([2, 0, 3, 0], 16);
  tiny.set([4], 28);
  tiny.set([0x34, 0, 0x20, 0, 1], 40);
  expect(kernelFormatOf(tiny, 'x64')).toBe('relative');
});

function farTable(bytes: number): Uint8Array {
  return changed(33, 0x80, elf({ bytes }));
}
