// What the first bytes of a program say: the interpreter or the loader that it needs, the machine that it is for.
//
// Formats: execve(2), «Interpreter scripts», and elf(5). Only what the kernel would act on is read.

export type ProgramHeader =
  | { readonly kind: 'script'; readonly interpreter: string }
  | {
      readonly kind: 'elf';
      readonly machine: string;
      readonly loader: string | undefined;
      /** Cut off, or not of a kind that is run: an object file, a core dump. */
      readonly isBroken: boolean;
    }
  | { readonly kind: 'elf-head' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'other' };

/** As much of a file as is enough: the name of the loader lies behind the headers, the first line within 256 bytes. */
export const headerBytes = 4096;

/** @param bytes - The first {@link headerBytes} of the file, or all of it. */
export function parseProgramHeader(bytes: Uint8Array): ProgramHeader {
  if (bytes.length === 0) {
    return { kind: 'empty' };
  }

  if (textAt(bytes, 0, 2) === '#!') {
    return parseScript(bytes);
  }

  return textAt(bytes, 0, 4) === '\u007FELF' ? parseElf(bytes) : { kind: 'other' };
}

/** The kernel's own names, by `process.arch`. */
export const machineOf: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/** A script whose interpreter is a script, and so on: exec_binprm. */
export const deepestScript = 5;

/** What a kernel may run besides, if it was built so. */
const relatives: Readonly<Record<string, string>> = { x86_64: 'i386', aarch64: 'arm' };

/** Whether a kernel of this machine knows for sure not to run it; binfmt_misc is another matter. */
export function isUnknownFormat(header: ProgramHeader, machine: string): boolean {
  switch (header.kind) {
    case 'script':
      return false;
    case 'elf':
      return (
        header.isBroken || (header.machine !== machine && header.machine !== relatives[machine])
      );
    case 'elf-head':
    case 'empty':
    case 'other':
      return true;
  }
}

const longestFirstLine = 256; // BINPRM_BUF_SIZE; 128 before Linux 5.1.

function parseScript(bytes: Uint8Array): ProgramHeader {
  const start = textAt(bytes, 2, longestFirstLine - 2);
  // Only blanks and tabs separate: a carriage return belongs to the name. What is cut off is no name.
  const interpreter = /^[ \t]*([^ \t\n\0]+)(?:[ \t\n\0]|$)/.exec(start)?.[1];
  const isCut = bytes.length >= longestFirstLine && !/[^ \t][ \t\n\0]/.test(start);
  return interpreter === undefined || isCut || !isText(interpreter)
    ? { kind: 'other' }
    : { kind: 'script', interpreter };
}

// prettier-ignore
const machines: Readonly<Record<number, string>> = {
  3: 'i386', 8: 'mips', 20: 'ppc', 21: 'ppc64', 22: 's390x', 40: 'arm', 62: 'x86_64', 183: 'aarch64', 243: 'riscv', 258: 'loongarch',
};

const machineAt = 18;
const loaderType = 3; // PT_INTERP
const runnableTypes = new Set([2, 3]); // ET_EXEC, ET_DYN
/** Offsets of a 32-bit and of a 64-bit file; sizes are those of the fields. */
const layouts = {
  1: { tableAt: 28, entrySizeAt: 42, countAt: 44, offsetAt: 4, sizeAt: 16, rightSize: 32 },
  2: { tableAt: 32, entrySizeAt: 54, countAt: 56, offsetAt: 8, sizeAt: 32, rightSize: 56 },
} as const;

function parseElf(bytes: Uint8Array): ProgramHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bits = bytes[4];
  const isLittleEndian = bytes[5] === 1;
  if ((bits !== 1 && bits !== 2) || view.byteLength < 64) {
    return { kind: 'elf-head' };
  }

  const { tableAt, entrySizeAt, countAt, offsetAt, sizeAt, rightSize } = layouts[bits];
  const short = (at: number): number => view.getUint16(at, isLittleEndian);
  // The lower half of a 64-bit number is enough for an offset within the first bytes.
  const wide = (at: number): number =>
    view.getUint32(bits === 2 && !isLittleEndian ? at + 4 : at, isLittleEndian);
  const number = short(machineAt);
  const machine = machines[number] ?? `machine ${number}`;
  const entrySize = short(entrySizeAt);
  const count = short(countAt);
  // load_elf_binary: what it does not read whole, it does not run. Of a longer file we have only the first part.
  const isCut = bytes.length < headerBytes && wide(tableAt) + count * entrySize > view.byteLength;
  const isBroken = !runnableTypes.has(short(16)) || entrySize !== rightSize || count === 0 || isCut;
  for (let index = 0; index < count; index += 1) {
    const entry = wide(tableAt) + index * entrySize;
    if (entry + layouts[2].sizeAt + 8 > view.byteLength) {
      break;
    }

    if (view.getUint32(entry, isLittleEndian) === loaderType) {
      const name = textAt(bytes, wide(entry + offsetAt), wide(entry + sizeAt));
      const isWhole = name.endsWith('\0') && isText(name);
      return { kind: 'elf', machine, loader: isWhole ? name.slice(0, -1) : undefined, isBroken };
    }
  }

  return { kind: 'elf', machine, loader: undefined, isBroken };
}

function textAt(bytes: Uint8Array, start: number, size: number): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(start, start + size));
}

/** Whether the bytes were UTF-8: the name of a file need not be, and is not to be looked up by another one. */
function isText(text: string): boolean {
  return !text.includes('\uFFFD');
}
