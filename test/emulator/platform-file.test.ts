import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StartError } from '../../src/errors.ts';
import { renderAnswers } from '../../src/emulator/answers.ts';
import { findJsonError } from '../../src/emulator/json-error.ts';
import { completePlatform } from '../../src/emulator/platform.ts';
import type { Platform } from '../../src/emulator/platform.ts';
import { checkPlatformFile, readPlatformFile } from '../../src/emulator/platform-file.ts';
import { nastyPlatform } from './nasty-platform.ts';
import { createSocketPath, fixturePath } from './rig.ts';

describe('a short file', () => {
  test('of one empty service is a whole platform', () => {
    const platform = complete({ services: { web: {} } });

    expect(platform).toMatchObject({
      token: 'emulator',
      hub: { name: 'emulator' },
      environment: { name: 'laptop' },
      server: { hostname: 'laptop' },
      self: { name: 'web', identifier: 'web', state: 'running' },
    });
    expect(platform.self.instances).toMatchObject([
      { ipv4: '127.0.0.1', state: 'running', readyState: 'active', isDraining: false },
    ]);
  });

  test.each([
    ['an address', '10.0.0.2', [{ ipv4: '10.0.0.2' }]],
    ['an IPv6 address', 'fd00::2', [{ ipv6: 'fd00::2' }]],
    ['a list of addresses', ['10.0.0.2', 'fd00::2'], [{ ipv4: '10.0.0.2' }, { ipv6: 'fd00::2' }]],
    ['no instances', [], []],
    ['an instance that nobody can reach', [{}], [{ state: 'running' }]],
  ])('may have %s for a service', (_what, service, instances) => {
    expect(complete({ services: { db: service } }).self.instances).toMatchObject(instances);
  });

  test('may have two services of one name, as a list or by `name`', () => {
    const list = complete({ services: [{ name: 'api' }, { name: 'api' }] }).services;
    const map = complete({ services: { one: { name: 'api' }, two: { name: 'api' } } }).services;

    expect(list.map((one) => one.name)).toEqual(['api', 'api']);
    expect(map.map((one) => one.name)).toEqual(['api', 'api']);
    expect(new Set([...list, ...map].map((one) => one.id)).size).toBe(4);
  });

  test('may name services as JavaScript names parts of its objects', () => {
    const file: unknown = JSON.parse('{"services": {"__proto__": "10.0.0.1", "constructor": {}}}');

    expect(complete(file).services.map((one) => one.name)).toEqual(['__proto__', 'constructor']);
  });

  test('gives the same ids in every run, whatever else it has', () => {
    const alone = complete({ services: { web: {} } }).self;
    const among = complete({ self: 'web', services: { cache: {}, web: {}, db: {} } }).self;

    expect(alone).toEqual(among);
    expect(alone.id).toBe('a36be7234e99e859b05f8c7f');
  });

  test.each([
    ['key', 'blue'],
    ['name', 'web'],
    ['id', '0123456789abcdef01234567'],
  ])('finds self by its %s', (_what, self) => {
    const services = { other: {}, blue: { name: 'web', id: '0123456789abcdef01234567' } };

    expect(complete({ self, services }).self.name).toBe('web');
  });

  test('puts an instance on its own server only where it says so', () => {
    const { self, server } = complete({
      server: { id: 'a'.repeat(24), hostname: 'one' },
      services: { web: [{}, { server: 'one' }, { server: 'two' }] },
    });

    expect(server).toEqual({ id: 'a'.repeat(24), hostname: 'one' });
    expect(self.instances.map((one) => one.server.hostname)).toEqual(['one', 'one', 'two']);
    expect(self.instances[1]?.server.id).toBe(server.id);
    expect(self.instances[2]?.server.id).not.toBe(server.id);
  });

  test('always has ids that are unique', () => {
    fc.assert(
      fc.property(nastyPlatform, (file) => {
        const { services } = complete(file);
        const ids = services.flatMap((one) => [one.id, ...one.instances.map(({ id }) => id)]);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });
});

describe('a file with mistakes', () => {
  test('has all of them reported at once: path, what was expected, what came', () => {
    const error = errorOf(() =>
      complete({
        tokn: 'x',
        color: 'red',
        self: 3,
        services: {
          web: { helthy: true, instances: ['10.0.0', { healthy: 'yes' }] },
          'my db': { state: 'happy' },
        },
        certificates: [{ domains: [] }, {}],
      }),
    );

    expect(error.exitCode).toBe(78);
    expect(error.message).toMatchInlineSnapshot(`
      "Cannot use the platform file P.json: 9 problems
        self: expected text, received 3
        services.web.instances[0]: expected an IPv4 or IPv6 address, received "10.0.0"
        services.web.instances[1].healthy: expected true or false, received "yes"
        services.web.helthy: expected one of the keys id, name, identifier, deployment, state, platform_service, instances, received this key
        services["my db"].state: expected one of new, starting, running, function, stopping, stopped, deleting, deleted, received "happy"
        certificates[0].domains: expected at least one domain, received a list
        certificates[1].domains: expected a value here, received nothing
        tokn: expected one of the keys token, hub, environment, server, self, services, secrets, certificates, received this key
        color: expected one of the keys token, hub, environment, server, self, services, secrets, certificates, received this key"
    `);
  });

  test.each([
    ['no services', {}],
    ['an empty map of services', { services: {} }],
    ['an empty list of services', { services: [] }],
    ['a list of services without names', { services: [{}] }],
    ['a self that is no service', { self: 'db', services: { web: {} } }],
    [
      'an id twice',
      {
        services: [
          { name: 'a', id: 'a'.repeat(24) },
          { name: 'b', id: 'a'.repeat(24) },
        ],
      },
    ],
    ['a list', []],
    ['a token with a line break', { token: 'a\nb', services: { web: {} } }],
    [
      'a duration without a unit',
      { services: { web: {} }, secrets: { a: { value: '', duration: '3' } } },
    ],
    [
      'a key without its certificate',
      {
        services: { web: {} },
        certificates: [{ domains: ['a.example'], private_key: '-----BEGIN PRIVATE KEY-----' }],
      },
    ],
    ['a domain with a space', { services: { web: {} }, certificates: [{ domains: ['a b'] }] }],
  ])('is refused for %s, with status 78', (_what, file) => {
    expect(errorOf(() => complete(file))).toMatchObject({ code: 'E_PLATFORM_FILE', exitCode: 78 });
  });

  test('never has a secret, a token or a key in its report', () => {
    const { message } = errorOf(() =>
      complete({
        token: 'hunter 2',
        services: { web: {} },
        secrets: { a: 4242, b: { value: ['hunter2'] }, c: { value: 'x', duration: 'hunter2' } },
        certificates: [{ domains: ['a.example'], private_key: 'hunter2' }],
      }),
    );

    expect(message).toContain('5 problems');
    expect(message).not.toMatch(/hunter|4242/);
  });

  test('that is no JSON is reported by line and column, without a word of it', () => {
    const path = join(dirname(createSocketPath()), 'platform.json');
    writeFileSync(path, '{\n  "secrets": {\n    "a": hunter2\n  }\n}\n');
    const error = errorOf(() => readPlatformFile(path));

    expect(error.message).toContain('line 3, column 10: expected a value');
    expect(error.exitCode).toBe(78);
    expect(`${error.message} ${String(error.cause)}`).not.toContain('hunter2');
  });

  test('that does not exist is reported by its path', () => {
    const error = errorOf(() => readPlatformFile('/nonexistent/platform.json'));

    expect(error.message).toBe(
      'Cannot read the platform file /nonexistent/platform.json: no such file',
    );
    expect(error.exitCode).toBe(78);
  });
});

describe('findJsonError', () => {
  test.each([
    ['', 'line 1, column 1: expected a value, received the end of the file (not JSON)'],
    [
      '{"a": 1,}',
      'line 1, column 9: expected a key in double quotes, received something else (not JSON)',
    ],
    [
      '{"a": 1\n "b": 2}',
      'line 2, column 2: expected a comma or the closing bracket, received something else (not JSON)',
    ],
    ['{"a" 1}', 'line 1, column 6: expected a colon, received something else (not JSON)'],
    [
      '[1, 2',
      'line 1, column 6: expected a comma or the closing bracket, received the end of the file (not JSON)',
    ],
    ['[]]', 'line 1, column 3: expected nothing more, received something else (not JSON)'],
    [
      "{'a': 1}",
      'line 1, column 2: expected a key in double quotes or }, received something else (not JSON)',
    ],
  ])('%j', (text, place) => {
    expect(findJsonError(text)).toBe(place);
  });

  test('finds the place in every text that JSON.parse refuses, at the character that was put there', () => {
    const file = JSON.stringify(
      { a: [1, -2.5e3, 'x\n"\u2028'], b: { c: null, d: [true, {}] } },
      null,
      1,
    );
    fc.assert(
      fc.property(
        fc.nat(file.length),
        fc.constantFrom('@', '}', ']', ',', ':', '01'),
        (at, mark) => {
          const text = file.slice(0, at) + mark + file.slice(at);
          fc.pre(!isJson(text));
          const [, line = '', column = ''] =
            /^line (\d+), column (\d+)/.exec(findJsonError(text)) ?? [];
          const offset = offsetOf(text, Number(line), Number(column));
          expect(isPrefixOfJson(text.slice(0, offset))).toBe(true);
        },
      ),
    );
  });
});

describe('10,000 services', () => {
  const services = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, n) => [
      `service-${n}`,
      [
        {
          ipv4: `10.1.${n >> 8}.${n & 255}`,
          ipv6: `fd00::${n.toString(16)}`,
          healthy: true,
          ready: true,
        },
      ],
    ]),
  );

  test('are rendered within a second of processor time, each answer below 16 MiB', () => {
    const started = process.cpuUsage();
    const { bodies } = renderAnswers(complete({ services }));
    // Of the processor, not of the clock: other programs must not fail this test.
    const { user, system } = process.cpuUsage(started);

    expect((user + system) / 1000).toBeLessThan(1000);
    expect(Math.max(...[...bodies.values()].map((body) => body.length))).toBeLessThan(16 * 2 ** 20);
  });
});

