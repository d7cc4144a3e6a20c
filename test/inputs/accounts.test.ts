import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StartError } from '../../src/errors.ts';
import { type Account, type AccountFiles, lookupUser } from '../../src/inputs/accounts.ts';

let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'accounts-'));
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

const passwd = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
node:x:1000:1000::/home/node:/bin/bash
postgres:x:70:70:::/sbin/nologin
twin:x:1000:7::/home/twin:
1000:x:4000:4000::/home/number:
`;

const group = `root:x:0:
audio:x:29:node,postgres
node:x:1000:
docker:x:998: node , root
mail:x:8:nodes,no
`;

function filesOf(passwdText: string, groupText: string): AccountFiles {
  const files = { passwdPath: join(directory, 'passwd'), groupPath: join(directory, 'group') };
  writeFileSync(files.passwdPath, passwdText);
  writeFileSync(files.groupPath, groupText);
  return files;
}

function lookup(spec: string): Account {
  return lookupUser(spec, filesOf(passwd, group));
}

function ask(...args: string[]): string {
  return execFileSync('id', args, { encoding: 'utf8' }).trim();
}

function errorOf(run: () => unknown): StartError {
  try {
    run();
  } catch (error) {
    if (error instanceof StartError) {
      return error;
    }

    throw error;
  }

  throw new Error('expected a StartError');
}

describe('the app runs as', () => {
  const node = { uid: 1000, gid: 1000, groups: [1000, 29, 998], name: 'node', home: '/home/node' };

  test.each<[string, string, Account]>([
    ['a name, with its own group and those that list it', 'node', node],
    ['the first user of a number, never a user whose name is that number', '1000', node],
    [
      'a name and a group by name, which is then the only group',
      'node:audio',
      { ...node, gid: 29, groups: [29] },
    ],
    ['a name and a group by number', 'node:29', { ...node, gid: 29, groups: [29] }],
    ['a number and a group that no file has', '1000:5555', { ...node, gid: 5555, groups: [5555] }],
    [
      'a number without an entry: group 0, home /, no name',
      '4321',
      { uid: 4321, gid: 0, groups: [0], name: undefined, home: '/' },
    ],
    [
      'a number and a group by name',
      '4321:mail',
      { uid: 4321, gid: 8, groups: [8], name: undefined, home: '/' },
    ],
    [
      'a user without a home, whose home is then /',
      'postgres',
      { uid: 70, gid: 70, groups: [70, 29], name: 'postgres', home: '/' },
    ],
    [
      'the largest id',
      '4294967294',
      { uid: 4_294_967_294, gid: 0, groups: [0], name: undefined, home: '/' },
    ],
  ])('%s: %s', (_rule, spec, account) => {
    expect(lookup(spec)).toEqual(account);
  });

  test('a number, in an image without passwd and group', () => {
    const files = { passwdPath: '/nonexistent/passwd', groupPath: '/nonexistent/group' };
    expect(lookupUser('1000:1001', files)).toEqual({
      uid: 1000,
      gid: 1001,
      groups: [1001],
      name: undefined,
      home: '/',
    });
  });

  test('what id(1) says, for every user of this machine', () => {
    const names = execFileSync('cut', ['-d:', '-f1', '/etc/passwd'], { encoding: 'utf8' })
      .trim()
      .split('\n');

    for (const name of names.slice(0, 12)) {
      const account = lookupUser(name);
      expect([String(account.uid), String(account.gid)]).toEqual([
        ask('-u', name),
        ask('-g', name),
      ]);
      expect(new Set(account.groups.map(String))).toEqual(new Set(ask('-G', name).split(/\s+/)));
    }
  });
});

describe('broken lines', () => {
  test('and comments and NIS lines never change which entry is found', () => {
    const noise = fc.constantFrom(
      '',
      ':',
      '::::::',
      '+',
      '+::::::',
      '+app:x:9:9:::',
      '-app:x:9:9:::',
      '#app:x:9:9:::',
      'app',
      'app:x',
      'app:x:',
      'app:x:nine:9:::',
      'app:x:9:nine:::',
      'app:x:-9:9:::',
      'app:x:9.5:9:::',
      'app:x:4294967295:9:::',
      ' app:x:9:9:::',
      'App:x:9:9:::',
      'app2:x:9:9:::',
      'ap:x:9:9:::',
      ':x:9:9:::',
      'other:x:9:9::/x:/bin/sh',
    );

    fc.assert(
      fc.property(fc.array(noise), fc.array(noise), (before, after) => {
        const entry = 'app:x:501:502:App,,,:/srv/app:/bin/sh';
        const text = [...before, entry, ...after].join('\n');
        expect(lookupUser('app', filesOf(text, text))).toMatchObject({
          uid: 501,
          gid: 502,
          home: '/srv/app',
        });
      }),
    );
  });

  test.each(['+nis:x:9:9::/nis:', '-nis:x:9:9::/nis:', '#nis:x:9:9::/nis:', ':x:9:9::/nis:'])(
    '%s is nobody, also for its number',
    (line) => {
      expect(lookupUser('9', filesOf(line, '')).name).toBeUndefined();
    },
  );

  test('of group give no membership, repeated ones give it once', () => {
    const noise = fc.constantFrom(
      '',
      '+:::app',
      '#g:x:9:app',
      ':x:9:app',
      'g:x:nine:app',
      'g:x',
      'g:x:9',
      'g:x:9:apps,ap',
      'g:x:4294967295:app',
    );

    fc.assert(
      fc.property(fc.array(noise), (lines) => {
        const text = [...lines, 'audio:x:29:x,app', ...lines, 'audio:x:29:app'].join('\n');
        expect(lookupUser('app', filesOf('app:x:501:502:::', text)).groups).toEqual([502, 29]);
      }),
    );
  });
});

describe('refused', () => {
  test('an unknown user, with the nearest one that exists', () => {
    const error = errorOf(() => lookup('ndoe'));

    expect(error).toMatchObject({ code: 'E_USER', exitCode: 78 });
    expect(error.message).toBe(
      `Cannot run the app as "ndoe": no such user in ${join(directory, 'passwd')}`,
    );
    expect(error.remedy.fix).toContain('"node"');
  });

  test('an unknown group, with the nearest one that exists', () => {
    const error = errorOf(() => lookup('node:adio'));
    expect(error.message).toContain('"adio": no such group');
    expect(error.remedy.fix).toContain('"audio"');
  });

  test('a name, in an image without passwd', () => {
    const files = { passwdPath: '/nonexistent/passwd', groupPath: '/nonexistent/group' };
    expect(errorOf(() => lookupUser('node', files)).message).toContain(
      '/nonexistent/passwd is not readable (ENOENT)',
    );
  });

  test.each(['', ':', ':node', 'node:', 'node:node:node'])('%j, which has another form', (spec) => {
    expect(errorOf(() => lookup(spec)).message).toContain(
      'expected NAME, UID, NAME:GROUP or UID:GID',
    );
  });

  test.each([
    ['app', 'app:hash:12a4:2345::/srv/app:/bin/sh'],
    ['app', 'app:hash:1234:::/srv/app:/bin/sh'],
    ['app', 'app:hash:4294967295:2345:::'],
    ['app', 'app'],
    ['1234', 'app:hash:1234:oops:::'],
    ['1234', 'app:hash:1234'],
  ])('%s, of whom the line is %j: it is not made a user with group 0', (spec, line) => {
    const files = filesOf(`root:x:0:0::/root:\n\n${line}\n`, group);
    const error = errorOf(() => lookupUser(spec, files));
    expect(error).toMatchObject({ code: 'E_USER', exitCode: 78 });
    expect(error.message).toBe(
      `Cannot run the app as "${spec}": line 3 of ${files.passwdPath} is broken: expected name:password:uid:gid:comment:home:shell, with ids from 0 to 4294967294`,
    );
    expect(error.remedy).toEqual({
      where: `${files.passwdPath}:3`,
      fix: 'Correct that line in the image.',
    });
    expect(error.message).not.toContain('hash');
  });

  test('a group whose line is broken', () => {
    const files = filesOf(passwd, 'root:x:0:\nlogs:x:seven:node\n');
    expect(errorOf(() => lookupUser('node:logs', files)).message).toBe(
      `Cannot run the app as "logs": line 2 of ${files.groupPath} is broken: expected name:password:gid:members, with ids from 0 to 4294967294`,
    );
  });

  test.each(['4294967295', '0:4294967295', '99999999999999999999'])(
    '%s, which means «leave the id as it is» or no id',
    (spec) => {
      expect(errorOf(() => lookup(spec)).message).toContain('at most 4294967294');
    },
  );

  test.each(['-1', '1e3', '0x10', '1000 ', '+app'])(
    '%j, which is neither a number nor a user',
    (spec) => {
      expect(errorOf(() => lookup(spec)).code).toBe('E_USER');
    },
  );
});
