// The processes above one, as /proc has them.
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { readAncestors } from '../../src/inputs/ancestors.ts';
import { childRunning, startProcess } from '../helpers/process.ts';

test('they begin with the parent, and each is the parent of the one before', () => {
  const ancestors = readAncestors(process.pid);

  expect(ancestors[0]?.pid).toBe(process.ppid);
  for (const [index, { pid, name }] of ancestors.entries()) {
    const comm = readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    expect(name).toBe(comm);
    expect(Number(/^PPid:\t(\d+)$/m.exec(status)?.[1])).toBe(ancestors[index + 1]?.pid ?? 0);
  }
});

test('a name that looks like what follows it is read as a whole', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ancestors-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const shell = join(directory, 'a) S 1 (b\n');
  copyFileSync('/bin/sh', shell);
  const parent = startProcess(shell, ['-c', 'sleep 60; true']);
  const child = await childRunning(parent.pid, 'sleep');

  expect(readAncestors(child).slice(0, 2)).toEqual([
    { pid: parent.pid, name: 'a) S 1 (b\n' },
    { pid: process.pid, name: expect.any(String) },
  ]);
});

test('a process that has ended has none', async () => {
  const child = startProcess('true', []);
  await child.ended;

  expect(readAncestors(child.pid)).toEqual([]);
});
