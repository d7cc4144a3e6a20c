import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import * as layout from '../../src/link/layout.ts';

const header = readFileSync(new URL('../../src/pid1/frames.h', import.meta.url), 'utf8');

function define(name: string): number {
  const value = new RegExp(String.raw`#define ${name} (\S+?)(?: << (\d+))?\)?(?:\s|$)`, 'm').exec(
    header.replaceAll(`${name} (`, `${name} `),
  );
  if (value?.[1] === undefined) {
    throw new Error(`frames.h does not define ${name}`);
  }

  return Number(value[1].replace(/u$/, '')) * 2 ** Number(value[2] ?? 0);
}

/** `FRAME_SPAWN_FAILED = 18` as `['spawnFailed', 18]`. */
function enumeration(prefix: string): Record<string, number> {
  return Object.fromEntries(
    [...header.matchAll(new RegExp(String.raw`^\t${prefix}_(\w+) = (\d+),`, 'gm'))].map(
      ([, name = '', value]) => [
        name.toLowerCase().replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
        Number(value),
      ],
    ),
  );
}

function fieldsOf(struct: string): [name: string, size: number][] {
  const body = new RegExp(String.raw`struct ${struct} \{([^}]*)\}`).exec(header)?.[1] ?? '';
  return [...body.matchAll(/uint(32|8)_t (\w+)(?:\[(\w+)\])?;/g)].map(
    ([, bits, name = '', count]) => [
      name,
      (Number(bits) / 8) * (count === undefined ? 1 : sizeOf(count)),
    ],
  );
}

function sizeOf(count: string): number {
  return /^\d+$/.test(count) ? Number(count) : define(count);
}

describe('the TypeScript layout and frames.h have the same', () => {
  test.each([
    ['LINK_VERSION', layout.linkVersion],
    ['LINK_FD', layout.linkFd],
    ['LINK_STDERR_FD', layout.sharedStderrFd],
    ['PRELOAD_FD', layout.preloadFd],
    ['PRELOADED_FD', layout.preloadedFd],
    ['FRAME_HEADER_SIZE', layout.frameHeaderSize],
    ['LAUNCH_SIZE_LIMIT', layout.launchSizeLimit],
    ['MEMO_SIZE_LIMIT', layout.memoSizeLimit],
    ['TEXT_SIZE_LIMIT', layout.textSizeLimit],
    ['SIGNAL_COUNT', layout.signalCount],
    ['STATUS_COUNT', layout.statusCount],
    ['KEEP_ID', layout.keepId],
    ['NO_DELAY', layout.noDelay],
  ])('%s', (name, value) => {
    expect(define(name)).toBe(value);
  });

  test.each([
    ['FRAME', layout.frameType],
    ['LAUNCH', layout.launchFlag],
    ['HELLO', layout.helloFlag],
    ['STAGE', layout.stage],
  ])('members of the enumeration %s', (prefix, members) => {
    expect(enumeration(prefix)).toEqual(members);
  });

  test('fields of the launch header, in order, with their sizes', () => {
    expect(fieldsOf('launch_header')).toEqual(layout.launchHeader.map((field) => [...field]));
  });

  test('fields of the hello header, in order, each of four bytes', () => {
    expect(fieldsOf('hello_header')).toEqual(layout.helloHeader.map((name) => [name, 4]));
  });

  test('fields of a limit, in order, with their sizes', () => {
    expect(fieldsOf('launch_limit')).toEqual(layout.launchLimit.map((field) => [...field]));
  });

  test('fields of the counters, in order, each of four bytes', () => {
    expect(fieldsOf('counters')).toEqual(layout.counterFields.map((name) => [name, 4]));
  });
});
