import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

import { lookupOwner } from '../../src/inputs/file-owner.ts';

const directory = mkdtempSync(join(tmpdir(), 'owner-'));
const files = { passwdPath: join(directory, 'passwd'), groupPath: join(directory, 'group') };
writeFileSync(files.passwdPath, 'root:x:0:0::/root:\napp:x:1000:1001::/home/app:\n');
writeFileSync(files.groupPath, 'app:x:1001:\ntls:x:2000:app\n');
const app = { uid: 1000, gid: 1001 };
const where = 'init.secrets.files';

afterAll(() => rmSync(directory, { recursive: true }));

describe('a file is of', () => {
  test.each([
    ["the app's user", undefined, undefined, app, { uid: 1000, gid: 1001 }],
    [
      'init where the app is',
      undefined,
      undefined,
      undefined,
      { uid: process.geteuid?.(), gid: process.getegid?.() },
    ],
    ["a named user and that user's own group", 'root', undefined, app, { uid: 0, gid: 0 }],
    ["the app's user and a named group", undefined, 'tls', app, { uid: 1000, gid: 2000 }],
    ['a user and a group', 'app', 'tls', undefined, { uid: 1000, gid: 2000 }],
    ['numbers without an entry', '7', '8', app, { uid: 7, gid: 8 }],
  ])('%s', (_what, user, group, owner, ids) => {
    expect(lookupOwner({ mode: 0o440, user, group }, { app: owner, where }, files)).toEqual({
      mode: 0o440,
      ...ids,
    });
  });
});

test.each([
  ['appp', undefined, 'Cannot give files to "appp": no such user in', 'Write "app"'],
  [undefined, 'tsl', 'Cannot give files to "tsl": no such group in', 'Write "tls"'],
  ['4294967295', undefined, 'an id is at most 4294967294', '`user` and `group` of init.secrets'],
])('user %s, group %s is refused', (user, group, message, fix) => {
  const lookup = () => lookupOwner({ mode: 0o400, user, group }, { app, where }, files);

  expect(lookup).toThrow(
    expect.objectContaining({
      code: 'E_USER',
      exitCode: 78,
      message: expect.stringContaining(message),
      remedy: expect.objectContaining({ fix: expect.stringContaining(fix) }),
    }),
  );
});
