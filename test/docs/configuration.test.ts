// docs/configuration.md and the JSON schema say what init takes.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';

import { formatConfiguration } from '../../src/build/docs-configuration.ts';
import { formatJsonSchema } from '../../src/build/docs-json-schema.ts';
import { type Key, type Shape, readConfigShape } from '../../src/build/docs-shape.ts';
import { readTypes } from '../../src/build/docs-types.ts';
import { parseConfig } from '../../src/core/config.ts';
import { readPage, root } from './pages.ts';

const shape = readConfigShape();

type Place = { readonly path: readonly string[]; readonly key: Key };

/** Every key, wherever it is. */
function keysOf(of: Shape, path: readonly string[] = []): Place[] {
  switch (of.kind) {
    case 'object':
      return of.keys.flatMap((key) => [
        { path: [...path, key.name], key },
        ...keysOf(key.shape, [...path, key.name]),
      ]);
    case 'list':
      return keysOf(of.item, path);
    case 'either':
      return of.options.flatMap((option) => keysOf(option, path));
    case 'text':
    case 'flag':
    case 'number':
    case 'words':
    case 'literal':
    case 'record':
      return [];
  }
}

/** Values of all kinds, right and wrong for one key or another. */
// prettier-ignore
const values: readonly unknown[] = [
  '', 'text', 'a b', 'SIGTERM', '15', 'SIGTERM:SIGQUIT', '143:0', '10s', '1.5m', '500ms', '10', 'x\0',
  '/run/x', '/', 'relative', '0400', 'all', 'none', 'auto', 'unlimited', 'node:node',
  0, 1, 8080, 65_536, -1, 1.5, 0o400, true, false, null,
  [], ['text'], ['SIGTERM:0'], ['/run/x', 'text'], [1],
  {}, { A: 'a' }, { A: { local: true } }, { A: { local: false } }, { soft: 1, hard: 2 },
  { service: 'a' }, [{ service: 'a', hostnames: 'b' }], { secret: 'a', path: '/run/x' },
];

/** A config that has the value at this place, and around it what must be there. */
function configWith(path: readonly string[], value: unknown): unknown {
  const [first, second = '', third = '', fourth] = path;
  if (first === 'ist' && second !== '') {
    return { ist: { service: 'a', [second]: value } };
  }

  return second === 'secrets' && third === 'files' && fourth !== undefined
    ? { init: { secrets: { files: { secret: 'a', path: '/run/x', [fourth]: value } } } }
    : path.toReversed().reduce((inner, name) => ({ [name]: inner }), value);
}

const places = keysOf(shape).filter(({ path }) => !/^(?:soft|hard)$/.test(path.at(-1) ?? ''));

