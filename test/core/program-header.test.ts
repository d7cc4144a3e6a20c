import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { headerBytes, machineOf, parseProgramHeader } from '../../src/core/program-header.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('The interpreter of a script is', () => {
  test.each([
    ['#!/bin/sh\necho', '/bin/sh'],
    ['#! \t/bin/sh -e -u\n', '/bin/sh'],
    ['#!/usr/bin/env node\n', '/usr/bin/env'],
    ['#!/bin/sh', '/bin/sh'],
    ['#!bin/sh\n', 'bin/sh'],
    ['#!/bin/sh\r\necho\r\n', '/bin/sh\r'],
    ['#!/opt/größe/sh\n', '/opt/größe/sh'],
    [`#!/bin/sh ${'x'.repeat(300)}\n`, '/bin/sh'],
  ])('that of %j: %j', (text, interpreter) => {
    expect(parseProgramHeader(bytesOf(text))).toEqual({ kind: 'script', interpreter });
  });

  test.each([
    '#!\n/bin/sh',
    '#!   \n',
    `#!${' '.repeat(300)}`,
    `#!/${'x'.repeat(300)}\n`,
    '\uFEFF#!/bin/sh\n',
    'echo\n',
  ])('not there in %j, which the kernel does not run', (text) => {
    expect(parseProgramHeader(bytesOf(text))).toEqual({ kind: 'other' });
  });

  test('not guessed where its name is no UTF-8', () => {
    const bytes = Uint8Array.of(...bytesOf('#!/bin/'), 0xff, ...bytesOf('\n'));
    expect(parseProgramHeader(bytes)).toEqual({ kind: 'script', interpreter: undefined });
  });

  test.each(['#!', '#!  ', '#! \0\n'])(
    'the empty name in %j: what is not there is zero',
    (text) => {
      expect(parseProgramHeader(bytesOf(text))).toEqual({ kind: 'script', interpreter: '' });
    },
  );

  test('a name that ends with the 256 bytes that the kernel reads, and none that is longer', () => {
    const name = `/${'x'.repeat(252)}`;
    expect(parseProgramHeader(bytesOf(`#!${name}\n`))).toEqual({
      kind: 'script',
      interpreter: name,
    });
    expect(parseProgramHeader(bytesOf(`#!${name}x\n`))).toEqual({ kind: 'other' });
  });
});

describe('A binary', () => {
  test('tells its machine and its loader: this Node', () => {
    const bytes = readFileSync(process.execPath).subarray(0, headerBytes);
    expect(parseProgramHeader(bytes)).toEqual({
      kind: 'elf',
      machine: machineOf[process.arch],
      loader: expect.stringMatching(/^\/lib.*\/ld-.*\.so\.\d$/),
    });
  });

  test('whose loader was replaced by one of a shorter name: up to the first NUL, as the kernel reads it', () => {
    const bytes = Buffer.from(readFileSync(process.execPath).subarray(0, headerBytes));
    const at = bytes.indexOf('/ld-');
    bytes.write('/l\0\0', at);
    expect(parseProgramHeader(bytes)).toMatchObject({ loader: expect.stringMatching(/\/l$/) });
  });

  test('of an unknown machine is one all the same', () => {
    const bytes = new Uint8Array(64);
    bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
    bytes[18] = 0xff;
    expect(parseProgramHeader(bytes)).toEqual({
      kind: 'elf',
      machine: 'machine 255',
      loader: undefined,
    });
  });
});

test('An empty file is one', () => {
  expect(parseProgramHeader(new Uint8Array())).toEqual({ kind: 'empty' });
});

test('No bytes are too broken: heads, cut and with any numbers in them, never throw', () => {
  const heads = fc.constantFrom(
    '\u007FELF\u0002\u0001',
    '\u007FELF\u0001\u0002',
    '#!',
    '#! ',
    '\u007FEL',
  );
  fc.assert(
    fc.property(heads, fc.uint8Array({ maxLength: 300, size: 'max' }), (head, rest) => {
      const header = parseProgramHeader(Uint8Array.of(...bytesOf(head), ...rest));
      expect(['script', 'elf', 'elf-head', 'other']).toContain(header.kind);
    }),
  );
});
