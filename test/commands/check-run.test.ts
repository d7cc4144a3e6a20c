// `warp-init check` and the start itself, in the same container: where one says failure, the other fails, and with that status.
import { expect, test } from 'vitest';

import type { CheckReport } from '../../src/core/check-report.ts';
import { describeContainer, runContainer } from '../helpers/container.ts';
import type { ContainerOptions } from '../helpers/container.ts';
import { isRoot } from '../helpers/pid1.ts';

type Outcome = { readonly run: unknown; readonly check: unknown; readonly foreseen: boolean };

async function compare(
  command: readonly string[],
  options: ContainerOptions = {},
): Promise<Outcome> {
  const words = command.length === 0 ? [] : ['--', ...command];
  const [checked, ran] = await Promise.all([
    runContainer({ ...options, args: ['check', '--json', ...words] }),
    runContainer({ ...options, args: words.length === 0 ? ['run'] : words }),
  ]);
  const { findings }: CheckReport = JSON.parse(checked.stdout);
  const failures = findings.filter(({ verdict }) => verdict === 'failure');
  const foreseen = failures.some(({ exitStatus, reason }) => {
    const isSame = ran.log().some(({ level, msg }) => level === 60 && msg === reason);
    return exitStatus === ran.status && isSame;
  });
  return { run: ran.status, check: checked.status, foreseen };
}

const fails = (status: number): Outcome => ({ run: status, check: 1, foreseen: true });
const works: Outcome = { run: 0, check: 0, foreseen: false };

const script = (first: string): string => `printf '%s\\nexit 0\\n' '${first}' >app; chmod 755 app`;
const copy = 'cp /bin/true app; chmod 755 app';

describeContainer('check says of a command what its start says', () => {
  test('no command: 64', async () => {
    expect(await compare([])).toEqual(fails(64));
  });

  test.each([
    ['a program', 0, copy],
    ['a script', 0, script('#!/bin/sh')],
    ['a script without #!', 126, script('exit 3')],
    ['an empty file', 126, 'touch app; chmod 755 app'],
    ['the first 40 bytes of a program', 126, `${copy}; truncate -s 40 app`],
    ['the first 100 bytes of a program', 126, `${copy}; truncate -s 100 app`],
    [
      'a program for another machine',
      126,
      `${copy}; printf '\\026' | dd of=app bs=1 seek=18 conv=notrunc 2>/dev/null`,
    ],
    [
      'an object file',
      126,
      `${copy}; printf '\\001' | dd of=app bs=1 seek=16 conv=notrunc 2>/dev/null`,
    ],
    ['a script whose interpreter is missing', 127, script('#!/no/such/sh')],
    [
      'a script whose interpreter is not executable',
      126,
      `cp /bin/sh my-sh; chmod 644 my-sh; ${script('#!./my-sh')}`,
    ],
    ['a script whose interpreter is a directory', 126, script('#!/etc')],
    ['a script whose interpreter is empty', 126, `touch sh; chmod 755 sh; ${script('#!./sh')}`],
    [
      'a script whose interpreter is a script',
      0,
      `printf '#!/bin/sh\\nexit 0\\n' >my-sh; chmod 755 my-sh; ${script('#!./my-sh')}`,
    ],
    ['a script that is its own interpreter', 126, script('#!./app')],
    ['a link to nothing', 127, 'ln -s nowhere app'],
    [
      'a program on a file system without programs',
      126,
      `mkdir d; mount -t tmpfs -o noexec,mode=755 tmpfs d; ${copy}; mv app d; ln -s d/app app`,
    ],
  ])('%s: %i', async (_what, status, before) => {
    expect(await compare(['./app'], { before })).toEqual(status === 0 ? works : fails(status));
  });
});

describeContainer('check says of another user what its start says', () => {
  const groups = 'echo "staff:x:1234:nobody" >etc-group; mount --bind etc-group /etc/group';

  test.skipIf(!isRoot).each([
    ['a program for all', 0, copy],
    ['a program for root alone', 126, `${copy}; chmod 700 app`],
    ['a program for all but its owner', 126, `${copy}; chmod 705 app; chgrp nogroup app`],
    ['a program for its group', 0, `${copy}; chmod 750 app; chgrp nogroup app`],
    ['a program for a supplementary group', 0, `${groups}; ${copy}; chmod 750 app; chgrp 1234 app`],
    ['a program for another group', 126, `${copy}; chmod 750 app; chgrp 1234 app`],
    [
      'a program in a directory for root alone',
      126,
      `mkdir -m 700 d; ${copy}; mv app d; ln -s d/app app`,
    ],
    [
      'a link that leads through a directory for root alone',
      126,
      `mkdir -m 700 d; ${copy}; mv app there; ln -s ../there d/app; ln -s d/app app`,
    ],
    [
      'a script whose interpreter is for root alone',
      126,
      `cp /bin/sh /run/sh; chmod 700 /run/sh; ${script('#!/run/sh')}`,
    ],
    ['a working directory for root alone', 126, `${copy}; chmod 700 .`],
  ])('%s: %i', async (_what, status, before) => {
    const options = { before, env: { WARP_INIT_USER: 'nobody' } };

    expect(await compare(['./app'], options)).toEqual(status === 0 ? works : fails(status));
  });

  test.skipIf(!isRoot).each([
    ['for all', 0, '', 'nobody'],
    ['for root alone', 78, 'chmod 700 /run/d', 'nobody'],
    [
      'below one for root alone',
      78,
      'mkdir -m 700 /run/e; mv /run/d /run/e; ln -s e/d /run/d',
      'nobody',
    ],
    ['for its owner alone, who is not root', 0, 'chown 65534 /run/d; chmod 700 /run/d', 'nobody'],
    ['for somebody else, who is root', 0, 'chown 65534 /run/d; chmod 700 /run/d', '0:1234'],
    ['that is a file', 78, 'rmdir /run/d; touch /run/d', 'nobody'],
  ])('init.cwd %s: %i', async (_what, status, change, user) => {
    const outcome = await compare(['true'], {
      config: 'module.exports = { init: { cwd: "/run/d" } };',
      before: `mkdir /run/d; ${change}`,
      env: { WARP_INIT_USER: user },
    });

    expect(outcome).toEqual(status === 0 ? works : fails(status));
  });
});
