// Which of the kernel's own loaders takes an ELF file: the one of this machine, its 32-bit sister, or none.
//
// Read as the kernel reads it: in its own byte order, and whatever the file says of its class. What it does not have is
// zero. Source: fs/binfmt_elf.c, load_elf_binary and elf_load_phdrs. binfmt_misc is another matter.
import { headerBytes } from './program-header.ts';

/** `relative`: if the kernel was built so, and the processor can. */
export type KernelFormat = 'own' | 'relative' | 'none';

type Layout = {
  readonly tableAt: number;
  readonly entrySizeAt: number;
  readonly countAt: number;
  readonly entrySize: number;
};

const layouts = {
  own: { tableAt: 32, entrySizeAt: 54, countAt: 56, entrySize: 56 },
  relative: { tableAt: 28, entrySizeAt: 42, countAt: 44, entrySize: 32 },
} as const satisfies Record<string, Layout>;

/** Numbers of e_machine, by `process.arch`: i386, i486 and x32; arm. */
const machines: Readonly<
  Record<string, Readonly<Record<keyof typeof layouts, readonly number[]>>>
> = {
  x64: { own: [62], relative: [3, 6, 62] },
  arm64: { own: [183], relative: [40] },
};

const runnableTypes = [2, 3]; // ET_EXEC, ET_DYN

/**
 * @param bytes - The first {@link headerBytes} of the file, or all of it.
 * @param arch - As `process.arch`. Of one that is not known anything may be run.
 */
export function kernelFormatOf(bytes: Uint8Array, arch: string): KernelFormat {
  const known = machines[arch];
  if (known === undefined) {
    return 'relative';
  }

  return isTaken(bytes, layouts.own, known.own)
    ? 'own'
    : isTaken(bytes, layouts.relative, known.relative)
      ? 'relative'
      : 'none';
}

function isTaken(bytes: Uint8Array, layout: Layout, numbers: readonly number[]): boolean {
  const short = (at: number): number => (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 0x1_00;
  const wide = (at: number): number => short(at) + short(at + 2) * 0x1_00_00;
  const tableSize = short(layout.countAt) * layout.entrySize;
  // The lower half of a 64-bit number is enough for an offset within the first bytes. Of a longer file we have no more.
  const isCut = bytes.length < headerBytes && wide(layout.tableAt) + tableSize > bytes.length;
  return (
    elfMagic.every((byte, index) => bytes[index] === byte) &&
    runnableTypes.includes(short(16)) &&
    numbers.includes(short(18)) &&
    short(layout.entrySizeAt) === layout.entrySize &&
    tableSize > 0 &&
    !isCut
  );
}

const elfMagic = [0x7f, 0x45, 0x4c, 0x46];
