// What no kernel would run is refused before anything is changed; all else, init's own ignorance included, is left to exec.
import { describe, expect, test } from 'vitest';

import { describeContainer, runContainer, startPlatform } from '../helpers/container.ts';
import type { ContainerOptions } from '../helpers/container.ts';
import {
  cannotRegister,
  hiddenFormats,
  noFormats,
  registerExtension,
  seenFormats,
} from '../helpers/formats.ts';
import { isRoot } from '../helpers/pid1.ts';

type Outcome = {
  readonly status: number | NodeJS.Signals;
  /** Whether /etc/hosts was written before the end. */
  readonly isChanged: boolean;
  readonly said: string | undefined;
};

const hosts = '127.0.0.1 localhost\n';

async function start(options: ContainerOptions): Promise<Outcome> {
  const emulator = await startPlatform({ services: { web: '10.0.0.10' } });
  const ended = await runContainer({ args: ['--', './app'], ...options, emulator });
  const fatal = ended.log().find(({ level }) => level === 60);
  return { status: ended.status, isChanged: ended.hosts !== hosts, said: fatal?.msg };
}

const script = (first: string): string => `printf '%s\\nexit 0\\n' '${first}' >app; chmod 755 app`;
const copy = 'cp /bin/true app; chmod 755 app';
const byteAt = (at: number, octal: string): string =>
  `printf '\\${octal}' | dd of=app bs=1 seek=${at} conv=notrunc 2>/dev/null`;

const unknown = [
  ['a script without #!', script('exit 3'), 'it is no program for this machine'],
  ['an empty file', 'touch app; chmod 755 app', 'it is empty'],
  ['a file cut off', `${copy}; truncate -s 100 app`, 'it is no complete program'],
  ['a program for another machine', `${copy}; ${byteAt(18, '026')}`, 'it is a program for s390x'],
  [
    'a script whose interpreter is a script without #!',
    `cp /dev/null sh; chmod 755 sh; ${script('#!./sh')}`,
    'it is no program for this machine',
  ],
] as const;

describeContainer('a format that no kernel has', () => {
  describe.each([
    ['where registered formats are seen', seenFormats, false],
    ['where the kernel cannot have any', noFormats, false],
    ['where they are hidden, and there may be some: by exec', hiddenFormats, true],
  ])('is refused %s', (_where, formats, isChanged) => {
    test.each(unknown)('%s: 126', async (_what, make, said) => {
      const before = `${formats}\n${make}`;
      const refused = { status: 126, isChanged, said: expect.stringContaining(said) };
      expect(await start({ before })).toEqual(refused);
    });
  });

  test('is refused also for --exec', async () => {
    const before = `${seenFormats}\n${script('exit 3')}`;
    const said = expect.stringContaining('it is no program for this machine');
    const env = { WARP_INIT_EXEC: '1' };
    expect(await start({ before, env })).toEqual({ status: 126, isChanged: false, said });
  });

  test('is refused where registered formats are disabled for all', async () => {
    const status = 'mkdir /run/formats; echo disabled >/run/formats/status';
    const foreign = "printf 'enabled\\ninterpreter /x\\nflags: \\nextension .own\\n'";
    const mount = 'mount --bind /run/formats /proc/sys/fs/binfmt_misc';
    const before = `${hiddenFormats}\n${status}; ${foreign} >/run/formats/own; ${mount}
      echo no >app.own; chmod 755 app.own`;
    expect(await start({ before, args: ['--', './app.own'] })).toMatchObject({
      status: 126,
      isChanged: false,
    });
  });
});

