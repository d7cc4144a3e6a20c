import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';

import { applyNsswitch } from '../../src/apply/fix-nsswitch.ts';
import { fixNsswitch, judgeNsswitch } from '../../src/core/nsswitch.ts';
import { StartError } from '../../src/errors.ts';
import { findLibc, readNsswitch } from '../../src/inputs/nsswitch-file.ts';
import { cannotMount, mountNamespace } from '../helpers/mount-namespace.ts';

const directory = mkdtempSync(join(tmpdir(), 'nsswitch-'));
const warning = {
  code: 'W_NSSWITCH',
  message: 'Names may not resolve',
  where: 'f:1',
  fix: 'Do it.',
};

afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe('what has been decided about nsswitch.conf', () => {
  test('to leave it is to write nothing and to say nothing', () => {
    const path = fileWith('leave', 'hosts: dns\n');

    expect(applyNsswitch(path, { kind: 'leave' })).toBeUndefined();
    expect(readFileSync(path, 'latin1')).toBe('hosts: dns\n');
  });

  test('to fix it puts files first, in place', () => {
    const path = fileWith('fix', 'passwd: files\nhosts: dns # \xe9\n');

    expect(applyNsswitch(path, { kind: 'fix', warning })).toBeUndefined();
    expect(readFileSync(path, 'latin1')).toBe('passwd: files\nhosts: files dns # \xe9\n');
  });

  test('to fix a directory gives the warning, with the cause', () => {
    expect(applyNsswitch(directory, { kind: 'fix', warning })?.message).toBe(
      'Names may not resolve. Cannot fix it: it is a directory (EISDIR)',
    );
  });

  test('to fail ends the start with status 78 and the remedy', () => {
    expect(fail).toThrow(StartError);
    expect(fail).toThrow(
      expect.objectContaining({
        code: 'E_NSSWITCH',
        exitCode: 78,
        remedy: { where: 'f:1', fix: 'Do it.' },
      }),
    );
  });
});

describe('the file as it is read', () => {
  test('has its bytes', () => {
    expect(readNsswitch(fileWith('bytes', '# \xe9\n')).text).toBe('# \xe9\n');
  });

  test.each([
    ['there is none', 'nowhere/nsswitch.conf'],
    ['it is a directory', '.'],
  ])('has no text where %s', (_why, path) => {
    expect(readNsswitch(join(directory, path)).text).toBeUndefined();
  });

  test.each([
    ['glibc', ['lib64/ld-linux-x86-64.so.2', 'lib/ld-musl-x86_64.so.1']],
    ['glibc', ['lib/ld-linux-aarch64.so.1']],
    ['musl', ['lib/ld-musl-aarch64.so.1']],
    ['unknown', []],
  ])('belongs to %s where the loaders are %j', (libc, loaders) => {
    const root = mkdtempSync(join(directory, 'root-'));
    mkdirSync(join(root, 'lib'));
    mkdirSync(join(root, 'lib64'));
    for (const loader of loaders) {
      writeFileSync(join(root, loader), '');
    }

    expect(findLibc(root)).toBe(libc);
  });
});

// The real glibc of this machine is asked. A source that is not installed is unavailable, so a verdict `broken` can be
// stricter than what happens here; a verdict `ok` must never be more lenient.
const withoutGlibc = findLibc('') === 'glibc' ? '' : ' (skipped: this machine has no glibc)';

describe.skipIf(cannotMount || withoutGlibc !== '')(
  `glibc finds a name of /etc/hosts${withoutGlibc}`,
  () => {
    test('wherever the verdict is ok, and after every fix that makes it ok', async () => {
      const hosts = fileWith('hosts', '10.9.9.9 my-db.warp\n');
      const conf = fileWith('conf', 'hosts: files\n');
      const namespace = await mountNamespace(
        `mount --bind ${hosts} /etc/hosts\nmount --bind ${conf} /etc/nsswitch.conf`,
      );
      onTestFinished(namespace.end);
      const word = fc.constantFrom(
        'files',
        'files',
        'gone',
        'gone',
        '[NOTFOUND=return]',
        '[!UNAVAIL=return]',
        '[UNAVAIL=return]',
        '[success=continue !notfound=continue]',
        '[SUCCESS=merge]',
        '[x]',
        '#',
        '\r',
      );
      const spec = fc.array(word, { maxLength: 5 }).map((words) => words.join(' '));
      const line = fc.tuple(fc.constantFrom('hosts:', ' hosts:\t', 'passwd:', 'HOSTS:'), spec);
      const text = fc
        .array(line, { minLength: 1, maxLength: 2 })
        .map((lines) => lines.map(([head, rest]) => `${head} ${rest}\n`).join(''));

      const texts = fc.sample(text, { numRuns: 60, seed: 7 });
      const lost = texts
        .flatMap((before) => [before, fixNsswitch(before)])
        .filter((now) => judgeNsswitch({ text: now, libc: 'glibc' }).verdict === 'ok')
        .filter((now) => {
          writeFileSync(conf, now, 'latin1');
          return !namespace.run(['getent', 'ahostsv4', 'my-db.warp']).output.includes('10.9.9.9');
        });

      expect(lost).toEqual([]);
    });

    test.each([
      ['hosts: gone\n', false],
      ['hosts: gone #files\n', false],
      ['hosts: gone [UNAVAIL=return] files\n', false],
      ['hosts: gone [SUCCESS=return] [SUCCESS=return] files\n', false],
      ['hosts: [NOTFOUND=return] files\n', false],
      ['hosts: files [SUCCESS=continue] gone\n', false],
      ['hosts: files # see [1]\n', false],
      ['hosts: files\npasswd: files [x=y]\n', false],
      ['hosts files\n', true],
      ['hosts: gone[NOTFOUND=continue]files\n', true],
      ['HOSTS: gone\n', true],
    ])('for %j: %s', async (text, isFound) => {
      const hosts = fileWith('hosts', '10.9.9.9 my-db.warp\n');
      const conf = fileWith('conf', text);
      const namespace = await mountNamespace(
        `mount --bind ${hosts} /etc/hosts\nmount --bind ${conf} /etc/nsswitch.conf`,
      );
      onTestFinished(namespace.end);

      const { output } = namespace.run(['getent', 'ahostsv4', 'my-db.warp']);
      expect(output.includes('10.9.9.9')).toBe(isFound);
      expect(judgeNsswitch({ text, libc: 'glibc' }).verdict === 'broken').toBe(!isFound);
    });
  },
);

function fail(): unknown {
  return applyNsswitch('f', { kind: 'fail', warning });
}

function fileWith(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text, 'latin1');
  return path;
}
