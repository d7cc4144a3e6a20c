import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';

import { writeHosts } from '../../src/apply/write-hosts.ts';
import { editInPlace, readerGraceMs } from '../../src/apply/write-in-place.ts';
import { hostsBlock, type HostsEntry } from '../../src/core/hosts-file.ts';
import { StartError } from '../../src/errors.ts';
import { cannotMount, mountNamespace } from '../helpers/mount-namespace.ts';
import { eventually } from '../helpers/process.ts';

const directory = mkdtempSync(join(tmpdir(), 'hosts-'));
const isRoot = process.getuid?.() === 0;
const quick = { onError: 'warn', graceMs: 0 } as const;
const strict = { onError: 'fail', graceMs: 0 } as const;
const db: HostsEntry = { address: '10.0.0.2', names: ['my-db.warp'] };
let files = 0;

afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe('a hosts file that can be written', () => {
  test('gets the block, and every other byte stays', () => {
    const path = fileWith('127.0.0.1 localhost\r\n\xff\0');

    expect(writeHosts(path, [db], quick)).toEqual({ change: 'written', warning: undefined });
    expect(textOf(path)).toBe(`127.0.0.1 localhost\r\n\xff\0\n${hostsBlock([db])}`);
  });

  test('is not written when it is right already', () => {
    const path = fileWith(hostsBlock([db]));
    utimesSync(path, 1000, 1000);

    expect(writeHosts(path, [db], quick)).toEqual({ change: 'unchanged', warning: undefined });
    expect(statSync(path).mtimeMs).toBe(1_000_000);
  });

  test('keeps its inode, owner and mode', () => {
    const path = fileWith('127.0.0.1 localhost\n');
    chmodSync(path, 0o640);
    const before = statSync(path);

    writeHosts(path, [db], quick);
    writeHosts(path, [], quick);
    const { ino, uid, mode, size } = statSync(path);
    expect({ ino, uid, mode, size }).toEqual({
      ino: before.ino,
      uid: before.uid,
      mode: before.mode,
      size: before.size,
    });
  });

  test('is created with mode 0644 where it is missing', () => {
    const path = join(directory, 'missing');
    const umask = process.umask(0o022);

    writeHosts(path, [db], quick);
    process.umask(umask);
    expect(textOf(path)).toBe(hostsBlock([db]));
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });
});

test('an edit in place gives exactly the new text, whatever both texts are', () => {
  const line = fc.constantFrom(
    '127.0.0.1 localhost',
    '#',
    '',
    'a',
    'b',
    '\r',
    '\xe9\0',
    'longer line',
  );
  const text = fc
    .tuple(fc.array(line, { maxLength: 6 }), fc.constantFrom('', '\n'))
    .map(([lines, last]) => lines.join('\n') + last);
  const path = fileWith('');

  fc.assert(
    fc.property(text, text, (before, after) => {
      writeFileSync(path, before, 'latin1');
      editInPlace(path, { edit: () => after, graceMs: 0 });
      expect(textOf(path)).toBe(after);
    }),
    { numRuns: 500 },
  );
});

test('a line that somebody appends in the middle of a change is not lost', async () => {
  const path = fileWith(`10.1.1.1 op\n${hostsBlock([db])}10.1.1.2 op\n`);
  const appender = spawn('sh', ['-c', appendOnceChanging, 'sh', path]);
  const ended = once(appender, 'exit');

  editInPlace(path, { edit: (text) => text.replace('10.0.0.2', '10.0.0.22'), graceMs: 200 });
  await ended;
  expect(textOf(path)).toMatch(
    /^10.1.1.1 op\n#[^]*10\.0\.0\.22 my-db[^]*10\.1\.1\.2 op\n+10\.1\.1\.3 op\n$/,
  );
});

