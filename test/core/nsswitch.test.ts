import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { IstMap } from '../../src/core/ist.ts';
import { decideNsswitch } from '../../src/core/nsswitch-decision.ts';
import { fixNsswitch, judgeNsswitch } from '../../src/core/nsswitch.ts';

const judge = (text: string | undefined) => judgeNsswitch({ text, libc: 'glibc' });

describe('names from /etc/hosts resolve with', () => {
  test.each([
    'hosts: files dns\n',
    'hosts:\tfiles\r\n',
    ' \thosts:files\n',
    'hosts files\n',
    'hosts: dns files\n',
    'hosts: dns [NOTFOUND=continue] files\n',
    'hosts: dns [notfound = CONTINUE  !tryagain=Continue] files\n',
    'hosts: dns[SUCCESS=return]files\n',
    'hosts: files [NOTFOUND=return] dns\n',
    'hosts: files [SUCCESS=continue]\n',
    'hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns\n',
    'hosts: mdns4_minimal [NOTFOUND=return] files dns\n',
    'hosts: files # the rest is for dns\n',
    'automount: [\nhosts: files\n',
    '# hosts: dns\nhosts: files\n',
  ])('%j', (text) => {
    expect(judge(text).verdict).toBe('ok');
  });
});

describe('names from /etc/hosts do not resolve with', () => {
  test.each([
    ['hosts: dns\n', '`files` is not among its sources'],
    ['hosts:\n', '`files` is not among its sources'],
    ['hosts: FILES\n', '`files` is not among its sources'],
    ['hosts: files,dns\n', '`files` is not among its sources'],
    ['hosts: dns # files\n', '`files` is not among its sources'],
    ['hosts: [NOTFOUND=return] files\n', '`files` is not among its sources'],
    ['hosts: dns [SUCCESS=return] [SUCCESS=return] files\n', '`files` is not among its sources'],
    ['hosts: dns [!UNAVAIL=return] files\n', '`dns [!UNAVAIL=return]` can end the lookup'],
    ['hosts: dns [NOTFOUND=return] files\n', '`dns [NOTFOUND=return]` can end the lookup'],
    ['hosts: nis [UNAVAIL=return] files\n', '`nis [UNAVAIL=return]` can end the lookup'],
    ['hosts: nis [SUCCESS=merge tryagain=return] files\n', 'can end the lookup'],
    ['hosts: resolve [UNAVAIL=return] files\n', 'can end the lookup'],
    ['hosts: mdns_minimal [!SUCCESS=return] files\n', 'can end the lookup'],
    ['hosts: myhostname [!UNAVAIL=return] files\n', 'can end the lookup'],
    ['hosts: files [SUCCESS=continue] dns\n', 'drops what it has found'],
    ['hosts: files [SUCCESS=merge]\n', 'drops what it has found'],
    ['hosts: files [FOO=return]\n', 'cannot read `[FOO=return]`'],
    ['hosts: files [NOTFOUND=return\n', 'cannot read `[NOTFOUND=return`'],
    ['hosts: files []\n', 'cannot read `[]`'],
    ['hosts: files # see [1]\n', 'cannot read `[1]`'],
    ['hosts: files\npasswd: files [x=y]\n', 'cannot read `[x=y]`'],
    ['hosts: dns\nhosts: files\n', '`files` is not among its sources'],
  ])('%j', (text, reason) => {
    expect(judge(text)).toMatchObject({
      verdict: 'broken',
      reason: expect.stringContaining(reason),
    });
  });

  test('the line that is at fault is named', () => {
    expect(judge('passwd: files\n\nhosts: dns\n').line).toBe(3);
  });
});

test('a source that answers for .local alone ends the lookup of a .local name', () => {
  const file = { text: 'hosts: mdns4_minimal [NOTFOUND=return] files\n', libc: 'glibc' } as const;

  expect(judgeNsswitch(file, ['db.warp', 'mysql.local']).verdict).toBe('broken');
});

describe('where the file says nothing about hosts, the default of glibc applies:', () => {
  test.each([
    ['there is no file', undefined, 'there is no such file'],
    ['there is no hosts line', 'passwd: files\n', 'it has no `hosts:` line'],
    ['its name is in capitals', 'HOSTS: dns\n', 'it has no `hosts:` line'],
    ['it is commented out', '#hosts: dns\n', 'it has no `hosts:` line'],
  ])('%s', (_why, text, reason) => {
    expect(judge(text)).toMatchObject({
      verdict: 'default',
      reason: expect.stringContaining(reason),
    });
  });
});