describe('the reference', () => {
  test('is the one that `npm run docs` writes', () => {
    const directory = mkdtempSync(join(tmpdir(), 'docs-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const path = join(directory, 'configuration.md');
    writeFileSync(path, formatConfiguration(shape));
    writeFileSync(join(directory, '.oxfmtrc.json'), readFileSync(join(root, '.oxfmtrc.json')));
    spawnSync(join(root, 'node_modules', '.bin', 'oxfmt'), [path], { cwd: directory });
    expect(readPage('docs/configuration.md').text).toBe(readFileSync(path, 'utf8'));
  });

  test('says of every key what it means', () => {
    expect(places.length).toBeGreaterThan(80);
    expect(places.filter(({ key }) => key.doc.description === '').map(({ path }) => path)).toEqual(
      [],
    );
  });

  test('has the words, defaults and options of the sources', () => {
    const text = formatConfiguration(shape);
    expect(text).toMatch(/\| `killDelay` .*`--kill-delay TIME` `WARP_INIT_KILL_DELAY`/);
    expect(text).toMatch(/\| `nsswitch` .*`"fix"`.*\| `"warn"` +\|/);
    expect(text).toMatch(/\| `port` .*from 1 to 65535/);
  });
});

describe('the types', () => {
  test('give descriptions, defaults and patterns, through names, unions and lists', () => {
    const source = `
      /** A colour. @default "red" */
      export type Colour = 'red' | 'blue';
      export type Named = { /** Its name. */ name: string };
      export type Root = {
        colour?: Colour;
        /** Two of them: @default none */
        both?: Named | (Named & { /** Its size. */ size: \`\${number}px\` })[];
      };`;
    const { properties } = readTypes(source, 'Root');
    const both = properties.get('both')?.properties;
    expect(properties.get('colour')?.description).toBe('A colour.');
    expect(properties.get('both')?.default).toBe('none');
    expect([...(both?.keys() ?? [])]).toEqual(['name', 'size']);
    expect(both?.get('size')).toMatchObject({
      description: 'Its size.',
      pattern: String.raw`^(?:\d+(?:\.\d+)?px)$`,
    });
  });

  test('that do not parse, or are not there, are an error', () => {
    expect(() => readTypes('export type = 3', 'Root')).toThrow(/^Cannot parse/);
    expect(() => readTypes('export type Other = 3;', 'Root')).toThrow(/^Cannot document Root/);
  });
});

describe('the JSON schema', () => {
  const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(
    JSON.parse(formatJsonSchema(shape)),
  );

  const words = places.flatMap(({ key }) => (key.shape.kind === 'words' ? key.shape.words : []));

  test('takes all that init takes', () => {
    let taken = 0;
    const place = fc.constantFrom(...places);
    const value = fc.constantFrom(...values, ...words);
    fc.assert(
      fc.property(place, value, ({ path }, given) => {
        const config = configWith(path, given);
        const isTaken = parseConfig(config).ok;
        taken += Number(isTaken);
        return !isTaken || validate(config);
      }),
      { numRuns: 3000 },
    );
    expect(taken).toBeGreaterThan(300);
  });

  test.each([
    ['a key under init that is not there', { init: { killDelayed: '10s' } }],
    ['a word that is none', { init: { nsswitch: 'repair' } }],
    ['a duration without its unit', { init: { killDelay: '10' } }],
    ['a number for a duration', { init: { linger: 10 } }],
    ['a port that is none', { deployment: { port: 65_536 } }],
    ['a variable that is a number', { variables: { A: 1 } }],
    ['an entry without its service', { ist: [{ hostnames: 'a' }] }],
    ['a secret without a path', { init: { secrets: { files: { secret: 'a' } } } }],
    ['text for a flag', { init: { exec: 'yes' } }],
    ['a signal that is none', { init: { stopSignal: 'SIGFOO' } }],
    ['the same of a reload', { init: { reload: { signal: 'HUPP' } } }],
    ['a relative directory', { init: { cwd: 'app' } }],
    ['a relative path of a secret', { init: { secrets: { files: { secret: 'a', path: 'b' } } } }],
    ['a relative env file', { init: { envFile: 'app.env' } }],
    ['an unknown limit', { init: { limits: { files: 3 } } }],
  ])('refuses, as init does, %s', (_what, config) => {
    expect(parseConfig(config).ok).toBe(false);
    expect(validate(config)).toBe(false);
  });

  test.each([
    'SIGTERM',
    'term',
    'SigTerm',
    '15',
    'SIGIOT',
    'poll',
    'SIGRTMIN+3',
    'rtmax-1',
    'RTMAX',
  ])('takes, as init does, the signal %s', (stopSignal) => {
    expect(parseConfig({ init: { stopSignal } }).ok).toBe(true);
    expect(validate({ init: { stopSignal } })).toBe(true);
  });

  test('lets keys of Warp pass, as init does', () => {
    const config = { $schema: 'x', image: 'node', deployment: { tags: ['a'] } };
    expect(parseConfig(config).ok).toBe(true);
    expect(validate(config)).toBe(true);
  });
});
