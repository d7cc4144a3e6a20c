// What root writes for the app in hostile-user.test.ts, there and in a process of its own.
import { replaceDirectory } from '../../src/apply/replace-directory.ts';
import { writeFile } from '../../src/apply/write-file.ts';
import type { TreeEntry } from '../../src/core/directory-tree.ts';
import type { Ownership } from '../../src/core/ownership.ts';
import { SecretBytes } from '../../src/core/secret.ts';

export const nobody = { uid: 65_534, gid: 65_534 };
export const owner: Ownership = { mode: 0o400, ...nobody };
export const entries: readonly TreeEntry[] = [
  file('key.pem'),
  { kind: 'directory', path: 'private' },
  file('private/key.pem'),
];

export function writeText(path: string): string {
  return writeFile(path, Buffer.from('hunter2\n'), owner);
}

export function writeEntries(path: string): string {
  return replaceDirectory(path, entries, owner);
}

function file(path: string): TreeEntry {
  return { kind: 'file', path, content: SecretBytes.ofText('KEY'), isExecutable: false };
}
