import {
  mkdtempSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { followFile } from '../../src/emulator/follow-file.ts';
import type { Notification } from '../../src/emulator/notification.ts';
import type { Emulator } from '../../src/emulator/server.ts';
import { signatureOf, watchFile } from '../../src/emulator/watch-file.ts';
import { eventually } from '../helpers/process.ts';
import { startForTest } from './rig.ts';

/** The platform of the n-th edit; `db` moves with each. */
function platformAt(address: number) {
  return { services: { web: {}, db: `10.0.0.${address}` } };
}

function textAt(address: number): string {
  return JSON.stringify(platformAt(address));
}

describe('an edit is seen that', () => {
  const ways: [how: string, write: (path: string, text: string) => void][] = [
    ['writes in place', (path, text) => writeFileSync(path, text)],
    [
      'renames a new file to the old name, as vim and rename(1) do',
      (path, text) => {
        writeFileSync(`${path}.new`, text);
        renameSync(`${path}.new`, path);
      },
    ],
    [
      'moves the old file away first, as with a backup',
      (path, text) => {
        renameSync(path, `${path}~`);
        writeFileSync(path, text);
      },
    ],
    [
      'deletes the file first',
      (path, text) => {
        unlinkSync(path);
        writeFileSync(path, text);
      },
    ],
    [
      'replaces the directory, which a watch does not survive',
      (path, text) => {
        const directory = join(path, '..');
        renameSync(directory, `${directory}-${Math.random()}`);
        mkdirSync(directory);
        writeFileSync(path, text);
      },
    ],
    [
      'points a symlink to another file, as Kubernetes does',
      (path, text) => {
        const target = join(path, '..', `data-${Math.random()}`);
        writeFileSync(target, text);
        symlinkSync(target, `${path}.link`);
        renameSync(`${path}.link`, path);
      },
    ],
  ];

  test.each(ways)('%s, three times in a row', async (_how, write) => {
    const { path, emulator } = await follow();
    for (const address of [3, 4, 5]) {
      write(path, textAt(address));
      await eventually(() => expect(addressOf(emulator)).toBe(`10.0.0.${address}`));
    }
  });

  test('writes the file behind a symlink', async () => {
    const directory = createDirectory();
    const target = join(createDirectory(), 'real.json');
    const path = join(directory, 'platform.json');
    writeFileSync(target, textAt(2));
    symlinkSync(target, path);
    const { emulator } = await follow(path);
    writeFileSync(target, textAt(3));

    await eventually(() => expect(addressOf(emulator)).toBe('10.0.0.3'));
  });
});

describe('an edit', () => {
  test('leads to its notifications', async () => {
    const { path, told } = await follow();
    writeFileSync(path, textAt(3));

    await eventually(() =>
      expect(told).toMatchObject([[{ topic: 'container.instances.reconfigured' }]]),
    );
  });

  test('that changes bytes and nothing else leads to none', async () => {
    const { path, told, emulator } = await follow();
    const before = emulator.platform;
    writeFileSync(path, `\n${JSON.stringify(platformAt(2), null, 2)}\n`);
    await eventually(() => expect(emulator.platform).not.toBe(before));
    writeFileSync(path, textAt(3));
    await eventually(() => expect(addressOf(emulator)).toBe('10.0.0.3'));

    await eventually(() =>
      expect(told).toMatchObject([[{ topic: 'container.instances.reconfigured' }]]),
    );
  });

  test('made while the emulator was starting is not lost', async () => {
    const { path, emulator } = await follow(undefined, textAt(3));

    expect(addressOf(emulator)).toBe('10.0.0.2');
    await eventually(() => expect(addressOf(emulator)).toBe('10.0.0.3'));
    expect(readFileSync(path, 'utf8')).toBe(textAt(3));
  });

  test.each([
    ['no JSON', '{"services": {', 'line 1, column 15'],
    ['no platform', '{"services": {"web": "10.0.0.999"}}', 'services.web'],
    ['empty', '', 'line 1, column 1'],
  ])('that is %s keeps the old platform, and is told of once', async (_what, text, place) => {
    const { path, told, problems, emulator } = await follow();
    writeFileSync(path, text);
    await eventually(() =>
      expect(problems).toEqual([
        expect.objectContaining({ message: expect.stringContaining(place), exitCode: 78 }),
      ]),
    );
    expect(addressOf(emulator)).toBe('10.0.0.2');
    const again = changeOf(path);
    writeFileSync(path, text);
    await again;
    writeFileSync(path, textAt(3));

    await eventually(() => expect(addressOf(emulator)).toBe('10.0.0.3'));
    expect(told).toHaveLength(1);
    expect(problems).toHaveLength(1);
  });

  test('that takes the file away keeps the platform until it is back', async () => {
    const { path, problems, emulator } = await follow();
    unlinkSync(path);
    await eventually(() =>
      expect(problems).toEqual([
        expect.objectContaining({ message: expect.stringContaining('no such file') }),
      ]),
    );
    expect(addressOf(emulator)).toBe('10.0.0.2');
    writeFileSync(path, textAt(3));

    await eventually(() => expect(addressOf(emulator)).toBe('10.0.0.3'));
  });

  test('of many without a pause is seen before they end, and few of them are read', async () => {
    const { path, told, emulator } = await follow();
    let edits = 0;
    const editing = setInterval(() => {
      edits += 1;
      writeFileSync(`${path}.new`, textAt(3 + (edits % 200)));
      renameSync(`${path}.new`, path);
    }, 2);
    onTestFinished(() => clearInterval(editing));
    await eventually(() => expect(told.length).toBeGreaterThan(1));
    clearInterval(editing);
    expect(told.length).toBeLessThan(edits / 10);

    writeFileSync(path, textAt(250));
    await eventually(() => expect(addressOf(emulator)).toBe('10.0.0.250'));
  });
});

/** Follows a file with {@link platformAt} 2; `early` is written before anybody watches. */
async function follow(path = join(createDirectory(), 'platform.json'), early?: string) {
  writeFileSync(path, textAt(2));
  const signature = signatureOf(path);
  const emulator = await startForTest(platformAt(2));
  if (early !== undefined) writeFileSync(path, early);
  const told: (readonly Notification[])[] = [];
  const problems: unknown[] = [];
  const watch = followFile(path, emulator, {
    signature,
    onNotifications: (notifications) => told.push(notifications),
    onProblem: (problem) => problems.push(problem),
  });
  onTestFinished(watch.close);
  return { path, emulator, told, problems };
}

/** Resolves when a change was seen: by whoever watched before, too. */
function changeOf(path: string): Promise<void> {
  return new Promise((resolve) => {
    const watch = watchFile(path, { signature: signatureOf(path), onChange: resolve });
    onTestFinished(watch.close);
  });
}

function createDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'follow-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  // One deeper, so that a test may move it.
  const inner = join(directory, 'inner');
  mkdirSync(inner);
  return inner;
}

function addressOf(emulator: Emulator): string | undefined {
  return emulator.platform.services[1]?.instances[0]?.ipv4;
}