test('musl does not care what the file says', () => {
  expect(judgeNsswitch({ text: 'hosts: dns\n', libc: 'musl' }).verdict).toBe('unused');
});

describe('a fixed file', () => {
  test.each([
    ['hosts: dns\n', 'hosts: files dns\n'],
    [
      'passwd: x\nhosts:\t\tdns [!UNAVAIL=return] files',
      'passwd: x\nhosts:\t\tfiles dns [!UNAVAIL=return] files',
    ],
    ['hosts:dns # hm\r\n', 'hosts: files dns # hm\r\n'],
    ['hosts:\n', 'hosts: files\n'],
    ['hosts: [UNAVAIL=return] dns\n', 'hosts: files [SUCCESS=return] [UNAVAIL=return] dns\n'],
    ['hosts: files [SUCCESS=continue] dns\n', 'hosts: files files [SUCCESS=continue] dns\n'],
    ['hosts: dns files\n', 'hosts: dns files\n'],
    ['#hosts: dns\n', '#hosts: dns\n'],
    ['hosts: dns\nhosts: nis\n', 'hosts: files dns\nhosts: files nis\n'],
  ])('of %j is %j', (text, fixed) => {
    expect(fixNsswitch(text)).toBe(fixed);
  });

  const word = fc.constantFrom(
    'files',
    'dns',
    'resolve',
    'myhostname',
    '[NOTFOUND=return]',
    '[!UNAVAIL=return success=merge]',
    '[',
    ']',
    '#',
    ':',
    'hosts:',
    'hosts',
    'passwd:',
    '\n',
    '\n',
    '\r\n',
    '\t',
    '\0',
    '\xe9',
  );
  const text = fc.array(word).map((words) => words.join(' '));

  test('differs from the text by `files ` on hosts lines alone, and stays as it is when fixed again', () => {
    fc.assert(
      fc.property(text, (before) => {
        const after = fixNsswitch(before);
        expect(fixNsswitch(after)).toBe(after);
        expect(isSubsequence(before, after)).toBe(true);
        expect(after.split('\n')).toHaveLength(before.split('\n').length);
      }),
      { numRuns: 500 },
    );
  });

  test('is not broken, unless it holds what glibc cannot read', () => {
    fc.assert(
      fc.property(text, (before) => {
        const { verdict, reason } = judge(fixNsswitch(before));
        expect(verdict !== 'broken' || reason.includes('cannot read')).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the decision', () => {
  const map: IstMap = {
    services: [
      {
        name: 'my-db',
        containerId: 'c',
        hasEntry: false,
        others: [],
        tier: 'best',
        hostnames: [{ name: 'my-db.warp', rule: 'hostname' }],
        variables: [{ name: 'WARP_IST_my_db', rule: 'shell' }],
      },
    ],
    conflicts: [],
    warnings: [],
  };

  test('a warning names the file, the line, and the variables to use instead', () => {
    expect(decideNsswitch('warn', glibcFile('hosts: dns\n'), map)).toEqual({
      kind: 'warn',
      warning: {
        code: 'W_NSSWITCH',
        message:
          'IST hostnames such as my-db.warp may not resolve: line 1 of /etc/nsswitch.conf: `files` is not among its sources',
        where: '/etc/nsswitch.conf:1',
        fix: 'Put `files` first on the hosts line, set init.nsswitch to "fix", or use the variables instead: WARP_IST_my_db.',
      },
    });
  });

  test.each([
    ['ignore', 'hosts: dns\n', 'leave'],
    ['fail', 'hosts: dns\n', 'fail'],
    ['fix', 'hosts: dns\n', 'fix'],
    ['fix', 'hosts: dns [oops]\n', 'warn'],
    ['fail', 'hosts: files\n', 'leave'],
    ['fail', 'passwd: files\n', 'leave'],
  ] as const)('%s with %j is to %s', (mode, text, kind) => {
    expect(decideNsswitch(mode, glibcFile(text), map).kind).toBe(kind);
  });

  test('without a single hostname there is nothing that could not resolve', () => {
    expect(decideNsswitch('fail', glibcFile('hosts: dns\n'), { ...map, services: [] }).kind).toBe(
      'leave',
    );
  });
});

function glibcFile(text: string) {
  return { text, libc: 'glibc', path: '/etc/nsswitch.conf' } as const;
}

function isSubsequence(part: string, whole: string): boolean {
  let found = 0;
  for (const character of whole) {
    found += character === part[found] ? 1 : 0;
  }

  return found === part.length;
}