describeContainer('an interpreter', () => {
  test.each([
    ['that is a directory: 126', 126, script('#!/etc')],
    [
      'that nobody may execute: 126',
      126,
      `cp /bin/sh my-sh; chmod 644 my-sh; ${script('#!./my-sh')}`,
    ],
    ['that is the script itself: 126', 126, script('#!./app')],
    ['without a name: 126', 126, String.raw`printf '#!\0\n' >app; chmod 755 app`],
    ['that is missing: 127', 127, script('#!/no/such')],
    ['that is missing where the app starts: 127', 127, script('#!./no-such')],
    ['below a file: 127', 127, script('#!/etc/hosts/sh')],
    [
      'of an interpreter that is missing: 127',
      127,
      `printf '#!/no/such\\n' >sh; chmod 755 sh; ${script('#!./sh')}`,
    ],
  ])('%s, before anything is changed', async (_what, status, make) => {
    const refused = { status, isChanged: false, said: expect.stringContaining('Cannot run ') };
    // Nobody registers scripts of these names: seeing the formats makes no difference.
    expect(await start({ before: `${hiddenFormats}\n${make}` })).toEqual(refused);
    expect(await start({ before: `${seenFormats}\n${make}` })).toEqual(refused);
  });

  test.each([
    [5, { status: 0, isChanged: true, said: undefined }],
    [6, { status: 126, isChanged: false, said: 'Cannot run "./app": ELOOP' }],
  ])('that is a script, %i of them one behind the other', async (count, outcome) => {
    const before = `${seenFormats}
      printf '#!/bin/sh\\n' >s1; for i in $(seq 2 ${count}); do echo "#!./s$((i - 1))" >s$i; done
      chmod 755 s*; mv s${count} app`;
    expect(await start({ before })).toEqual(outcome);
  });

  test.skipIf(!isRoot).each([
    ['for root alone, by its mode: by exec', true, 'chmod 700 my-sh'],
    ['for nobody at all: before anything is changed', false, 'chmod 644 my-sh'],
  ])('is refused to another user %s', async (_what, isChanged, change) => {
    const before = `cp /bin/sh my-sh; ${change}; ${script('#!./my-sh')}`;
    const said = 'Cannot run "./app" as nobody: permission denied';
    expect(await start({ before, env: { WARP_INIT_USER: 'nobody' } })).toEqual({
      status: 126,
      isChanged,
      said,
    });
  });
});

const runs: Outcome = { status: 0, isChanged: true, said: undefined };