describe('a writer that is killed', () => {
  test.each([
    ['while the copy is new', /^# is needed: \+/m],
    ['when the old lines are comments', /^#0\.1\.1\.2 op/m],
    ['when there is nothing but the copy', /^# BEGIN [^\n]*\n##/m],
    ['when the new lines are there', /0\.222 [^]*\n10\.1\.1\.2 op\n+# for [^]*: \+/],
    ['while the copy goes', /^# is needed: -/m],
  ])('%s leaves what the next one makes whole', async (_when, stage) => {
    const path = fileWith(`10.1.1.1 op\n${hostsBlock([db])}10.1.1.2 op\n`);
    const writer = spawn(process.execPath, ['--import', 'tsx', '-e', slowWriter, path]);
    const ended = once(writer, 'exit');
    await eventually(() => {
      expect(textOf(path)).toMatch(stage);
    });
    writer.kill('SIGKILL');
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(textOf(path)).toMatch(stage);

    writeHosts(path, [moved], quick);
    expect(textOf(path)).toBe(`10.1.1.1 op\n${hostsBlock([moved])}10.1.1.2 op\n`);
  });
});

const moved: HostsEntry = { address: '10.0.0.222', names: ['my-db.warp', 'longer.warp'] };

/** Stays for half a second in each stage. */
const slowWriter = `
  const { writeHosts } = require('./src/apply/write-hosts.ts');
  writeHosts(process.argv[1], [${JSON.stringify(moved)}], { onError: 'fail', graceMs: 500 });`;

describe.skipIf(cannotMount)('as a bind mount', () => {
  test('it cannot be replaced by rename, which is why it is written in place', async () => {
    const { target, namespace } = await bindMount(fileWith('127.0.0.1 localhost\n'));

    const { status, output } = namespace.run(['mv', '-f', fileWith('x'), target]);
    expect(status).not.toBe(0);
    expect(output).toContain('Device or resource busy');

    expect(writeHosts(namespace.path(target), [db], strict).change).toBe('written');
    expect(namespace.run(['cat', target]).output).toBe(`127.0.0.1 localhost\n${hostsBlock([db])}`);
  });

  test('that is read-only it gives a warning that says what still works', async () => {
    const { target, namespace } = await bindMount(fileWith('127.0.0.1 localhost\n'), 'ro');
    const path = namespace.path(target);

    expect(writeHosts(path, [db], quick)).toEqual({
      change: 'failed',
      warning: {
        code: 'W_HOSTS',
        message: `Cannot write ${path}: read-only file system (EROFS). The .warp hostnames may not resolve; the WARP_IST_ variables work all the same.`,
        where: path,
        fix: expect.stringMatching(/^Start init as root .* with a hosts file as a volume; or/),
      },
    });
  });

  test('that is read-only but right already it gives none', async () => {
    const { target, namespace } = await bindMount(fileWith(hostsBlock([db])), 'ro');

    expect(writeHosts(namespace.path(target), [db], strict).change).toBe('unchanged');
  });

  test('on a full disk it stays as it was', async () => {
    const mount = mkdtempSync(join(directory, 'full-'));
    const text = '127.0.0.1 localhost\n'.repeat(200);
    const namespace = await mountNamespace(`mount -t tmpfs -o size=8k none ${mount}`);
    onTestFinished(namespace.end);
    const path = namespace.path(join(mount, 'hosts'));
    writeFileSync(path, text);
    const many = Array.from({ length: 400 }, (_, index) => ({ ...db, address: `10.0.1.${index}` }));

    expect(writeHosts(path, many, quick).warning?.message).toContain(
      'no space left on the device (ENOSPC)',
    );
    expect(textOf(path)).toBe(text);
  });
});

describe('a hosts file of somebody else', () => {
  test('stops the start with status 73 if so configured', () => {
    const path = fileWith('127.0.0.1 localhost\n');
    chmodSync(path, 0o444);

    const error = asNobody(() => caught(() => writeHosts(path, [db], strict)));
    expect(error).toBeInstanceOf(StartError);
    expect(error).toMatchObject({
      code: 'E_HOSTS',
      exitCode: 73,
      message: `Cannot write ${path}: permission denied (EACCES)`,
      remedy: { where: path, fix: expect.stringContaining('init.hosts.onError') },
    });
    expect(textOf(path)).toBe('127.0.0.1 localhost\n');
  });

  test('is a warning otherwise', () => {
    const path = fileWith('127.0.0.1 localhost\n');
    chmodSync(path, 0o444);

    expect(asNobody(() => writeHosts(path, [db], quick)).warning?.code).toBe('W_HOSTS');
  });
});

// A reader that loses the processor in the middle of a read for longer than the grace time can see a mixture, here as in
// the field; it notices, and does not judge. Where the machine allows it, it is never preempted, and the changes come fast.
const isUndisturbed = isRoot && availableParallelism() > 1;
const pace = isUndisturbed
  ? { rewrites: 1000, graceMs: 1 }
  : { rewrites: 150, graceMs: readerGraceMs };

describe.skipIf(cannotMount)(
  'a reader in a tight loop never sees a torn, stale or empty file',
  () => {
    test.each([
      ['of one page', 8, 'a block'],
      ['of several pages', 400, 'a block'],
      ['whose block comes and goes', 8, 'no block'],
      ['whose block of several pages comes and goes', 400, 'no block'],
    ])('%s', async (_what, services, before) => {
      const { target, namespace } = await bindMount(fileWith('10.1.1.9999 name-9999\n'));
      const path = namespace.path(target);
      const options = { onError: 'fail', graceMs: pace.graceMs } as const;
      const long = generation(222, services);
      const short = before === 'a block' ? generation(1, services) : [];
      const rewrites = services > 100 ? pace.rewrites / 4 : pace.rewrites;
      writeHosts(path, short, quick);
      appendFileSync(path, '10.1.1.9998 name-9998\n');
      const reader = startReader(path, options.graceMs, [
        'name-9998',
        'name-9999',
        ...(before === 'a block' ? ['name-0', `name-${services - 1}`] : []),
      ]);
      await once(reader.stdout, 'data');

      for (let turn = 0; turn < rewrites; turn += 1) {
        writeHosts(path, turn % 2 === 0 ? long : short, options);
        sleep(options.graceMs); // Reloads are at least half a second apart.
      }

      const output = reader.stdout.toArray();
      writeHosts(path, [{ address: '10.0.0.0', names: ['name-0'] }, ...short], options);
      const seen: unknown = JSON.parse((await output).join(''));
      expect(seen).toEqual({
        reads: expect.toSatisfy((reads) => reads > rewrites),
        slow: expect.toSatisfy((slow) => slow < rewrites / 10),
        empty: 0,
        torn: [],
        missing: [],
      });
    });
  },
);

function generation(octet: number, services: number): HostsEntry[] {
  return Array.from({ length: services }, (_, index) => ({
    address: `10.${octet}.${octet}.${index}`,
    names: [`name-${index}`],
  }));
}

function startReader(path: string, graceMs: number, names: readonly string[]) {
  const reader = 'fixtures/programs/hosts-reader.mjs';
  const command = [process.execPath, reader, path, String(graceMs), ...names];
  const [file = '', ...args] = isUndisturbed ? ['chrt', '--fifo', '1', ...command] : command;
  return spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function bindMount(source: string, mode: 'rw' | 'ro' = 'rw') {
  const target = fileWith('under the mount\n');
  const remount = mode === 'ro' ? `mount -o remount,bind,ro ${target}` : '';
  const namespace = await mountNamespace(`mount --bind ${source} ${target}\n${remount}`);
  onTestFinished(namespace.end);
  return { target, namespace };
}

/** The new address stands in the file from the first of the steps on; a second passes until the last. */
const appendOnceChanging = 'until grep -q 10.0.0.22 "$1"; do :; done; echo "10.1.1.3 op" >> "$1"';

function asNobody<T>(act: () => T): T {
  if (!isRoot) {
    return act();
  }

  chmodSync(directory, 0o755);
  process.seteuid?.(65_534);
  try {
    return act();
  } finally {
    process.seteuid?.(0);
  }
}

function caught(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function fileWith(text: string): string {
  files += 1;
  const path = join(directory, `hosts-${files}`);
  writeFileSync(path, text, 'latin1');
  return path;
}

function textOf(path: string): string {
  return readFileSync(path, 'latin1');
}
