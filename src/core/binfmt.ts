// Formats that an administrator has registered with the kernel (qemu-user, wine, jar), and whether a file is of one.
//
// Source: Documentation/admin-guide/binfmt-misc.rst. An entry is a file of lines: `enabled`, `offset N`, `magic HEX` and
// `mask HEX`, or `extension .EXT`.

/** @param entry - The text of a file in /proc/sys/fs/binfmt_misc. @param head - The first bytes of the program. */
export function matchesBinfmt(entry: string, file: string, head: Uint8Array): boolean {
  if (!entry.startsWith('enabled\n')) {
    return false;
  }

  const extension = valueOf(entry, 'extension');
  if (extension !== undefined) {
    return file.endsWith(extension);
  }

  const magic = bytesOf(valueOf(entry, 'magic') ?? '');
  const mask = bytesOf(valueOf(entry, 'mask') ?? '');
  const offset = Number(valueOf(entry, 'offset') ?? 0);
  return (
    magic.length > 0 &&
    magic.every((byte, index) => {
      const bits = mask[index] ?? 0xff;
      return ((head[offset + index] ?? 0) & bits) === (byte & bits);
    })
  );
}

function valueOf(entry: string, key: string): string | undefined {
  const line = entry.split('\n').find((text) => text.startsWith(`${key} `));
  return line?.slice(key.length + 1);
}

function bytesOf(hex: string): readonly number[] {
  return (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
}