describeContainer('an app starts', () => {
  test.each([
    ['whose class is none: the kernel does not look', `${copy}; ${byteAt(4, '0')}`],
    ['whose byte order is said to be the other one', `${copy}; ${byteAt(5, '2')}`],
    [
      'whose interpreter has a name that is no UTF-8',
      String.raw`sh=$(printf 'sh\377'); cp /bin/sh "$sh"; printf '#!./%s\nexit 0\n' "$sh" >app; chmod 755 app`,
    ],
    [
      'whose interpreter is an unreadable program',
      `cp /bin/sh my-sh; chmod 111 my-sh; ${script('#!./my-sh')}`,
    ],
  ])('%s', async (_what, make) => {
    expect(await start({ before: `${seenFormats}\n${make}` })).toEqual(runs);
  });

  test.each([['#!./my-sh'], ['#!/proc/self/cwd/my-sh']])(
    'with %s where init.cwd has that',
    async (first) => {
      const before = `${seenFormats}\nmkdir in; ${script(first)}; mv app in; cp /bin/sh in/my-sh`;
      const config = 'module.exports = { init: { cwd: `${process.cwd()}/in` } };';
      expect(await start({ before, config })).toEqual(runs);
    },
  );

  test.skipIf(!isRoot)(
    'where a capability opens an interpreter that access(2) finds closed',
    async () => {
      const power = '+dac_override,+net_bind_service';
      const before = `cp /bin/sh /run/sh; chmod 710 /run/sh; ${script('#!/run/sh')}
        chmod 666 /etc/hosts
        set -- setpriv --reuid=1234 --regid=1234 --clear-groups --inh-caps=${power} --ambient-caps=${power} "$@"`;
      expect(await start({ before })).toEqual(runs);
    },
  );

  test('with #!../my-sh where init.cwd is a link: .. is that of the directory', async () => {
    const before = `${seenFormats}
      mkdir -p real/in; ln -s real/in in; ${script('#!../my-sh')}; cp /bin/sh real/my-sh`;
    const config = 'module.exports = { init: { cwd: `${process.cwd()}/in` } };';
    expect(await start({ before, config, args: ['--', '../../app'] })).toEqual(runs);
  });

  test.skipIf(!isRoot)(
    'with #!./my-sh where the way to the current directory is closed',
    async () => {
      const before = `mkdir -p /run/way/in; cp /bin/sh /run/way/in/my-sh; ${script('#!./my-sh')}
      mv app /run/way/in; chmod 700 /run/way; chmod 666 /etc/hosts; cd /run/way/in
      set -- setpriv --reuid=1234 --regid=1234 --clear-groups "$@"`;
      expect(await start({ before })).toEqual(runs);
    },
  );

  test.skipIf(!isRoot)(
    'that is open to init by a capability alone, which access(2) does not see',
    async () => {
      const power = '+dac_override,+net_bind_service';
      const before = `cp /bin/true /run/app; chmod 710 /run/app; chmod 666 /etc/hosts
      set -- setpriv --reuid=1234 --regid=1234 --clear-groups --inh-caps=${power} --ambient-caps=${power} "$@"`;
      expect(await start({ before, args: ['--', '/run/app'] })).toEqual(runs);
    },
  );

  test.skipIf(!isRoot).each([
    ['a file', 'chmod 700 /run/own/app; chmod 755 /run/own'],
    ['a file in a directory', 'chmod 700 /run/own/app; chmod 700 /run/own'],
  ])('where %s is open to its user alone, and root may not pass by', async (_what, modes) => {
    const before = `mkdir /run/own; printf '#!/bin/sh\\nexit 0\\n' >/run/own/app; ${modes}
      chown -R 1234:1234 /run/own
      set -- setpriv --bounding-set=-dac_override,-dac_read_search "$@"`;
    const env = { WARP_INIT_USER: '1234:1234' };
    expect(await start({ before, env, args: ['--', '/run/own/app'] })).toEqual(runs);
    const path = `/usr/bin:/bin:/run/own`;
    expect(await start({ before, env: { ...env, PATH: path }, args: ['--', 'app'] })).toEqual(runs);
  });

  describe.skipIf(cannotRegister).each([
    ['is seen', ':'],
    ['is hidden', hiddenFormats.replaceAll("'", '"')],
  ])('of a registered format that %s', (_what, then) => {
    test.each([
      ['a text', 'echo no >app.own'],
      ['an empty file', 'touch app.own'],
      ['a script whose interpreter is missing', `${script('#!/no/such')}; mv app app.own`],
      ['a script whose interpreter is a directory', `${script('#!/etc')}; mv app app.own`],
      ['an interpreter', `echo no >app.own; ${script('#!./app.own')}; cp app ./starts`],
    ])('%s', async (what, make) => {
      const before = `${make}; chmod 755 app.own; ${registerExtension('own', then)}`;
      const file = what === 'an interpreter' ? './starts' : './app.own';
      expect(await start({ before, args: ['--', file] })).toEqual(runs);
    });
  });

  test('of the 32-bit relative, or is refused by exec: nobody knows before', async () => {
    const head = Buffer.alloc(84);
    head.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
    head.writeUInt16LE(2, 16); // ET_EXEC
    head.writeUInt16LE(process.arch === 'arm64' ? 40 : 3, 18);
    head.writeUInt32LE(52, 28);
    head.writeUInt16LE(32, 42);
    head.writeUInt16LE(1, 44);
    const before = `${seenFormats}\nbase64 -d app.b64 >app; chmod 755 app`;
    const files = { 'app.b64': head.toString('base64') };
    expect(await start({ before, files })).toMatchObject({ isChanged: true });
  });
});