test('the sample platform is valid and has what its readers look for', () => {
  const platform = completePlatform(readPlatformFile(fixturePath), fixturePath);

  expect(platform.self.name).toBe('web');
  expect(platform.services.map((one) => one.name)).toContain('mes-données');
  expect(
    platform.services.filter((one) => one.name === 'api').map((one) => one.deployment),
  ).toEqual(['v2.0.0', 'v1.4.2']);
  expect(platform.secrets).toHaveLength(3);
});

test('every example of docs/emulator.md is valid', () => {
  const page = readFileSync(new URL('../../docs/emulator.md', import.meta.url), 'utf8');
  const examples = [...page.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text = '']) => text);

  expect(examples.map((text) => complete(JSON.parse(text)).self.name)).toEqual(['web', 'web']);
});

function complete(file: unknown): Platform {
  return completePlatform(checkPlatformFile(file, 'P.json'), 'P.json');
}

function errorOf(action: () => unknown): StartError {
  try {
    action();
  } catch (error) {
    if (error instanceof StartError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether some text after it would make it JSON: the generated file needs no more than these. */
function isPrefixOfJson(text: string): boolean {
  const tails = ['', '0', '""', ':0', '"":0', '"'];
  const open: string[] = [];
  for (const [mark] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (mark === '{' || mark === '[') open.push(mark);
    else if (mark === '}' || mark === ']') open.pop();
  }
  const closings = open.toReversed().map((one) => (one === '{' ? '}' : ']'));
  return tails.some((tail) => isJson(text + tail + closings.join('')));
}

function offsetOf(text: string, line: number, column: number): number {
  const before = text.split('\n').slice(0, line - 1);
  return before.join('\n').length + (line > 1 ? 1 : 0) + column - 1;
}
