// What the first bytes of a program say: the interpreter or the loader that it needs, the machine that it is for.
//
// Formats: execve(2), «Interpreter scripts», and elf(5). Only what the kernel would act on is read.

export type ProgramHeader =
  /** The interpreter is undefined if its name is no UTF-8, and empty if a NUL stands in its place. */
  | { readonly kind: 'script'; readonly interpreter: string | undefined }
  | { readonly kind: 'elf'; readonly machine: string; readonly loader: string | undefined }
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

const longestFirstLine = 256; // BINPRM_BUF_SIZE; 128 before Linux 5.1.

function parseScript(bytes: Uint8Array): ProgramHeader {
  // What the file does not have is zero.
  const end = bytes.length < longestFirstLine ? '\0' : '';
  const start = textAt(bytes, 2, longestFirstLine - 2) + end;
  // Only blanks and tabs separate: a carriage return belongs to the name. What is cut off is no name.
  const line = /^[ \t]*(?:([^ \t\n\0]+)[ \t\n\0]|\0)/.exec(start);
  if (line === null) {
    return { kind: 'other' };
  }

  const [, interpreter = ''] = line;
  return { kind: 'script', interpreter: isText(interpreter) ? interpreter : undefined };
}

// prettier-ignore
const machines: Readonly<Record<number, string>> = {
  3: 'i386', 8: 'mips', 20: 'ppc', 21: 'ppc64', 22: 's390x', 40: 'arm', 62: 'x86_64', 183: 'aarch64', 243: 'riscv', 258: 'loongarch',
};

const machineAt = 18;
const loaderType = 3; // PT_INTERP
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
  // The kernel goes by the machine alone: where class or byte order are not what they say, nothing more is known.
  const count = entrySize === rightSize ? short(countAt) : 0;
  for (let index = 0; index < count; index += 1) {
    const entry = wide(tableAt) + index * entrySize;
    if (entry + layouts[2].sizeAt + 8 > view.byteLength) {
      break;
    }

    if (view.getUint32(entry, isLittleEndian) === loaderType) {
      const name = textAt(bytes, wide(entry + offsetAt), wide(entry + sizeAt));
      const isWhole = name.endsWith('\0') && isText(name);
      // A shorter name that was written over the first one has more than one NUL behind it.
      return { kind: 'elf', machine, loader: isWhole ? name.split('\0', 1)[0] : undefined };
    }
  }

  return { kind: 'elf', machine, loader: undefined };
}

function textAt(bytes: Uint8Array, start: number, size: number): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(start, start + size));
}

/** Whether the bytes were UTF-8: the name of a file need not be, and is not to be looked up by another one. */
function isText(text: string): boolean {
  return !text.includes('\uFFFD');
}
