import { expect, test } from 'vitest';

import { matchesBinfmt } from '../../src/core/binfmt.ts';

const arm64 = `enabled
interpreter /usr/bin/qemu-aarch64-static
flags: F
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
`;

function head(machine: number, type: number): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes[16] = type;
  bytes[18] = machine;
  return bytes;
}

test.each([
  ['of its machine', arm64, head(183, 2), true],
  ['with a bit that the mask leaves open', arm64, head(183, 3), true],
  ['of another machine', arm64, head(62, 2), false],
  ['that is too short', arm64, head(183, 2).subarray(0, 16), false],
  ['while the entry is disabled', arm64.replace('enabled', 'disabled'), head(183, 2), false],
])('a program %s', (_what, entry, bytes, isOne) => {
  expect(matchesBinfmt(entry, '/app', bytes)).toBe(isOne);
});

test('an entry without a mask, and further on in the file', () => {
  const entry = 'enabled\ninterpreter /usr/bin/wine\nflags: \noffset 2\nmagic 4d5a\n';

  expect(matchesBinfmt(entry, '/app', Uint8Array.of(0, 0, 0x4d, 0x5a))).toBe(true);
  expect(matchesBinfmt(entry, '/app', Uint8Array.of(0x4d, 0x5a))).toBe(false);
});

test('an entry for an extension', () => {
  const entry = 'enabled\ninterpreter /usr/bin/jexec\nflags: \nextension .jar\n';

  expect(matchesBinfmt(entry, '/app/server.jar', new Uint8Array())).toBe(true);
  expect(matchesBinfmt(entry, '/app/server.sh', new Uint8Array())).toBe(false);
});

test.each(['enabled', 'disabled\n', ''])('%j alone, as in `status`, is no entry', (text) => {
  expect(matchesBinfmt(text, '/app', new Uint8Array(64))).toBe(false);
});
